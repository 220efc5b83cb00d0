package interop

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/internal/model/weights"
)

// inDetectron2 writes a tensor as detectron2 has it: name, order of anchors, B, G, R.
func inDetectron2(t weights.Tensor) weights.Tensor {
	n := t.Name
	for i := 4; i >= 1; i-- {
		n = strings.Replace(n, fmt.Sprintf("backbone.body.layer%d.", i), fmt.Sprintf("backbone.bottom_up.res%d.", i+1), 1)
	}
	n = strings.Replace(n, "backbone.body.conv1.", "backbone.bottom_up.stem.conv1.", 1)
	n = strings.Replace(n, "backbone.body.bn1.", "backbone.bottom_up.stem.conv1.norm.", 1)
	for i := 1; i <= 3; i++ {
		n = strings.Replace(n, fmt.Sprintf(".bn%d.", i), fmt.Sprintf(".conv%d.norm.", i), 1)
	}
	n = strings.Replace(strings.Replace(n, ".downsample.0.", ".shortcut.", 1), ".downsample.1.", ".shortcut.norm.", 1)
	for i := range 3 {
		n = strings.Replace(n, fmt.Sprintf("backbone.fpn.inner_blocks.%d.0.", i), fmt.Sprintf("backbone.fpn_lateral%d.", i+3), 1)
		n = strings.Replace(n, fmt.Sprintf("backbone.fpn.layer_blocks.%d.0.", i), fmt.Sprintf("backbone.fpn_output%d.", i+3), 1)
	}
	n = strings.Replace(n, "backbone.fpn.extra_blocks.", "backbone.top_block.", 1)
	for i := 3; i >= 0; i-- {
		n = strings.Replace(n, fmt.Sprintf("head.classification_head.conv.%d.0.", i), fmt.Sprintf("head.cls_subnet.%d.", 2*i), 1)
		n = strings.Replace(n, fmt.Sprintf("head.regression_head.conv.%d.0.", i), fmt.Sprintf("head.bbox_subnet.%d.", 2*i), 1)
	}
	n = strings.Replace(n, "head.classification_head.cls_logits.", "head.cls_score.", 1)
	n = strings.Replace(n, "head.regression_head.bbox_reg.", "head.bbox_pred.", 1)
	out := weights.Tensor{Name: n, Shape: t.Shape, Data: slices.Clone(t.Data)}
	if strings.HasPrefix(n, "head.cls_score.") || strings.HasPrefix(n, "head.bbox_pred.") {
		size := len(t.Data) / 9
		for ratio := range 3 {
			for scale := range 3 {
				copy(out.Data[(3*scale+ratio)*size:(3*scale+ratio+1)*size], t.Data[(3*ratio+scale)*size:])
			}
		}
	}
	if n == "backbone.bottom_up.stem.conv1.weight" {
		swapRGB(out)
	}
	return out
}

// A model of detectron2's form is the same network: every tensor in its place, every output equal.
func TestDetectron2(t *testing.T) {
	e := newEngine(t)
	original, ts := foreign(t, e, 80, func(c *config.Model) {
		c.Backbone, c.P6From, c.Anchors.IntegerSizes, c.Anchors.CanvasStrides, c.StrideIn1x1 = "resnet50", "c5", false, false, true
	})
	foreignTensors := make([]weights.Tensor, len(ts))
	for i, v := range ts {
		foreignTensors[i] = inDetectron2(v)
	}
	foreignTensors = append(foreignTensors, weights.Tensor{Name: "anchor_generator.cell_anchors.0", Shape: []int{9, 4}, Data: make([]float32, 36)})
	m, err := importFrom(t, foreignTensors, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config
	if m.Source != "detectron2" || c.Model.Backbone != "resnet50" || !c.Model.StrideIn1x1 || c.Model.Anchors.IntegerSizes || c.Model.Anchors.CanvasStrides || c.Model.P6From != "c5" ||
		len(m.Categories) != 80 || m.Categories[79].ID != 90 || math.Abs(float64(c.Data.Mean[0])-.485) > 1e-3 {
		t.Errorf("recognised as %s %+v", m.Source, c.Model)
	}
	if len(m.Tensors) != len(ts) {
		t.Errorf("%d tensors, want %d", len(m.Tensors), len(ts))
	}
	for _, want := range ts {
		got, err := weights.List(m.Tensors).Tensor(want.Name)
		if err != nil || !slices.Equal(got.Data, want.Data) || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s differs (%v)", want.Name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "ours.safetensors")
	if err := m.Save(path, e); err != nil {
		t.Fatal(err)
	}
	ours, _, err := detector.Open(path, e)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	got, want := outputs(t, ours), outputs(t, original)
	for l := range got.Logits {
		if !slices.Equal(got.Logits[l], want.Logits[l]) || !slices.Equal(got.Deltas[l], want.Deltas[l]) {
			t.Errorf("level %d gives other outputs", l)
		}
	}
	// Where the stride is changes what the network computes, not its tensors: it is an option.
	if m, err = importFrom(t, foreignTensors, Options{StrideIn3x3: true}); err != nil || m.Config.Model.StrideIn1x1 {
		t.Errorf("with strides on the 3x3 convolutions: %v", err)
	}
	if _, err = importFrom(t, foreignTensors, Options{Classes: []string{"a"}}); err == nil || !strings.Contains(err.Error(), "80 logits") {
		t.Errorf("one name: %v", err)
	}
}

func TestDetectron2Names(t *testing.T) {
	for from, want := range map[string]string{
		"backbone.bottom_up.res5.2.conv3.norm.running_var": "backbone.body.layer4.2.bn3.running_var",
		"backbone.bottom_up.res3.0.shortcut.weight":        "backbone.body.layer2.0.downsample.0.weight",
		"backbone.fpn_lateral5.bias":                       "backbone.fpn.inner_blocks.2.0.bias",
		"backbone.top_block.p7.weight":                     "backbone.fpn.extra_blocks.p7.weight",
		"head.bbox_subnet.6.weight":                        "head.regression_head.conv.3.0.weight",
		"proposal_generator.anchors":                       "",
	} {
		if got := fromDetectron2(from); got != want {
			t.Errorf("%s: %q, want %q", from, got, want)
		}
	}
}
