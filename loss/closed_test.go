package loss

import (
	"fmt"
	"math"
	"testing"
)

// The derivatives of Lin et al. 2017, appendix B, written with p_t as they stand there, against the implementation and
// against central differences of the loss, in float64.
func TestAppendixB(t *testing.T) {
	t.Parallel()
	p := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	type at func(xt float64, positive bool) (loss, slope float64)
	type forms struct {
		at   at
		want func(xt float64) float64 // dL/dx over y
	}
	cases := map[string]forms{
		"CE (9)": {Focal{Alpha: -1}.At, func(xt float64) float64 { return p(xt) - 1 }},
	}
	for _, gamma := range []float64{.1, .2, .5, 1, 2, 5} {
		cases[fmt.Sprint("FL (10) ", gamma)] = forms{Focal{-1, gamma}.At, func(xt float64) float64 {
			return math.Pow(1-p(xt), gamma) * (gamma*p(xt)*math.Log(p(xt)) + p(xt) - 1)
		}}
	}
	for _, s := range [][2]float64{{2, 1}, {4, 0}, {1, -2}} {
		cases[fmt.Sprint("FL* (11) ", s)] = forms{FocalStar{-1, s[0], s[1]}.At, func(xt float64) float64 { return p(s[0]*xt+s[1]) - 1 }}
	}
	const h = 1e-5
	for name, c := range cases {
		for xt := -12.; xt <= 12; xt += .25 {
			_, slope := c.at(xt, true)
			if want := c.want(xt); math.Abs(slope-want) > 1e-6*math.Max(1, math.Abs(want)) {
				t.Errorf("%s at %g: slope %.9g, want %.9g", name, xt, slope, want)
			}
			up, _ := c.at(xt+h, true)
			down, _ := c.at(xt-h, true)
			if d := (up - down) / (2 * h); math.Abs(slope-d) > 1e-6*math.Max(1, math.Abs(d)) {
				t.Errorf("%s at %g: slope %.9g, differences give %.9g", name, xt, slope, d)
			}
		}
	}
}

// Alpha weighs FL* as it weighs FL, and Eval is the sum of At.
func TestFocalStarAlpha(t *testing.T) {
	t.Parallel()
	f := FocalStar{.25, 2, 1}
	positive, s := FocalStar{-1, 2, 1}.At(.5, true)
	negative, _ := FocalStar{-1, 2, 1}.At(-.75, false)
	if l, g := f.At(.5, true); l != .25*positive || g != .25*s {
		t.Errorf("a positive: %g %g", l, g)
	}
	if l, _ := f.At(-.75, false); l != .75*negative {
		t.Errorf("a negative: %g", l)
	}
	if got, want := f.Eval(nil, []float32{.5, .75}, []int32{0}), .25*positive+.75*negative; math.Abs(got-want) > 1e-15 {
		t.Errorf("the sum is %g, want %g", got, want)
	}
}
