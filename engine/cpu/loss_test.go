package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

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
// central differences of the formulas; losses and gradients are the same whatever the threads.
func TestFocal(t *testing.T) {
	one, two := start(t, Options{Threads: 1}), start(t, Options{Threads: 2})
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: -1, Gamma: 2}, {Alpha: .25}, {Alpha: .6, Gamma: 1.5}, {Alpha: .25, Gamma: .3}} {
		for _, s := range [][3]int{{1, 1, 1}, {2, 7, 3}, {1, 40, 17}, {2, 700, 5}, {2, 600, 80}} {
			n, anchors, classes := s[0], s[1], s[2]
			r := rand.New(rand.NewPCG(1, uint64(anchors)))
			x, labels := normal(r, n*anchors*classes), make([]int32, n*anchors)
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
			var losses, grads [2][]float32
			for i, e := range []*Engine{one, two} {
				ld, err := e.New(tensor.Int32, n, anchors)
				must(t, err)
				must(t, e.Upload(ld, labels))
				xd, nd := put(t, e, x, n, anchors, classes), put(t, e, norm, n)
				loss, grad := put(t, e, nil, 1), put(t, e, filled(len(x), 7), n, anchors, classes)
				must(t, e.FocalLoss(loss, xd, ld, nd, p))
				must(t, e.FocalLossGrad(grad, xd, ld, nd, put(t, e, []float32{up}, 1), p))
				losses[i], grads[i] = get(t, e, loss), get(t, e, grad)
				e.Release(ld, xd, nd, loss, grad)
			}
			near(t, name+" loss", losses[0], []float64{total}, 2e-6)
			near(t, name+" gradient", grads[0], want, 2e-6)
			if losses[0][0] != losses[1][0] || !slices.Equal(grads[0], grads[1]) {
				t.Errorf("%s: two threads give other bits than one", name)
			}
		}
	}
}

// Far logits cost what their distance is, with finite slopes; a NaN stays one.
func TestFocalFarLogits(t *testing.T) {
	e := start(t, Options{})
	nan := float32(math.NaN())
	x := []float32{1e4, -1e4, 100, -100, 88, -88, 0, nan}
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: .25}, {Alpha: .25, Gamma: 1.5}} {
		for label := range int32(2) { // class 0, or background
			label = -label
			for _, v := range x {
				ld, err := e.New(tensor.Int32, 1, 1)
				must(t, err)
				must(t, e.Upload(ld, []int32{label}))
				loss, grad, xd, ones := put(t, e, nil, 1), put(t, e, nil, 1, 1, 1), put(t, e, []float32{v}, 1, 1, 1), put(t, e, []float32{1}, 1)
				must(t, e.FocalLoss(loss, xd, ld, ones, p))
				must(t, e.FocalLossGrad(grad, xd, ld, ones, ones, p))
				l, g := focal(float64(v), label == 0, p)
				for what, got := range map[string][2]float64{"loss": {float64(get(t, e, loss)[0]), l}, "slope": {float64(get(t, e, grad)[0]), g}} {
					if v != v && got[0] == got[0] || v == v && !(math.Abs(got[0]-got[1]) <= 2e-6*math.Abs(got[1])+1e-30) {
						t.Errorf("%+v, label %d: %s at %g is %g, want %g", p, label, what, v, got[0], got[1])
					}
				}
			}
		}
	}
}

// A NaN among logits makes the loss one, and its own slope; the slopes around it are what they were, wherever it is in a vector.
func TestFocalNaN(t *testing.T) {
	e := start(t, Options{Threads: 1})
	const n = 40
	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: .25}, {Alpha: .25, Gamma: 1.5}} {
		slopes := func(x []float32) (float32, []float32) {
			labels := make([]int32, n)
			for i := range labels {
				labels[i] = -1
			}
			ld, err := e.New(tensor.Int32, 1, n)
			must(t, err)
			must(t, e.Upload(ld, labels))
			loss, grad, xd, ones := put(t, e, nil, 1), put(t, e, nil, 1, n, 1), put(t, e, x, 1, n, 1), put(t, e, []float32{1}, 1)
			defer e.Release(ld, loss, grad, xd, ones)
			must(t, e.FocalLoss(loss, xd, ld, ones, p))
			must(t, e.FocalLossGrad(grad, xd, ld, ones, ones, p))
			return get(t, e, loss)[0], get(t, e, grad)
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

// BenchmarkFocal is the class loss of two pictures of 800x800 px and 80 classes, one anchor in a thousand with an object.
func BenchmarkFocal(b *testing.B) {
	const n, anchors, classes = 2, 120087, 80
	e := start(b, Options{})
	x := normal(rand.New(rand.NewPCG(1, 1)), n*anchors*classes)
	l := make([]int32, n*anchors)
	for i := range l {
		if l[i] = -1; i%1000 == 0 {
			l[i] = 3
		}
	}
	labels, err := e.New(tensor.Int32, n, anchors)
	must(b, err)
	must(b, e.Upload(labels, l))
	logits, grad := put(b, e, x, n, anchors, classes), put(b, e, nil, n, anchors, classes)
	loss, ones := put(b, e, nil, 1), put(b, e, []float32{1, 1}, n)
	p := engine.FocalParams{Alpha: .25, Gamma: 2}
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			must(b, e.FocalLoss(loss, logits, labels, ones, p))
		}
	})
	b.Run("forward and backward", func(b *testing.B) {
		for b.Loop() {
			must(b, e.FocalLoss(loss, logits, labels, ones, p))
			must(b, e.FocalLossGrad(grad, logits, labels, ones, ones, p))
		}
	})
}
