package loss

import (
	"math"
	"testing"
)

func TestNormalizer(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]float32{
		"positives": {.1, .1}, "image": {1. / 16, .5}, "ema": {1. / 91, 1. / 91}, "anchors": {1. / 300, 1. / 300},
	} {
		n, err := NewNormalizer(kind)
		if err != nil {
			t.Fatal(err)
		}
		p := []int{8, 2}
		if kind == "image" {
			p[1] = 0 // counts as one
		}
		for i, f := range n.Factors(p, []int{100, 200}) {
			if math.Abs(float64(f-want[i])) > 1e-7 {
				t.Errorf("%s: %g, wants %g", kind, f, want[i])
			}
		}
	}
	if _, err := NewNormalizer("pixels"); err == nil {
		t.Error("unknown normaliser passes")
	}
}
