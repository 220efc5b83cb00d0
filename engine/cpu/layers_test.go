package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// near fails unless got is want to a tolerance relative to the root mean square of want.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	if d := far(got, want); !(d <= tol) {
		t.Errorf("%s: off by %.2g of its root mean square", what, d)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReLU(t *testing.T) {
	e := start(t, Options{})
	nan := float32(math.NaN())
	minusZero := float32(math.Copysign(0, -1))
	x := []float32{-2, minusZero, 0, 3, nan, float32(math.Inf(1)), float32(math.Inf(-1)), 1e-30, 5}
	xd, y, dx := put(t, e, x, 9), put(t, e, nil, 9), put(t, e, nil, 9)
	must(t, e.ReLU(y, xd, engine.Rectifier{}))
	for i, want := range []float32{0, 0, 0, 3, nan, float32(math.Inf(1)), 0, 1e-30, 5} {
		if got := get(t, e, y)[i]; got != want && (got == got || want == want) {
			t.Errorf("ReLU(%g) = %g", x[i], got)
		}
	}
	if got := get(t, e, y)[1]; math.Signbit(float64(got)) {
		t.Error("ReLU(-0) is -0")
	}
	must(t, e.ReLUGrad(dx, put(t, e, filled(9, 2), 9), y, engine.Rectifier{}))
	for i, want := range []float32{0, 0, 0, 2} {
		if got := get(t, e, dx)[i]; got != want {
			t.Errorf("gradient at %g is %g, want %g", x[i], got, want)
		}
	}
	leaky := engine.Rectifier{Slope: .5, Cap: 4}
	must(t, e.ReLU(y, xd, leaky))
	for i, want := range []float32{-1, 0, 0, 3, nan, 4, float32(math.Inf(-1)), 1e-30, 4} {
		if got := get(t, e, y)[i]; got != want && (got == got || want == want) {
			t.Errorf("leaky ReLU(%g) = %g", x[i], got)
		}
	}
	must(t, e.ReLUGrad(dx, put(t, e, filled(9, 2), 9), y, leaky))
	for i, want := range []float32{1, 1, 1, 2, 1, 0, 1, 2, 0} {
		if got := get(t, e, dx)[i]; got != want {
			t.Errorf("leaky gradient at %g is %g, want %g", x[i], got, want)
		}
	}
	a, b := put(t, e, []float32{1, -3, 2}, 3), put(t, e, []float32{1, 1, -5}, 3)
	sum := put(t, e, nil, 3)
	must(t, e.AddReLU(sum, a, b, false))
	near(t, "sum", get(t, e, sum), []float64{2, -2, -3}, 0)
	must(t, e.AddReLU(sum, a, b, true))
	near(t, "sum and ReLU", get(t, e, sum), []float64{2, 0, 0}, 0)
}

// Pooling against its definition, on sizes that the window does not divide. Padding never wins, not even over
// negative numbers.
func TestMaxPool(t *testing.T) {
	e := start(t, Options{})
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][7]int{{2, 9, 12, 5, 3, 2, 1}, {1, 8, 8, 64, 2, 2, 0}, {1, 1, 1, 3, 3, 2, 1}, {1, 7, 5, 17, 3, 1, 1}} {
		n, h, w, c, k, stride, pad := s[0], s[1], s[2], s[3], s[4], s[5], s[6]
		oh, ow := (h+2*pad-k)/stride+1, (w+2*pad-k)/stride+1
		x := normal(r, n*h*w*c)
		for i := range x {
			x[i] = float32(math.Round(float64(x[i])*2))/2 - 5 // ties, and all below zero
		}
		dy := normal(r, n*oh*ow*c)
		want, grad := make([]float64, len(dy)), make([]float64, len(x))
		for i := range want {
			ch, j, o, b := i%c, i/c%ow, i/c/ow%oh, i/c/ow/oh
			best, at := math.Inf(-1), 0
			for y := max(o*stride-pad, 0); y < min(o*stride-pad+k, h); y++ {
				for xx := max(j*stride-pad, 0); xx < min(j*stride-pad+k, w); xx++ {
					if p := ((b*h+y)*w+xx)*c + ch; float64(x[p]) > best {
						best, at = float64(x[p]), p
					}
				}
			}
			want[i] = best
			grad[at] += float64(dy[i])
		}
		p := engine.PoolParams{Kernel: k, Stride: stride, Pad: pad}
		xd, y, dx := put(t, e, x, n, h, w, c), put(t, e, nil, n, oh, ow, c), put(t, e, filled(len(x), 7), n, h, w, c)
		must(t, e.MaxPool(y, xd, p))
		near(t, fmt.Sprint("pool ", s), get(t, e, y), want, 0)
		must(t, e.MaxPoolGrad(dx, put(t, e, dy, n, oh, ow, c), xd, y, p))
		near(t, fmt.Sprint("gradient ", s), get(t, e, dx), grad, 1e-6)
	}
}

