package lossnode

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/loss"
)

// run evaluates a loss of x [1,1,1,len] with one label per k values and returns it with its gradient.
func run(t *testing.T, x []float32, labels []int32, f func(x, labels, norm *G.Node) (*G.Node, error)) (float64, []float32) {
	t.Helper()
	g := newGraph(t, whole)
	xn := g.input("x", x, tensor.Float32, 1, 1, 1, len(x))
	y, err := f(xn, g.input("labels", labels, tensor.Int32, 1, len(labels)), g.input("norm", []float32{1}, tensor.Float32, 1))
	if err != nil {
		t.Fatal(err)
	}
	l, grads := g.run(1, G.Nodes{y}, G.Nodes{xn})
	return l, grads[0]
}

// focalOf is Lin et al. 2017, eq. 5, and its derivative by x (appendix B), in float64 for one logit.
func focalOf(x float64, positive bool, alpha, gamma float64) (loss, grad float64) {
	y, a := -1.0, 1-alpha
	if positive {
		y, a = 1, alpha
	}
	if alpha < 0 {
		a = 1
	}
	logpt := -math.Log1p(math.Exp(-math.Abs(y*x))) + math.Min(y*x, 0)
	pt := math.Exp(logpt)
	q := 1 / (1 + math.Exp(y*x)) // 1 - pt
	return -a * math.Pow(q, gamma) * logpt, a * y * math.Pow(q, gamma) * (gamma*pt*logpt - q)
}

func TestFocalClosedForm(t *testing.T) {
	logits := []float32{-1e4, -30, -3, -.5, 0, .5, 3, 30, 1e4, 2, -2, 1}
	labels := []int32{0, -1, 2, 1} // three classes; the second is background
	for _, p := range []loss.Focal{{Alpha: .25, Gamma: 2}, {Alpha: .5, Gamma: .5}, {Alpha: -1}, {Alpha: .75, Gamma: 0}, {Alpha: .25, Gamma: 5}} {
		l, g := run(t, logits, labels, func(x, labels, norm *G.Node) (*G.Node, error) { return Binary(p, x, labels, norm) })
		var want float64
		for i, x := range logits {
			li, gi := focalOf(float64(x), labels[i/3] == int32(i%3), p.Alpha, p.Gamma)
			want += li
			if math.Abs(float64(g[i])-gi) > 2e-6*math.Max(1, math.Abs(gi)) {
				t.Errorf("%+v: gradient of logit %g is %g, wants %g", p, x, g[i], gi)
			}
		}
		if math.Abs(l-want) > 1e-5*want {
			t.Errorf("%+v: loss %g, wants %g", p, l, want)
		}
	}
}

// At logit 0 and the paper's alpha and gamma, a positive costs .25*.25*ln 2 and a negative three times that.
func TestFocalByHand(t *testing.T) {
	f := func(x, labels, norm *G.Node) (*G.Node, error) {
		return Binary(loss.Focal{Alpha: .25, Gamma: 2}, x, labels, norm)
	}
	if l, _ := run(t, []float32{0}, []int32{0}, f); math.Abs(l-.0433216988) > 1e-8 {
		t.Errorf("positive: %.10f", l)
	}
	if l, _ := run(t, []float32{0}, []int32{-1}, f); math.Abs(l-.1299650963) > 1e-8 {
		t.Errorf("negative: %.10f", l)
	}
}

func TestIgnoredAnchorsCountNothing(t *testing.T) {
	l, g := run(t, []float32{5, -5, 3, 1}, []int32{-2, -2}, func(x, labels, norm *G.Node) (*G.Node, error) {
		return Binary(loss.CrossEntropy{Alpha: -1}, x, labels, norm)
	})
	if l != 0 {
		t.Errorf("loss %g of ignored anchors", l)
	}
	for i, v := range g {
		if v != 0 {
			t.Errorf("gradient %d is %g", i, v)
		}
	}
}

func TestSmoothL1(t *testing.T) {
	deltas := []float32{0, .05, 2, -3, 1, 1, 1, 1, 7, 7, 7, 7}
	targets := []float32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	labels := []int32{1, -1, -2} // only the first anchor has a box
	for _, c := range []struct {
		beta float64
		loss float64
		grad [4]float32
	}{
		{.1, .05*.05/.2 + (2 - .05) + (3 - .05), [4]float32{0, .5, 1, -1}},
		{0, .05 + 2 + 3, [4]float32{0, 1, 1, -1}},
		{1, .05*.05/2 + 1.5 + 2.5, [4]float32{0, .05, 1, -1}},
	} {
		l, g := run(t, deltas, labels, func(x, labels, norm *G.Node) (*G.Node, error) {
			tg := tensor.New(tensor.WithShape(1, 3, 4), tensor.WithBacking(targets))
			n := G.NewTensor(x.Graph(), tensor.Float32, 3, G.WithShape(1, 3, 4), G.WithName("targets"), G.WithValue(tg))
			return Deltas(loss.SmoothL1{Beta: c.beta}, x, n, labels, norm)
		})
		if math.Abs(l-c.loss) > 1e-6 {
			t.Errorf("beta %g: loss %g, wants %g", c.beta, l, c.loss)
		}
		for i, v := range g {
			want := float32(0)
			if i < 4 {
				want = c.grad[i]
			}
			if math.Abs(float64(v-want)) > 1e-6 {
				t.Errorf("beta %g: gradient %d is %g, wants %g", c.beta, i, v, want)
			}
		}
	}
}

