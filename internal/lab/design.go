package lab

import (
	"fmt"
	"math"
	"strings"
)

// Density lists variants of the anchors' density (scales x ratios, as in table 1c), of the assigner and of its thresholds.
func Density() []Variant {
	var out []Variant
	for _, k := range []struct {
		scales, ratios int
		paper          []float64
	}{
		{1, 1, []float64{30.3, 49.0, 31.8}}, {2, 1, []float64{31.9, 50.0, 34.0}}, {3, 1, []float64{31.8, 49.4, 33.7}}, {1, 3, []float64{32.4, 52.3, 33.9}},
		{2, 3, []float64{34.2, 53.1, 36.5}}, {3, 3, []float64{34.0, 52.5, 36.5}}, {4, 3, []float64{33.8, 52.1, 36.2}},
	} {
		scales := make([]string, k.scales)
		for i := range scales {
			scales[i] = fmt.Sprintf("%.8g", math.Pow(2, float64(i)/float64(k.scales)))
		}
		ratios := "1"
		if k.ratios == 3 {
			ratios = ".5, 1, 2"
		}
		out = append(out, Variant{Name: fmt.Sprintf("%dx%d", k.scales, k.ratios), Words: count(k.scales*k.ratios, "anchor") + " at each cell",
			Sets:  []string{"model.anchors.scales=[" + strings.Join(scales, ", ") + "]", "model.anchors.ratios=[" + ratios + "]"},
			Table: tableAnchor, Paper: k.paper})
	}
	for _, k := range [][2]float64{{.4, .3}, {.5, .4}, {.5, .5}, {.6, .4}, {.6, .5}, {.7, .5}} {
		out = append(out, Variant{Name: "iou-" + short(k[0]) + "-" + short(k[1]), Words: fmt.Sprintf("positive from an IoU of %s, background below %s", short(k[0]), short(k[1])),
			Sets: []string{"match.kind=iou", "match.foreground=" + short(k[0]), "match.background=" + short(k[1])}})
	}
	return append(out, Variant{Name: "atss", Words: "thresholds found for each object (Zhang et al. 2020)", Sets: []string{"match.kind=atss"}})
}

// papersSpeed has table 1e of the paper: AP, AP50, AP75 and ms for an image, by depth and short side.
var papersSpeed = map[string][]float64{
	"resnet50-400": {30.5, 47.8, 32.7, 64}, "resnet50-500": {32.5, 50.9, 34.8, 72}, "resnet50-600": {34.3, 53.2, 36.9, 98},
	"resnet50-700": {35.1, 54.2, 37.7, 121}, "resnet50-800": {35.7, 55.0, 38.5, 153},
	"resnet101-400": {31.9, 49.5, 34.1, 81}, "resnet101-500": {34.4, 53.1, 36.8, 90}, "resnet101-600": {36.0, 55.2, 38.7, 122},
	"resnet101-700": {37.1, 56.6, 39.8, 154}, "resnet101-800": {37.8, 57.5, 40.8, 198},
}

// Scales returns variants for each backbone and each short side of images in px. The bound on the long side keeps the proportion of
// long to side. Bounds are rounded up to whole pixels.
func Scales(backbones []string, sides []int, side, long int) []Variant {
	var out []Variant
	for _, b := range backbones {
		for _, s := range sides {
			v := Variant{Name: fmt.Sprintf("%s-%d", b, s), Words: fmt.Sprintf("%s on a short side of %d px", b, s),
				Sets: []string{"model.backbone=" + b, fmt.Sprintf("data.short_sides=[%d]", s), fmt.Sprintf("data.max_side=%d", (s*long+side-1)/side)}}
			if p := papersSpeed[v.Name]; p != nil {
				v.Table, v.Paper = tableSpeed, p[:3]
			}
			out = append(out, v)
		}
	}
	return out
}
