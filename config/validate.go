package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"retinago/anchors"
	"retinago/backbone"
	"retinago/engine"
	"retinago/internal/kinds"
	"retinago/loss"
	"retinago/nms"
)

// Validate checks every value and joins the errors, each with the key, the value and the allowed values. It does not read files.
func (c Config) Validate() error {
	var v check
	v.model(c.Model)
	v.data(c.Data)
	v.match(c.Match)
	v.loss(c.Loss)
	v.classLosses(c.Loss, len(c.Model.Classes))
	if kind, err := loss.Find(c.Loss.Kind); err == nil && kind.Background != c.Model.Background {
		v.fail("model.background", c.Model.Background, "%v with loss.kind %s", kind.Background, c.Loss.Kind)
	}
	v.train(c.Train)
	v.infer(c.Infer)
	if len(v) == 0 {
		return nil
	}
	return joined(v)
}

// check collects errors.
type check []error

func (v *check) fail(key string, got any, want string, a ...any) {
	if s, ok := got.(string); ok {
		got = brief(s)
	}
	*v = append(*v, fmt.Errorf("%s is %v, want %s", key, got, fmt.Sprintf(want, a...)))
}

func (v *check) oneOf(key, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		for i, a := range allowed {
			if a == "" {
				allowed[i] = `""`
			}
		}
		v.fail(key, got, "one of %s", strings.Join(allowed, ", "))
	}
}

// span checks that lo <= got <= hi; NaN is an error.
func (v *check) span(key string, got, lo, hi float64) {
	if !(got >= lo && got <= hi) {
		v.fail(key, got, "%v to %v", lo, hi)
	}
}

// positive checks that a number is above 0 and at most a bound.
func (v *check) positive(key string, got, most float64) {
	if !(got > 0 && got <= most) {
		v.fail(key, got, "a finite number above 0, up to %v", most)
	}
}

func (v *check) count(key string, got, lo, hi int) {
	if got < lo || got > hi {
		v.fail(key, got, "%d to %d", lo, hi)
	}
}

// length reports whether a list has at most most values. The values of a longer list are not checked.
func (v *check) length(key string, got, most int) bool {
	if got > most {
		*v = append(*v, fmt.Errorf("%s has %d values, want at most %d", key, got, most))
	}
	return got <= most
}

// text checks that a text has at most so many bytes.
func (v *check) text(key, got string, most int) {
	if len(got) > most {
		*v = append(*v, fmt.Errorf("%s has %d bytes, want at most %d", key, len(got), most))
	}
}

func (v *check) model(m Model) {
	v.oneOf("model.backbone", m.Backbone, kinds.Names(backbone.Kinds)...)
	v.backbone(m)
	v.oneOf("model.pyramid", m.Pyramid, "fpn", "pafpn")
	v.oneOf("model.norm", m.Norm, "frozen", "batch", "group")
	v.count("model.frozen_stages", m.FrozenStages, 0, 5)
	v.count("model.fpn_width", m.FPNWidth, 1, maxFPNWidth)
	v.oneOf("model.p6_from", m.P6From, "c5", "p5")
	v.count("model.head_depth", m.HeadDepth, 0, 16)
	v.oneOf("model.head_norm", m.HeadNorm, "", "group")
	activations := []string{""}
	for _, a := range engine.Activations {
		activations = append(activations, a.Name)
	}
	v.oneOf("model.head_activation", m.HeadActivation, activations...)
	if !(m.Prior > 0 && m.Prior < 1) {
		v.fail("model.prior", m.Prior, "between 0 and 1, both excluded")
	}
	a := m.Anchors
	// Each level is half of the one before: the network's own.
	want, levels := []int{8, 16, 32, 64, 128}, "P3-P7"
	if m.P2 {
		want, levels = append([]int{4}, want...), "P2-P7"
	}
	if !slices.Equal(a.Strides, want) {
		v.fail("model.anchors.strides", abridged(a.Strides), "%v, which the pyramid %s has (model.p2 is %v)", want, levels, m.P2)
	}
	v.list("model.anchors.sizes", a.Sizes, len(want))
	if len(a.Sizes) != len(a.Strides) {
		v.fail("model.anchors.sizes", abridged(a.Sizes), "%d values, one per stride", len(a.Strides))
	}
	v.list("model.anchors.scales", a.Scales, maxAnchors)
	v.list("model.anchors.ratios", a.Ratios, maxAnchors)
	if a.IntegerSizes && len(a.Sizes) > 0 && len(a.Scales) > 0 && slices.Min(a.Sizes)*slices.Min(a.Scales) < 1 {
		v.fail("model.anchors.sizes", abridged(a.Sizes), "sizes*scales of at least 1 with integer_sizes")
	}
	v.classes(m)
}

