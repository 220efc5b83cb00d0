package augment

import (
	"fmt"
	"slices"

	"retinago/internal/kinds"
)

// Preset is a list of policies with a name.
type Preset struct {
	kinds.Kind
	Policies []Policy
}

// Presets lists the presets.
var Presets = []Preset{
	{Kind: kinds.Kind{Name: "none", Text: "no policies"}},
	{
		Kind: kinds.Kind{Name: "light", Text: "small changes of scale and colours, which suit any dataset"},
		Policies: []Policy{
			{"scale_jitter", settings{"probability": .5, "min": .75, "max": 1.25}},
			{"brightness", nil}, {"contrast", nil}, {"saturation", nil}, {"hue", settings{"degrees": 8}},
		},
	},
	{
		Kind: kinds.Kind{Name: "ssd", Text: "SSD's: colours, expansion and crops (Liu et al. 2016), for small datasets and long runs"},
		Policies: []Policy{
			{"brightness", settings{"min": .875, "max": 1.125}}, {"contrast", settings{"min": .5, "max": 1.5}},
			{"saturation", settings{"min": .5, "max": 1.5}}, {"hue", nil}, {"channel_order", settings{"probability": .05}},
			{"zoom_out", nil}, {"iou_crop", nil},
		},
	},
	{
		Kind:     kinds.Kind{Name: "lsj", Text: "large scale jitter (Ghiasi et al. 2021), for runs of 50 epochs and more"},
		Policies: []Policy{{"scale_jitter", nil}},
	},
	{
		Kind: kinds.Kind{Name: "strong", Text: "mosaic, mixup, scale and colours, as YOLO's recipes have them, for long runs from random weights"},
		Policies: []Policy{
			{"scale_jitter", settings{"min": .5, "max": 1.5}}, {"translate", nil},
			{"brightness", settings{"min": .6, "max": 1.4}}, {"contrast", nil}, {"saturation", settings{"min": .3, "max": 1.7}}, {"hue", nil},
			{"blur", nil}, {"gray", nil}, {"mosaic", nil}, {"mixup", nil},
		},
	},
}

type settings = map[string]float64

// FindPreset returns the preset with a name.
func FindPreset(name string) (Preset, error) { return kinds.Find(Presets, "preset", name) }

func (p Preset) names() []string {
	var out []string
	for _, v := range p.Policies {
		out = append(out, v.Name)
	}
	return out
}

// Expand replaces presets by their policies. Of two policies with one name the later replaces the earlier, in its place.
func Expand(list []Policy) ([]Policy, error) {
	var out []Policy
	for i, p := range list {
		if errs := p.Check(); len(errs) > 0 {
			return nil, fmt.Errorf("augment: policy %d: %w", i, errs[0])
		}
		all := []Policy{p}
		if preset, err := FindPreset(p.Name); err == nil {
			all = preset.Policies
		}
		for _, v := range all {
			if k := slices.IndexFunc(out, func(o Policy) bool { return o.Name == v.Name }); k >= 0 {
				out[k] = v
			} else {
				out = append(out, v)
			}
		}
	}
	return out, nil
}