func TestUpsample(t *testing.T) {
	e := start(t, Options{})
	r := rand.New(rand.NewPCG(2, 1))
	for _, s := range [][6]int{{1, 8, 10, 4, 5, 16}, {2, 7, 9, 4, 5, 3}, {1, 3, 1, 1, 1, 8}, {1, 5, 7, 5, 7, 4}} {
		n, h, w, th, tw, c := s[0], s[1], s[2], s[3], s[4], s[5]
		top, lat, dy := normal(r, n*th*tw*c), normal(r, n*h*w*c), normal(r, n*h*w*c)
		want, grad := make([]float64, len(lat)), make([]float64, len(top))
		for i := range want {
			ch, j, o, b := i%c, i/c%w, i/c/w%h, i/c/w/h
			src := ((b*th+o*th/h)*tw+j*tw/w)*c + ch
			want[i] = float64(lat[i]) + float64(top[src])
			grad[src] += float64(dy[i])
		}
		y, dtop := put(t, e, nil, n, h, w, c), put(t, e, filled(len(top), 3), n, th, tw, c)
		must(t, e.UpsampleAdd(y, put(t, e, top, n, th, tw, c), put(t, e, lat, n, h, w, c)))
		near(t, fmt.Sprint("upsample ", s), get(t, e, y), want, 1e-6)
		must(t, e.UpsampleGrad(dtop, put(t, e, dy, n, h, w, c)))
		near(t, fmt.Sprint("gradient ", s), get(t, e, dtop), grad, 1e-6)
	}
}

// groups describes a normalisation for the reference: the elements of x that share statistics.
type groups struct {
	n, hw, c, g int // g groups per picture; 0 is batch norm
}

func (s groups) of(i int) int {
	ch := i % s.c
	if s.g == 0 {
		return ch
	}
	return i/s.c/s.hw*s.g + ch/(s.c/s.g)
}

// reference normalises in float64 and returns y, mean, variance, and the gradients by x, gamma and beta.
func (s groups) reference(x, gamma, beta, dy []float32, eps float64, relu bool) (y, mean, variance, dx, dgamma, dbeta []float64) {
	count := s.n * s.g
	if s.g == 0 {
		count = s.c
	}
	mean, variance, num := make([]float64, count), make([]float64, count), make([]float64, count)
	for i, v := range x {
		mean[s.of(i)] += float64(v)
		num[s.of(i)]++
	}
	for k := range mean {
		mean[k] /= num[k]
	}
	for i, v := range x {
		d := float64(v) - mean[s.of(i)]
		variance[s.of(i)] += d * d / num[s.of(i)]
	}
	y, dx = make([]float64, len(x)), make([]float64, len(x))
	dgamma, dbeta = make([]float64, s.c), make([]float64, s.c)
	a, b := make([]float64, count), make([]float64, count) // mean of dxhat, mean of dxhat*xhat
	hat := func(i int) float64 { return (float64(x[i]) - mean[s.of(i)]) / math.Sqrt(variance[s.of(i)]+eps) }
	g := make([]float64, len(x))
	for i := range x {
		ch := i % s.c
		y[i] = hat(i)*float64(gamma[ch]) + float64(beta[ch])
		g[i] = float64(dy[i])
		if relu && y[i] <= 0 {
			y[i], g[i] = 0, 0
		}
		dgamma[ch] += g[i] * hat(i)
		dbeta[ch] += g[i]
		a[s.of(i)] += g[i] * float64(gamma[ch]) / num[s.of(i)]
		b[s.of(i)] += g[i] * float64(gamma[ch]) * hat(i) / num[s.of(i)]
	}
	for i := range x {
		k := s.of(i)
		dx[i] = (g[i]*float64(gamma[i%s.c]) - a[k] - hat(i)*b[k]) / math.Sqrt(variance[k]+eps)
	}
	return y, mean, variance, dx, dgamma, dbeta
}

