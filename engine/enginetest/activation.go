package enginetest

import (
	"fmt"
	"math"
	"testing"

	"retinago/engine"
)

// activations tests each against engine.Activation.Value, also far from 0 and for NaN, and its gradient against central differences.
func activations(t *testing.T, open Open) {
	e := open(t)
	var x []float32
	for i := range 403 { // a multiple of no vector
		x = append(x, float32(i-201)/16+.01)
	}
	x = append(x, -1e4, 1e4, float32(math.NaN()))
	for _, a := range engine.Activations {
		xd, y, dx := Put(t, e, x, len(x)), Put(t, e, Filled(len(x), 7), len(x)), Put(t, e, Filled(len(x), 7), len(x))
		Must(t, e.Activate(y, xd, a.Activation))
		v := xd
		if a.ByOutput() {
			v = y
		}
		Must(t, e.ActivateGrad(dx, Put(t, e, Filled(len(x), 2), len(x)), v, a.Activation))
		values, slopes := Get(t, e, y), Get(t, e, dx)
		for i, at := range x {
			want := float64(a.Value(at))
			if got := float64(values[i]); !(math.Abs(got-want) <= 1e-6*math.Max(1, math.Abs(want)) || got != got && want != want) {
				t.Errorf("%s(%g) is %g, want %g", a.Name, at, got, want)
			}
			if at-at != 0 || math.Abs(float64(at)) > 1e3 {
				continue
			}
			const h = 1. / 256
			want = (float64(a.Value(at+h)) - float64(a.Value(at-h))) / h // times the gradient of 2
			if got := float64(slopes[i]); math.Abs(got-want) > 2e-3 {
				t.Errorf("%s: the slope at %g times 2 is %g, the difference's %g", a.Name, at, got, want)
			}
		}
		e.Release(xd, y, dx)
	}
	for _, n := range numbers {
		y := Put(t, e, nil, 1)
		Must(t, e.Activate(y, Put(t, e, []float32{n.x}, 1), n.a))
		AlmostEqual(t, fmt.Sprintf("%+v(%g)", n.a, n.x), Get(t, e, y), []float64{n.y}, 1e-6)
	}
}

// numbers are values by hand.
var numbers = []struct {
	a engine.Activation
	x float32
	y float64
}{
	{engine.SiLU, 1, 0.7310585786300049}, // 1/(1+1/e)
	{engine.SiLU, -1, -0.2689414213699951},
	{engine.ReLU6, 7, 6}, // Howard et al. 2017: min(max(x, 0), 6)
}
