package interop

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/internal/model/weights"
)

// Files whose shapes make no network end with a word, before memory is taken for one.
func TestHostileShapes(t *testing.T) {
	e := newEngine(t)
	_, whole := foreign(t, e, 3, nil)
	for name, k := range map[string]struct {
		change func(map[string]weights.Tensor)
		want   string
	}{
		"no logits": {func(m map[string]weights.Tensor) {
			m["head.classification_head.cls_logits.weight"] = weights.Tensor{Shape: []int{0, 16, 3, 3}}
		}, "cls_logits.weight"},
		"terabytes of nothing": {func(m map[string]weights.Tensor) {
			m["backbone.fpn.inner_blocks.0.0.weight"] = weights.Tensor{Shape: []int{1 << 40, 0, 1, 1}}
		}, "inner_blocks.0.0.weight"},
		"logits of nothing": {func(m map[string]weights.Tensor) {
			m["head.classification_head.cls_logits.weight"] = weights.Tensor{Shape: []int{9 << 40, 0, 3, 3}}
		}, "cls_logits.weight"},
		"a scalar for biases": {func(m map[string]weights.Tensor) {
			m["head.classification_head.cls_logits.bias"] = weights.Tensor{Shape: []int{}, Data: []float32{1}}
		}, "cls_logits.bias"},
		"too few biases": {func(m map[string]weights.Tensor) {
			m["head.classification_head.cls_logits.bias"] = weights.Tensor{Shape: []int{1}, Data: []float32{1}}
		}, "biases"},
		"a wide backbone": {func(m map[string]weights.Tensor) {
			m["backbone.body.conv1.weight"] = weights.Tensor{Shape: []int{1 << 20, 1, 1, 1}, Data: make([]float32, 1<<20)}
		}, "backbone"},
	} {
		changed := map[string]weights.Tensor{}
		for _, w := range whole {
			changed[w.Name] = w
		}
		k.change(changed)
		var ts []weights.Tensor
		for _, n := range slices.Sorted(maps.Keys(changed)) {
			w := changed[n]
			w.Name = n
			ts = append(ts, w)
		}
		m, err := importFrom(t, ts, Options{})
		if err == nil {
			err = m.Save(filepath.Join(t.TempDir(), "w.safetensors"), e)
		}
		if err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v; want %q", name, err, k.want)
		}
	}
}
