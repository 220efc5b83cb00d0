package interop

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/internal/model/weights"
)

// A model of mmdetection's form: every tensor in its place, no ReLU before P7.
func TestMMDetection(t *testing.T) {
	e := newEngine(t)
	_, ts := foreign(t, e, 80, func(c *config.Model) { c.P6From, c.Anchors.IntegerSizes, c.Anchors.CanvasStrides = "c5", false, false })
	levels := regexp.MustCompile(`^backbone\.fpn\.layer_blocks\.(\d)\.0\.`)
	var there []weights.Tensor
	for _, v := range ts {
		n := v.Name
		switch {
		case strings.HasPrefix(n, "backbone.body."):
			n = "backbone." + strings.TrimPrefix(n, "backbone.body.")
		case strings.HasPrefix(n, "backbone.fpn.inner_blocks."):
			n = "neck.lateral_convs." + n[26:27] + ".conv" + n[29:]
		case levels.MatchString(n):
			n = levels.ReplaceAllString(n, "neck.fpn_convs.$1.conv.")
		}
		n = strings.NewReplacer("backbone.fpn.extra_blocks.p6.", "neck.fpn_convs.3.conv.", "backbone.fpn.extra_blocks.p7.", "neck.fpn_convs.4.conv.",
			"head.classification_head.cls_logits.", "bbox_head.retina_cls.", "head.regression_head.bbox_reg.", "bbox_head.retina_reg.").Replace(n)
		for _, i := range []string{"0", "1"} {
			n = strings.Replace(n, "head.classification_head.conv."+i+".0.", "bbox_head.cls_convs."+i+".conv.", 1)
			n = strings.Replace(n, "head.regression_head.conv."+i+".0.", "bbox_head.reg_convs."+i+".conv.", 1)
		}
		there = append(there, weights.Tensor{Name: n, Shape: v.Shape, Data: v.Data})
	}
	m, err := importFrom(t, there, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Source != "mmdetection" || m.Config.Model.P7ReLU || m.Config.Model.P6From != "c5" || m.Config.Model.Anchors.IntegerSizes || m.Config.Model.Anchors.CanvasStrides || len(m.Categories) != 80 {
		t.Errorf("recognised as %s %+v", m.Source, m.Config.Model)
	}
	if len(m.Tensors) != len(ts) {
		t.Errorf("%d tensors, want %d", len(m.Tensors), len(ts))
	}
	for _, want := range ts {
		got, err := weights.List(m.Tensors).Tensor(want.Name)
		if err != nil || !slices.Equal(got.Data, want.Data) {
			t.Errorf("%s differs (%v)", want.Name, err)
		}
	}
}
