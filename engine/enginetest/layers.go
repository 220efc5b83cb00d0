package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

func relu(t *testing.T, open Open) {
	e := open(t)
	nan := float32(math.NaN())
	minusZero := float32(math.Copysign(0, -1))
	x := []float32{-2, minusZero, 0, 3, nan, float32(math.Inf(1)), float32(math.Inf(-1)), 1e-30, 5}
	xd, y, dx := Put(t, e, x, 9), Put(t, e, nil, 9), Put(t, e, nil, 9)
	Must(t, e.Activate(y, xd, engine.ReLU))
	for i, want := range []float32{0, 0, 0, 3, nan, float32(math.Inf(1)), 0, 1e-30, 5} {
		if got := Get(t, e, y)[i]; got != want && (got == got || want == want) {
			t.Errorf("ReLU(%g) = %g", x[i], got)
		}
	}
	if got := Get(t, e, y)[1]; math.Signbit(float64(got)) {
		t.Error("ReLU(-0) is -0")
	}
	Must(t, e.ActivateGrad(dx, Put(t, e, Filled(9, 2), 9), y, engine.ReLU))
	for i, want := range []float32{0, 0, 0, 2} {
		if got := Get(t, e, dx)[i]; got != want {
			t.Errorf("gradient at %g is %g, want %g", x[i], got, want)
		}
	}
	leaky := engine.Activation{Kind: engine.Rectified, Slope: .5, Cap: 4}
	Must(t, e.Activate(y, xd, leaky))
	for i, want := range []float32{-1, 0, 0, 3, nan, 4, float32(math.Inf(-1)), 1e-30, 4} {
		if got := Get(t, e, y)[i]; got != want && (got == got || want == want) {
			t.Errorf("leaky ReLU(%g) = %g", x[i], got)
		}
	}
	Must(t, e.ActivateGrad(dx, Put(t, e, Filled(9, 2), 9), y, leaky))
	for i, want := range []float32{1, 1, 1, 2, 1, 0, 1, 2, 0} {
		if got := Get(t, e, dx)[i]; got != want {
			t.Errorf("leaky gradient at %g is %g, want %g", x[i], got, want)
		}
	}
	a, b := Put(t, e, []float32{1, -3, 2}, 3), Put(t, e, []float32{1, 1, -5}, 3)
	sum := Put(t, e, nil, 3)
	Must(t, e.Sum(sum, a, b, engine.None))
	AlmostEqual(t, "sum", Get(t, e, sum), []float64{2, -2, -3}, 0)
	Must(t, e.Sum(sum, a, b, engine.ReLU))
	AlmostEqual(t, "sum and ReLU", Get(t, e, sum), []float64{2, 0, 0}, 0)
}

// Pooling against its definition, on sizes that the window does not divide. Padding never wins, not even over
// negative numbers.
func maxPool(t *testing.T, open Open) {
	e := open(t)
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][7]int{{2, 9, 12, 5, 3, 2, 1}, {1, 8, 8, 64, 2, 2, 0}, {1, 1, 1, 3, 3, 2, 1}, {1, 7, 5, 17, 3, 1, 1}} {
		n, h, w, c, k, stride, pad := s[0], s[1], s[2], s[3], s[4], s[5], s[6]
		oh, ow := (h+2*pad-k)/stride+1, (w+2*pad-k)/stride+1
		x := Normal(r, n*h*w*c)
		for i := range x {
			x[i] = float32(math.Round(float64(x[i])*2))/2 - 5 // ties, and all below zero
		}
		dy := Normal(r, n*oh*ow*c)
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
		xd, y, dx := Put(t, e, x, n, h, w, c), Put(t, e, nil, n, oh, ow, c), Put(t, e, Filled(len(x), 7), n, h, w, c)
		Must(t, e.MaxPool(y, xd, p))
		AlmostEqual(t, fmt.Sprint("pool ", s), Get(t, e, y), want, 0)
		Must(t, e.MaxPoolGrad(dx, Put(t, e, dy, n, oh, ow, c), xd, y, p))
		AlmostEqual(t, fmt.Sprint("gradient ", s), Get(t, e, dx), grad, 1e-6)
	}
}

func upsample(t *testing.T, open Open) {
	e := open(t)
	r := rand.New(rand.NewPCG(2, 1))
	for _, s := range [][6]int{{1, 8, 10, 4, 5, 16}, {2, 7, 9, 4, 5, 3}, {1, 3, 1, 1, 1, 8}, {1, 5, 7, 5, 7, 4}} {
		n, h, w, th, tw, c := s[0], s[1], s[2], s[3], s[4], s[5]
		top, lat, dy := Normal(r, n*th*tw*c), Normal(r, n*h*w*c), Normal(r, n*h*w*c)
		want, grad := make([]float64, len(lat)), make([]float64, len(top))
		for i := range want {
			ch, j, o, b := i%c, i/c%w, i/c/w%h, i/c/w/h
			src := ((b*th+o*th/h)*tw+j*tw/w)*c + ch
			want[i] = float64(lat[i]) + float64(top[src])
			grad[src] += float64(dy[i])
		}
		y, dtop := Put(t, e, nil, n, h, w, c), Put(t, e, Filled(len(top), 3), n, th, tw, c)
		Must(t, e.UpsampleAdd(y, Put(t, e, top, n, th, tw, c), Put(t, e, lat, n, h, w, c)))
		AlmostEqual(t, fmt.Sprint("upsample ", s), Get(t, e, y), want, 1e-6)
		Must(t, e.UpsampleGrad(dtop, Put(t, e, dy, n, h, w, c)))
		AlmostEqual(t, fmt.Sprint("gradient ", s), Get(t, e, dtop), grad, 1e-6)
	}
}

func biasGrad(t *testing.T, open Open) {
	e := open(t)
	for _, c := range []int{1, 3, 64, 720} {
		r := rand.New(rand.NewPCG(9, 9))
		dy := Normal(r, 2*31*7*c)
		want := make([]float64, c)
		for i, v := range dy {
			want[i%c] += float64(v)
		}
		db := Put(t, e, Filled(c, 5), c)
		Must(t, e.BiasGrad(db, Put(t, e, dy, 2, 31, 7, c)))
		AlmostEqual(t, fmt.Sprint("bias ", c), Get(t, e, db), want, 1e-5)
	}
}

// The sum of gradients goes where the run says, once each.
func sumOfGradients(t *testing.T, open Open) {
	e := open(t)
	a, b, out := Put(t, e, []float32{1, 2}, 2), Put(t, e, []float32{10, 20}, 2), Put(t, e, nil, 2)
	e.BeginRun([]*tensor.Dense{out})
	got, err := e.(tensor.Adder).Add(a, b)
	Must(t, err)
	if got != tensor.Tensor(out) {
		t.Error("the sum is not in its place")
	}
	AlmostEqual(t, "sum", Get(t, e, out), []float64{11, 22}, 0)
	if _, err := e.(tensor.Adder).Add(a, b); err == nil {
		t.Error("a sum that was not planned")
	}
}