func TestNorms(t *testing.T) {
	e := start(t, Options{})
	const eps = 1e-5
	for _, s := range []groups{{2, 35, 6, 0}, {3, 1, 5, 0}, {1, 600, 64, 0}, {2, 35, 64, 32}, {2, 9, 6, 3}, {1, 1, 32, 1}, {2, 500, 128, 32}} {
		for _, relu := range []bool{false, true} {
			r := rand.New(rand.NewPCG(3, uint64(s.c)))
			x, dy := normal(r, s.n*s.hw*s.c), normal(r, s.n*s.hw*s.c)
			for i := range x {
				x[i] = 3*x[i] + 20 // a mean far from 0: what a one-pass variance loses
			}
			gamma, beta := normal(r, s.c), normal(r, s.c)
			y, mean, variance, dx, dgamma, dbeta := s.reference(x, gamma, beta, dy, eps, relu)
			p := engine.NormParams{Eps: eps, Momentum: .1, Groups: s.g, ReLU: relu}
			shape := []int{s.n, 1, s.hw, s.c}
			yd, dxd, dp := put(t, e, nil, shape...), put(t, e, nil, shape...), put(t, e, nil, 2, s.c)
			xd, dyd, gd, bd := put(t, e, x, shape...), put(t, e, dy, shape...), put(t, e, gamma, s.c), put(t, e, beta, s.c)
			name := fmt.Sprint(s, relu)
			if s.g > 0 {
				stats := put(t, e, nil, 2, s.n, s.g)
				must(t, e.GroupNorm(yd, stats, xd, gd, bd, p))
				near(t, name+" mean", get(t, e, stats)[:len(mean)], mean, 1e-5)
				must(t, e.GroupNormParamGrad(dp, dyd, yd, xd, stats, p))
				must(t, e.GroupNormGrad(dxd, dyd, yd, xd, gd, stats, p))
			} else {
				stats, rm, rv := put(t, e, nil, 2, s.c), put(t, e, filled(s.c, 1), s.c), put(t, e, filled(s.c, 2), s.c)
				must(t, e.BatchNorm(yd, stats, rm, rv, xd, gd, bd, p))
				must(t, e.BatchNormParamGrad(dp, dyd, yd, xd, stats, p))
				must(t, e.BatchNormGrad(dxd, dyd, yd, xd, gd, stats, dp, p))
				wantMean, wantVar := make([]float64, s.c), make([]float64, s.c)
				n := float64(s.n * s.hw)
				for c := range s.c {
					wantMean[c] = .9 + .1*mean[c]
					wantVar[c] = 1.8 + .1*variance[c]*n/max(n-1, 1)
				}
				near(t, name+" running mean", get(t, e, rm), wantMean, 1e-5)
				near(t, name+" running variance", get(t, e, rv), wantVar, 1e-4)
			}
			near(t, name+" y", get(t, e, yd), y, 1e-4)
			near(t, name+" dgamma", get(t, e, dp)[:s.c], dgamma, 1e-4)
			near(t, name+" dbeta", get(t, e, dp)[s.c:], dbeta, 1e-4)
			near(t, name+" dx", get(t, e, dxd), dx, 2e-4)
		}
	}
}

