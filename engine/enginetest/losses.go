package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/engine"
)

// levelLosses are an engine's, for a loss that it may lack.
func levelLosses(t testing.TB, e engine.Engine, op engine.Op) engine.LevelLosses {
	t.Helper()
	k, ok := engine.As[engine.LevelLosses](e, op)
	if !ok {
		t.Skip("this engine leaves the loss to the host")
	}
	return k
}

// focal is the loss of one logit and its derivative in float64, from the formulas (Lin et al. 2017, eq. 5).
func focal(x float64, object bool, p engine.FocalParams) (loss, slope float64) {
	alpha, sign := 1-float64(p.Alpha), 1.
	if object {
		alpha, sign = float64(p.Alpha), -1
	}
	if p.Alpha < 0 {
		alpha = 1
	}
	x *= sign // what remains is the loss of "no object"
	softplus := math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	log := math.Min(x, 0) - math.Log1p(math.Exp(-math.Abs(x))) // of the sigmoid
	w, g := math.Exp(float64(p.Gamma)*log), float64(p.Gamma)
	return alpha * w * softplus, sign * alpha * w * (g*math.Exp(log-x)*softplus + math.Exp(log))
}

// All powers against the formulas, in runs of every length around a vector's, with every kind of label; gradients against
// central differences of the formulas.
func focalLoss(t *testing.T, open Open) {
	e := open(t)
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: -1, Gamma: 2}, {Alpha: .25}, {Alpha: .6, Gamma: 1.5}, {Alpha: .25, Gamma: .3}} {
		for _, s := range [][3]int{{1, 1, 1}, {2, 7, 3}, {1, 40, 17}, {2, 700, 5}, {2, 600, 80}} {
			n, anchors, classes := s[0], s[1], s[2]
			r := rand.New(rand.NewPCG(1, uint64(anchors)))
			x, labels := Normal(r, n*anchors*classes), make([]int32, n*anchors)
			for i := range x {
				x[i] *= 4
			}
			for i := range labels {
				if labels[i] = -1; i%5 == 0 {
					labels[i] = int32(r.IntN(classes+2)) - 2
				}
			}
			norm, up := []float32{.5, 2}[:n], float32(1.5)
			want, total := make([]float64, len(x)), 0.
			for i, v := range x {
				label := labels[i/classes]
				if label == -2 {
					continue
				}
				object := int(label) == i%classes
				l, g := focal(float64(v), object, p)
				const h = 1e-5
				above, _ := focal(float64(v)+h, object, p)
				below, _ := focal(float64(v)-h, object, p)
				if d := (above - below) / (2 * h); math.Abs(d-g) > 1e-6*math.Max(1, math.Abs(g)) {
					t.Fatalf("%+v at %g: the formula's slope is %g, the difference's %g", p, v, g, d)
				}
				scale := float64(norm[i/classes/anchors])
				total += scale * l
				want[i] = float64(up) * scale * g
			}
			name := fmt.Sprint(p, s)
			of := levelLosses(t, e, p)
			ld, xd, nd := Put(t, e, labels, n, anchors), Put(t, e, x, n, anchors, classes), Put(t, e, norm, n)
			loss, grad := Put(t, e, nil, 1), Put(t, e, Filled(len(x), 7), n, anchors, classes)
			Must(t, of.FocalLoss(loss, xd, ld, nd, p))
			Must(t, of.FocalLossGrad(grad, xd, ld, nd, Put(t, e, []float32{up}, 1), p))
			AlmostEqual(t, name+" loss", Get(t, e, loss), []float64{total}, 2e-6)
			AlmostEqual(t, name+" gradient", Get(t, e, grad), want, 2e-6)
			e.Release(ld, xd, nd, loss, grad)
		}
	}
}

// Far logits cost what their distance is, with finite slopes; a NaN stays one.
func focalFarLogits(t *testing.T, open Open) {
	e := open(t)
	nan := float32(math.NaN())
	x := []float32{1e4, -1e4, 100, -100, 88, -88, 0, nan}
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: .25}, {Alpha: .25, Gamma: 1.5}} {
		of := levelLosses(t, e, p)
		for label := range int32(2) { // class 0, or background
			label = -label
			for _, v := range x {
				ld := Put(t, e, []int32{label}, 1, 1)
				loss, grad, xd, ones := Put(t, e, nil, 1), Put(t, e, nil, 1, 1, 1), Put(t, e, []float32{v}, 1, 1, 1), Put(t, e, []float32{1}, 1)
				Must(t, of.FocalLoss(loss, xd, ld, ones, p))
				Must(t, of.FocalLossGrad(grad, xd, ld, ones, ones, p))
				l, g := focal(float64(v), label == 0, p)
				for what, got := range map[string][2]float64{"loss": {float64(Get(t, e, loss)[0]), l}, "slope": {float64(Get(t, e, grad)[0]), g}} {
					if v != v && got[0] == got[0] || v == v && !(math.Abs(got[0]-got[1]) <= 2e-6*math.Abs(got[1])+1e-30) {
						t.Errorf("%+v, label %d: %s at %g is %g, want %g", p, label, what, v, got[0], got[1])
					}
				}
			}
		}
	}
}

// A NaN among logits makes the loss one, and its own slope; the slopes around it are what they were, wherever it is in a vector.
func focalNaN(t *testing.T, open Open) {
	e := open(t)
	const n = 40
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: .25}, {Alpha: .25, Gamma: 1.5}} {
		of := levelLosses(t, e, p)
		slopes := func(x []float32) (float32, []float32) {
			labels := make([]int32, n)
			for i := range labels {
				labels[i] = -1
			}
			ld := Put(t, e, labels, 1, n)
			loss, grad, xd, ones := Put(t, e, nil, 1), Put(t, e, nil, 1, n, 1), Put(t, e, x, 1, n, 1), Put(t, e, []float32{1}, 1)
			defer e.Release(ld, loss, grad, xd, ones)
			Must(t, of.FocalLoss(loss, xd, ld, ones, p))
			Must(t, of.FocalLossGrad(grad, xd, ld, ones, ones, p))
			return Get(t, e, loss)[0], Get(t, e, grad)
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i-n/2) / 3
		}
		_, want := slopes(x)
		for at := range x {
			y := slices.Clone(x)
			y[at] = float32(math.NaN())
			loss, got := slopes(y)
			if loss == loss || got[at] == got[at] {
				t.Errorf("%+v: a NaN at %d has a loss of %g and a slope of %g", p, at, loss, got[at])
			}
			got[at] = want[at]
			if !slices.Equal(got, want) {
				t.Errorf("%+v: a NaN at %d changes other slopes", p, at)
			}
		}
	}
}
