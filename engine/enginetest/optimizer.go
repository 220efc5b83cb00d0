package enginetest

import (
	"math"
	"math/rand/v2"
	"testing"

	"retinago/engine"
)

// One step of each optimiser against the formulas in float64.
func optimizers(t *testing.T, open Open) {
	e := open(t)
	r := rand.New(rand.NewPCG(4, 4))
	const n = 1003
	w, m, v, g := Normal(r, n), Normal(r, n), Normal(r, n), Normal(r, n)
	for i := range v {
		v[i] *= v[i]
	}
	gd := Put(t, e, g, n)
	for _, nesterov := range []bool{false, true} {
		p := engine.SGDParams{LR: .1, Momentum: .9, Decay: .01, Scale: .5, Nesterov: nesterov}
		wd, md := Put(t, e, w, n), Put(t, e, m, n)
		Must(t, e.SGD(wd, md, gd, p))
		wantW, wantM := make([]float64, n), make([]float64, n)
		for i := range wantW {
			d := .5*float64(g[i]) + .01*float64(w[i])
			wantM[i] = .9*float64(m[i]) + d
			step := wantM[i]
			if nesterov {
				step = d + .9*wantM[i]
			}
			wantW[i] = float64(w[i]) - .1*step
		}
		AlmostEqual(t, "SGD momentum", Get(t, e, md), wantM, 1e-5)
		AlmostEqual(t, "SGD weights", Get(t, e, wd), wantW, 1e-5)
	}
	for _, decoupled := range []bool{false, true} {
		p := engine.AdamParams{LR: .01, Beta1: .9, Beta2: .999, Eps: 1e-8, Decay: .1, Scale: .5, Step: 7, Decoupled: decoupled}
		wd, md, vd := Put(t, e, w, n), Put(t, e, m, n), Put(t, e, v, n)
		Must(t, e.Adam(wd, md, vd, gd, p))
		wantW, wantM, wantV := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range wantW {
			d, x := .5*float64(g[i]), float64(w[i])
			if decoupled {
				x -= .01 * .1 * x
			} else {
				d += .1 * x
			}
			wantM[i] = .9*float64(m[i]) + .1*d
			wantV[i] = .999*float64(v[i]) + .001*d*d
			mh, vh := wantM[i]/(1-math.Pow(.9, 7)), wantV[i]/(1-math.Pow(.999, 7))
			wantW[i] = x - .01*mh/(math.Sqrt(vh)+1e-8)
		}
		AlmostEqual(t, "Adam m", Get(t, e, md), wantM, 1e-5)
		AlmostEqual(t, "Adam v", Get(t, e, vd), wantV, 1e-5)
		AlmostEqual(t, "Adam weights", Get(t, e, wd), wantW, 1e-5)
	}
	wd := Put(t, e, w, n)
	Must(t, e.Lerp(wd, gd, .25))
	want := make([]float64, n)
	for i := range want {
		want[i] = .75*float64(w[i]) + .25*float64(g[i])
	}
	AlmostEqual(t, "Lerp", Get(t, e, wd), want, 1e-6)
}

func sumSquares(t *testing.T, open Open) {
	e := open(t)
	x := Filled(1_000_003, 1e-3)
	x[0] = 1e4 // a sum in float32 would lose the rest
	if got, err := e.SumSquares(Put(t, e, x, len(x))); err != nil || math.Abs(got-(1e8+1.000002)) > 1e-2 {
		t.Errorf("%g, %v", got, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(-1)} {
		x[777_777] = float32(bad)
		if got, err := e.SumSquares(Put(t, e, x, len(x))); err != nil || !(math.IsNaN(got) || math.IsInf(got, 0)) {
			t.Errorf("with %g: %g, %v", bad, got, err)
		}
	}
}
