package loss

import (
	"fmt"
	"math"
	"testing"
)

// The loss and its derivative written with p_t (Leng et al. 2022, eq. 6), against the implementation and against central differences.
func TestPolyFocal(t *testing.T) {
	t.Parallel()
	p := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	const h = 1e-5
	for _, f := range []PolyFocal{{Gamma: 2, Epsilon: -1}, {Gamma: 2, Epsilon: 3}, {Epsilon: 1}, {Gamma: .5, Epsilon: -.5}, {Alpha: .25, Gamma: 2, Epsilon: -1}} {
		for _, positive := range []bool{true, false} {
			a := 1.0
			if f.Alpha > 0 {
				a = f.Alpha
				if !positive {
					a = 1 - f.Alpha
				}
			}
			for xt := -12.; xt <= 12; xt += .25 {
				name := fmt.Sprintf("%+v, positive %v, at %g", f, positive, xt)
				q := 1 - p(xt)
				want := a * (-math.Pow(q, f.Gamma)*math.Log(p(xt)) + f.Epsilon*math.Pow(q, f.Gamma+1))
				l, slope := f.At(xt, positive)
				if math.Abs(l-want) > 1e-9*math.Max(1, math.Abs(want)) {
					t.Errorf("%s: %.12g, want %.12g", name, l, want)
				}
				up, _ := f.At(xt+h, positive)
				down, _ := f.At(xt-h, positive)
				if d := (up - down) / (2 * h); math.Abs(slope-d) > 1e-6*math.Max(1, math.Abs(d)) {
					t.Errorf("%s: slope %.9g, differences give %.9g", name, slope, d)
				}
			}
		}
	}
}

// At logit 0 and gamma 2 the first term is epsilon/8, and cross entropy with epsilon 1 costs ln 2 + 1/2 (Poly-1, section 4).
func TestPolyFocalByHand(t *testing.T) {
	t.Parallel()
	if l, _ := (PolyFocal{Gamma: 2, Epsilon: -1}).At(0, true); math.Abs(l-(math.Ln2/4-1./8)) > 1e-15 {
		t.Errorf("gamma 2: %g", l)
	}
	if l, slope := (PolyFocal{Epsilon: 1}).At(0, true); math.Abs(l-(math.Ln2+.5)) > 1e-15 || math.Abs(slope+.75) > 1e-15 {
		t.Errorf("gamma 0: %g with slope %g", l, slope)
	}
	if a, b := (PolyFocal{Alpha: .25, Gamma: 2}).Eval(nil, []float32{1, -2}, []int32{1}), (Focal{Alpha: .25, Gamma: 2}).Eval(nil, []float32{1, -2}, []int32{1}); a != b {
		t.Errorf("epsilon 0 gives %g, the focal loss %g", a, b)
	}
}

// Far logits give finite numbers, ignored rows nothing.
func TestPolyFocalExtremes(t *testing.T) {
	t.Parallel()
	f := PolyFocal{Gamma: 2, Epsilon: -1}
	grad := make([]float32, 6)
	l := f.Eval(grad, []float32{1e4, -1e4, 1e4, -1e4, 3, 3}, []int32{0, Background, Ignored})
	if math.IsInf(l, 0) || math.IsNaN(l) || math.Abs(l-(1e4-1)) > 1e-6 {
		t.Errorf("the loss is %g", l) // of one logit that is wrong by 1e4: softplus(1e4) - 1
	}
	for i, g := range grad {
		if v := float64(g); math.IsNaN(v) || math.IsInf(v, 0) || i >= 4 && g != 0 {
			t.Errorf("gradient %d is %g", i, g)
		}
	}
	if l := f.Eval(nil, nil, nil); l != 0 {
		t.Errorf("no rows cost %g", l)
	}
}