// One step of each optimiser against the formulas in float64.
func TestOptimizers(t *testing.T) {
	e := start(t, Options{})
	r := rand.New(rand.NewPCG(4, 4))
	const n = 1003
	w, m, v, g := normal(r, n), normal(r, n), normal(r, n), normal(r, n)
	for i := range v {
		v[i] *= v[i]
	}
	gd := put(t, e, g, n)
	for _, nesterov := range []bool{false, true} {
		p := engine.SGDParams{LR: .1, Momentum: .9, Decay: .01, Scale: .5, Nesterov: nesterov}
		wd, md := put(t, e, w, n), put(t, e, m, n)
		must(t, e.SGD(wd, md, gd, p))
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
		near(t, "SGD momentum", get(t, e, md), wantM, 1e-5)
		near(t, "SGD weights", get(t, e, wd), wantW, 1e-5)
	}
	for _, decoupled := range []bool{false, true} {
		p := engine.AdamParams{LR: .01, Beta1: .9, Beta2: .999, Eps: 1e-8, Decay: .1, Scale: .5, Step: 7, Decoupled: decoupled}
		wd, md, vd := put(t, e, w, n), put(t, e, m, n), put(t, e, v, n)
		must(t, e.Adam(wd, md, vd, gd, p))
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
		near(t, "Adam m", get(t, e, md), wantM, 1e-5)
		near(t, "Adam v", get(t, e, vd), wantV, 1e-5)
		near(t, "Adam weights", get(t, e, wd), wantW, 1e-5)
	}
	wd := put(t, e, w, n)
	must(t, e.Lerp(wd, gd, .25))
	want := make([]float64, n)
	for i := range want {
		want[i] = .75*float64(w[i]) + .25*float64(g[i])
	}
	near(t, "Lerp", get(t, e, wd), want, 1e-6)
}

func TestSumSquares(t *testing.T) {
	e := start(t, Options{})
	x := filled(1_000_003, 1e-3)
	x[0] = 1e4 // a sum in float32 would lose the rest
	if got, err := e.SumSquares(put(t, e, x, len(x))); err != nil || math.Abs(got-(1e8+1.000002)) > 1e-2 {
		t.Errorf("%g, %v", got, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(-1)} {
		x[777_777] = float32(bad)
		if got, err := e.SumSquares(put(t, e, x, len(x))); err != nil || !(math.IsNaN(got) || math.IsInf(got, 0)) {
			t.Errorf("with %g: %g, %v", bad, got, err)
		}
	}
}

func TestBiasGrad(t *testing.T) {
	e := start(t, Options{})
	for _, c := range []int{1, 3, 64, 720} {
		r := rand.New(rand.NewPCG(9, 9))
		dy := normal(r, 2*31*7*c)
		want := make([]float64, c)
		for i, v := range dy {
			want[i%c] += float64(v)
		}
		db := put(t, e, filled(c, 5), c)
		must(t, e.BiasGrad(db, put(t, e, dy, 2, 31, 7, c)))
		near(t, fmt.Sprint("bias ", c), get(t, e, db), want, 1e-5)
	}
}

// The sum of gradients goes where the run says, once each.
func TestAdd(t *testing.T) {
	e := start(t, Options{})
	a, b, out := put(t, e, []float32{1, 2}, 2), put(t, e, []float32{10, 20}, 2), put(t, e, nil, 2)
	e.BeginRun([]*tensor.Dense{out})
	got, err := e.Add(a, b)
	must(t, err)
	if got != tensor.Tensor(out) {
		t.Error("the sum is not in its place")
	}
	near(t, "sum", get(t, e, out), []float64{11, 22}, 0)
	if _, err := e.Add(a, b); err == nil {
		t.Error("a sum that was not planned")
	}
}