// backbone checks the settings that only some backbones have.
func (v *check) backbone(m Model) {
	kind, err := backbone.Find(m.Backbone)
	if err != nil { // reported already
		kind = backbone.Kind{NormGroups: 1, Slope: true}
	}
	if w := m.BackboneWidth; w < 0 || w > 1024 || w%8 != 0 {
		v.fail("model.backbone_width", w, "a multiple of 8 up to 1024, or 0 for the paper's")
	} else if m.Norm == "group" && w%kind.NormGroups != 0 {
		v.fail("model.backbone_width", w, "a multiple of %d, the groups of model.norm group", kind.NormGroups)
	}
	if kind.FixedWidth && m.BackboneWidth != kind.Width && m.BackboneWidth != 0 {
		v.fail("model.backbone_width", m.BackboneWidth, "%d for %s", kind.Width, m.Backbone)
	}
	v.span("model.leaky_slope", m.LeakySlope, 0, 1)
	if m.LeakySlope != 0 && !kind.Slope {
		var have []string
		for _, k := range backbone.Kinds {
			if k.Slope {
				have = append(have, k.Name)
			}
		}
		v.fail("model.leaky_slope", m.LeakySlope, "0 for %s: it is of %s", m.Backbone, strings.Join(have, ", "))
	}
}

// classes checks names and ids.
func (v *check) classes(m Model) {
	if !v.length("model.classes", len(m.Classes), MaxClasses) || !v.length("model.category_ids", len(m.CategoryIDs), MaxClasses) {
		return
	}
	if out := m.Anchors.PerCell() * max(len(m.Classes), 1); out > maxOutputs {
		*v = append(*v, fmt.Errorf("model.classes has %d values and a cell %d anchors, want a product of at most %d", len(m.Classes), m.Anchors.PerCell(), maxOutputs))
	}
	names, bytes := map[string]int{}, 0
	for i, name := range m.Classes {
		key := fmt.Sprintf("model.classes[%d]", i)
		if strings.TrimSpace(name) == "" {
			v.fail(key, name, "a name")
		} else if first, again := names[name]; again {
			v.fail(key, name, "a name of its own: model.classes[%d] has it", first)
		} else {
			names[name] = i
		}
		v.text(key, name, maxName)
		bytes += len(name)
	}
	if bytes > maxNames {
		*v = append(*v, fmt.Errorf("model.classes has names of %d bytes in all, want at most %d", bytes, maxNames))
	}
	if n := len(m.CategoryIDs); n > 0 && n != len(m.Classes) {
		v.fail("model.category_ids", abridged(m.CategoryIDs), "none, or one per class (%d)", len(m.Classes))
	}
	ids := map[int64]int{}
	for i, id := range m.CategoryIDs {
		if first, again := ids[id]; again {
			v.fail(fmt.Sprintf("model.category_ids[%d]", i), id, "an id of its own: model.category_ids[%d] has it", first)
		} else {
			ids[id] = i
		}
	}
}

// list checks that there are 1 to most values, each within the bounds for anchors.
func (v *check) list(key string, got []float64, most int) {
	if len(got) == 0 {
		v.fail(key, got, "at least one value")
	}
	if !v.length(key, len(got), most) {
		return
	}
	for i, x := range got {
		v.span(fmt.Sprintf("%s[%d]", key, i), x, minExtent, maxExtent)
	}
}

func (v *check) data(d Data) {
	v.set("data.train", d.Train)
	v.set("data.val", d.Val)
	v.span("data.val_share", d.ValShare, 0, .5)
	if d.ValShare > 0 && d.Val.Source != "" {
		v.fail("data.val_share", d.ValShare, "0 where data.val.source names a dataset (%s)", brief(d.Val.Source))
	}
	v.selection(d)
	if len(d.ShortSides) == 0 {
		v.fail("data.short_sides", d.ShortSides, "at least one value in px")
	}
	if v.length("data.short_sides", len(d.ShortSides), maxSides) {
		for i, s := range d.ShortSides {
			v.count(fmt.Sprintf("data.short_sides[%d]", i), s, 16, MaxSide)
			if s > d.MaxSide {
				v.fail(fmt.Sprintf("data.short_sides[%d]", i), s, "at most data.max_side (%d)", d.MaxSide)
			}
		}
	}
	v.count("data.max_side", d.MaxSide, 16, MaxSide)
	if d.CanvasMultiple < 1 || d.CanvasMultiple%32 != 0 || d.CanvasMultiple > MaxSide {
		v.fail("data.canvas_multiple", d.CanvasMultiple, "a multiple of 32, the stride of C5, up to %d", MaxSide)
	}
	v.text("data.root", d.Root, maxPath)
	v.text("data.sampler", d.Sampler, maxName) // package data knows the names
	if !(d.RepeatThreshold > 0 && d.RepeatThreshold <= 1) {
		v.fail("data.repeat_threshold", d.RepeatThreshold, "above 0, at most 1")
	}
	v.span("data.flip", d.Flip, 0, 1)
	v.augment(d.Augment)
	v.span("data.min_visible", d.MinVisible, 0, 1)
	for i := range d.Mean {
		v.span(fmt.Sprintf("data.mean[%d]", i), float64(d.Mean[i]), 0, 1)
		v.span(fmt.Sprintf("data.std[%d]", i), float64(d.Std[i]), 1e-6, 1e6)
	}
	v.count("data.workers", d.Workers, 0, 1024)
}