func TestShapes(t *testing.T) {
	g := G.NewGraph()
	in := func(name string, dt tensor.Dtype, shape ...int) *G.Node {
		return G.NewTensor(g, dt, len(shape), G.WithShape(shape...), G.WithName(name))
	}
	x := in("x", tensor.Float32, 2, 2, 2, 6)
	if _, err := Binary(loss.Focal{}, x, in("l", tensor.Int32, 1, 8), in("n", tensor.Float32, 2)); err == nil {
		t.Error("labels of another batch size pass")
	}
	if _, err := Binary(loss.Focal{}, x, in("m", tensor.Int32, 2, 5), in("o", tensor.Float32, 2)); err == nil {
		t.Error("values that do not divide over the anchors pass")
	}
}

// The zero Alpha disables weighting on an engine, as on plain slices.
func TestZeroAlpha(t *testing.T) {
	logits, labels := []float32{.5, -3, 2, 1}, []int32{1, -1}
	for _, l := range []loss.Binary{loss.CrossEntropy{}, loss.Focal{Gamma: 2}} {
		got, grad := run(t, logits, labels, func(x, labels, norm *G.Node) (*G.Node, error) { return Binary(l, x, labels, norm) })
		g := make([]float32, len(logits))
		if want := l.Eval(g, logits, labels); math.Abs(got-want) > 1e-6*want {
			t.Errorf("%T: %g, want %g", l, got, want)
		}
		for i := range g {
			if math.Abs(float64(grad[i]-g[i])) > 1e-6 {
				t.Errorf("%T: gradient %d is %g, want %g", l, i, grad[i], g[i])
			}
		}
	}
}

// NoObjects weights an object with 0 and background with 1.
func TestNoObjects(t *testing.T) {
	l := loss.Focal{Alpha: loss.NoObjects, Gamma: 2}
	_, grad := run(t, []float32{1, 1}, []int32{0, -1}, func(x, labels, norm *G.Node) (*G.Node, error) { return Binary(l, x, labels, norm) })
	_, full := run(t, []float32{1, 1}, []int32{0, -1}, func(x, labels, norm *G.Node) (*G.Node, error) {
		return Binary(loss.Focal{Gamma: 2}, x, labels, norm)
	})
	if grad[0] != 0 || grad[1] != full[1] {
		t.Errorf("gradients %v, want 0 and %g", grad, full[1])
	}
}

// Balanced L1 on the engine is the plain one, below and beyond beta, for the paper's numbers and others; far differences and equal ones too.
func TestBalancedL1(t *testing.T) {
	deltas := []float32{0, .001, -.05, .3, .999, 1, -1.5, 1e4, 5, 5, 5, 5}
	targets, labels := make([]float32, 12), []int32{1, 0, -1}
	for _, b := range []loss.BalancedL1{{Alpha: .5, Gamma: 1.5, Beta: 1}, {Alpha: .5, Gamma: 1.5, Beta: .1}, {Alpha: .2, Gamma: 1, Beta: 2}, {Alpha: .5, Gamma: 1.5}} {
		l, g := run(t, deltas, labels, func(x, labels, norm *G.Node) (*G.Node, error) {
			tg := tensor.New(tensor.WithShape(1, 3, 4), tensor.WithBacking(targets))
			n := G.NewTensor(x.Graph(), tensor.Float32, 3, G.WithShape(1, 3, 4), G.WithName("targets"), G.WithValue(tg))
			return Deltas(b, x, n, labels, norm)
		})
		want := make([]float32, 8)
		if sum := b.Eval(want, deltas[:8], targets[:8]); math.Abs(l-sum) > 1e-6*sum {
			t.Errorf("%+v: loss %g, want %g", b, l, sum)
		}
		for i, w := range append(want, 0, 0, 0, 0) {
			if math.Abs(float64(g[i]-w)) > 1e-6 {
				t.Errorf("%+v: gradient of difference %g is %g, want %g", b, deltas[i], g[i], w)
			}
		}
	}
}
