package lab

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/loss"
)

// Four anchors by hand, at logits whose probabilities are 1/2 and 1/5 (log 4 = 1.386294).
func TestViewByHand(t *testing.T) {
	v := newInspection(2)
	l4 := float32(math.Log(4))
	v.anchor([]float32{-l4, 0}, loss.Background, 0, 0) // p_t .5
	v.anchor([]float32{-9, -8}, loss.Background, 1, 0) // easy
	v.anchor([]float32{-l4, 0}, 0, 1, 40*40)           // p_t .2, medium
	v.anchor([]float32{5, 5}, loss.Ignored, 0, 0)
	v.view.Pictures = 1
	w := v.finish()
	if w.Negatives != 2 || w.Positives != 1 || w.EasyNegatives != 1 || w.PT[0][10] != 1 || w.PT[0][19] != 1 || w.PT[1][4]+w.PT[1][3] != 1 {
		t.Fatalf("%+v", w)
	}
	if w.Levels[0].Negatives != 1 || w.Levels[1].EasyNegatives != 1 || w.Levels[1].Positives != 1 || math.Abs(w.Levels[1].PT-.2) > 1e-6 || w.Sizes[1].Positives != 1 {
		t.Errorf("%+v", w)
	}
	// Gamma 0 with alpha .75: |dL/dx| of an own logit is .75(1-p_t), of another .25 p.
	hard, own := .25*(.2+.5), .75*.8+.25*.5
	simple := .25 * (1/(1+math.Exp(9)) + 1/(1+math.Exp(8)))
	g := w.Gammas[0]
	if all := hard + own + simple; math.Abs(g.NegativeGradient-(hard+simple)/all) > 1e-6 || math.Abs(g.EasyGradient-simple/all) > 1e-6 ||
		math.Abs(w.Sizes[1].Gradient[0]-own/all) > 1e-6 {
		t.Errorf("%+v %+v", g, w.Sizes[1])
	}
	if s := w.String(); !strings.Contains(s, "1.0 anchors of objects and 2.0 of background (1:2), of which 1.0 are easy") {
		t.Error(s)
	}
}

func TestTally(t *testing.T) {
	a := newLossHistogram()
	for _, v := range []float64{3, 0, 1, 0} {
		a.add(v)
	}
	c := a.cumulative()
	want := []Point{{0, 0}, {.5, 0}, {.75, .25}, {1, 1}}
	if len(c) != len(want) {
		t.Fatalf("%v", c)
	}
	for i := range want {
		if c[i] != want[i] {
			t.Errorf("%v, want %v", c, want)
		}
	}
	if newLossHistogram().cumulative() != nil {
		t.Error("a curve of nothing")
	}
}

// at reads a curve.
func at(c []Point, x float64) float64 {
	for i := 1; i < len(c); i++ {
		if c[i].X >= x {
			a, b := c[i-1], c[i]
			return a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X)
		}
	}
	return 1
}

// The shape of figure 4: logits as of a trained model, background around p .02 with a tail, objects widely spread. The
// smallest nine tenths of the background have less of the loss, the larger gamma; for objects gamma changes little.
func TestFigure4(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	v := newInspection(1)
	for range 20000 {
		v.anchor([]float32{float32(-4 + 1.5*r.NormFloat64())}, loss.Background, 0, 0)
	}
	for range 200 {
		v.anchor([]float32{float32(-.5 + 1.5*r.NormFloat64())}, 0, 0, 2000)
	}
	v.view.Pictures = 1
	w := v.finish()
	before, easyBefore := 2., 2.
	for _, g := range w.Gammas {
		low := at(g.Negative, .9)
		if low >= before || g.EasyGradient >= easyBefore {
			t.Errorf("gamma %g: the smallest 90%% of the background have %g of the loss, its easy part %g of the gradient; not less than before", g.Gamma, low, g.EasyGradient)
		}
		before, easyBefore = low, g.EasyGradient
		last := Point{}
		for _, p := range g.Negative {
			if p.X < last.X || p.Y < last.Y || p.Y > p.X+1e-9 {
				t.Fatalf("gamma %g: %v after %v: a cumulative curve rises, below the diagonal", g.Gamma, p, last)
			}
			last = p
		}
	}
	first, last := w.Gammas[0], w.Gammas[3]
	if d := math.Abs(at(first.Positive, .8) - at(last.Positive, .8)); d > .3 {
		t.Errorf("objects: %g of the loss more or less in the smallest 80%%", d)
	}
	if at(first.Negative, .9) < .3 || at(last.Negative, .9) > .1 {
		t.Errorf("background: gamma 0 %g, gamma 2 %g", at(first.Negative, .9), at(last.Negative, .9))
	}
}