// selection checks the classes that are learned and their new names. Whether a dataset has them shows when it is read.
func (v *check) selection(d Data) {
	if !v.length("data.classes", len(d.Classes), MaxClasses) || !v.length("data.rename", len(d.Rename), MaxClasses) {
		return
	}
	bytes := 0
	for i, name := range d.Classes {
		key := fmt.Sprintf("data.classes[%d]", i)
		if strings.TrimSpace(name) == "" {
			v.fail(key, name, "a name")
		}
		v.text(key, name, maxName)
		bytes += len(name)
	}
	for i, r := range d.Rename {
		key := fmt.Sprintf("data.rename[%d]", i)
		if from, to, ok := strings.Cut(r, "="); !ok || strings.TrimSpace(from) == "" || strings.TrimSpace(to) == "" {
			v.fail(key, r, "OLD=NEW, such as car=vehicle")
		}
		v.text(key, r, 2*maxName+1)
		bytes += len(r)
	}
	if bytes > maxSelected {
		*v = append(*v, fmt.Errorf("data.classes and data.rename have names of %d bytes in all, want at most %d", bytes, maxSelected))
	}
}

func (v *check) augment(list Augment) {
	if !v.length("data.augment", len(list), maxPolicies) {
		return
	}
	for i, p := range list {
		key := fmt.Sprintf("data.augment[%d]", i)
		for _, err := range p.Check() {
			*v = append(*v, fmt.Errorf("%s: %w", key, err))
		}
	}
}

func (v *check) set(key string, s Set) {
	v.text(key+".source", s.Source, maxPath)
	v.text(key+".images", s.Images, maxPath)
	v.text(key+".split", s.Split, maxPath)
	v.text(key+".classes", s.Classes, maxPath)
	v.oneOf(key+".format", s.Format, "", "coco", "voc", "yolo", "csv", "openimages")
	v.oneOf(key+".difficult", s.Difficult, "", "crowd", "keep", "drop")
}

func (v *check) match(m Match) {
	v.oneOf("match.kind", m.Kind, kinds.Names(anchors.Kinds)...)
	v.count("match.top_k", m.TopK, 1, 1000)
	if !(m.Foreground > 0 && m.Foreground <= 1) {
		v.fail("match.foreground", m.Foreground, "above 0, at most 1")
	}
	if !(m.Background >= 0 && m.Background <= m.Foreground) {
		v.fail("match.background", m.Background, "0 to match.foreground (%v)", m.Foreground)
	}
	v.positive("match.crowd_iof", m.CrowdIoF, maxScale)
}

func (v *check) loss(l Loss) {
	v.oneOf("loss.kind", l.Kind, kinds.Names(loss.Kinds)...)
	kind, err := loss.Find(l.Kind)
	for _, p := range loss.KeyRanges {
		own, reads := kind.Param(p.Key)
		switch got := number(l, p.Key); {
		case !p.Holds(got):
			v.fail("loss."+p.Key, shownNumber(l, p.Key), "%s", p.Range())
		case err == nil && reads && !own.Holds(got):
			v.fail("loss."+p.Key, shownNumber(l, p.Key), "%s with loss.kind %s", own.Range(), l.Kind)
		}
	}
	v.oneOf("loss.box", l.Box, kinds.Names(loss.BoxKinds)...)
	v.span("loss.beta", l.Beta, 0, maxScale)
	v.span("loss.box_weight", l.BoxWeight, 0, maxScale)
	v.oneOf("loss.normalizer", l.Normalizer, kinds.Names(loss.Normalizers)...)
}

// number returns the value of a class loss's setting by its key.
func number(l Loss, key string) float64 {
	f, ok := find(reflect.ValueOf(l), key)
	switch {
	case !ok:
		panic("config: package loss has a range for " + key + ", which is no setting")
	case f.CanInt():
		return float64(f.Int())
	}
	return f.Float()
}

// shownNumber returns the value as errors have it.
func shownNumber(l Loss, key string) any {
	f, _ := find(reflect.ValueOf(l), key)
	return f.Interface()
}

func (v *check) infer(i Infer) {
	// A threshold of 1 excludes everything, and its logit is infinite.
	if !(i.Score >= 0 && i.Score < 1) {
		v.fail("infer.score", i.Score, "0 to below 1")
	}
	v.oneOf("infer.method", i.Method, kinds.Names(nms.Kinds)...)
	v.span("infer.nms", i.NMS, 0, 1)
	v.count("infer.top_k", i.TopK, 1, math.MaxInt32)
	v.count("infer.max_detections", i.MaxDetections, 1, math.MaxInt32)
}
