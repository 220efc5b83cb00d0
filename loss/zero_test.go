package loss

import (
	"math"
	"testing"
)

// The zero Alpha disables weighting: an object at logit 0 costs ln 2 under cross entropy, a quarter of that with gamma 2.
func TestZeroAlpha(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		zero, negative Class
		want           float64 // of an object at logit 0
	}{
		{"cross entropy", CrossEntropy{}, CrossEntropy{Alpha: -1}, math.Ln2},
		{"focal", Focal{Gamma: 2}, Focal{Alpha: -1, Gamma: 2}, math.Ln2 / 4},
		{"focal star", FocalStar{Gamma: 2}, FocalStar{Alpha: -1, Gamma: 2}, math.Ln2 / 2},
	} {
		if got := c.zero.Eval(nil, []float32{0}, []int32{0}); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: an object costs %g, want %g", c.name, got, c.want)
		}
		logits, labels := []float32{.5, -3, 2, 1}, []int32{1, Background}
		g, h := make([]float32, 4), make([]float32, 4)
		if a, b := c.zero.Eval(g, logits, labels), c.negative.Eval(h, logits, labels); a != b {
			t.Errorf("%s: %g without an Alpha, %g with a negative one", c.name, a, b)
		}
		for i := range g {
			if g[i] != h[i] {
				t.Errorf("%s: gradient %d is %g without an Alpha, %g with a negative one", c.name, i, g[i], h[i])
			}
		}
	}
}
