package enginetest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// conv is a case: x [N,H,W,C], w [K,C/G,R,R].
type convCase struct {
	n, h, w, c, k, r, stride, pad, groups int
}

func (c convCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d-k%d-r%d-s%d-p%d-g%d", c.n, c.h, c.w, c.c, c.k, c.r, c.stride, c.pad, c.groups)
}

func (c convCase) out() (int, int) {
	return (c.h+2*c.pad-c.r)/c.stride + 1, (c.w+2*c.pad-c.r)/c.stride + 1
}

// each visits every product of the convolution: the indices into y, x and w.
func (c convCase) each(f func(y, x, w int)) {
	oh, ow := c.out()
	cg, kg := c.c/c.groups, c.k/c.groups
	for n := range c.n {
		for i := range oh {
			for j := range ow {
				for k := range c.k {
					for ch := range cg {
						for r := range c.r {
							for s := range c.r {
								yy, xx := i*c.stride+r-c.pad, j*c.stride+s-c.pad
								if yy < 0 || xx < 0 || yy >= c.h || xx >= c.w {
									continue
								}
								f(((n*oh+i)*ow+j)*c.k+k, ((n*c.h+yy)*c.w+xx)*c.c+k/kg*cg+ch, ((k*cg+ch)*c.r+r)*c.r+s)
							}
						}
					}
				}
			}
		}
	}
}

// Odd sizes, channel counts that are no multiple of anything, the shapes of a ResNet, one that is a single pixel.
var convCases = []convCase{
	{1, 1, 1, 1, 1, 1, 1, 0, 1},
	{2, 5, 7, 3, 4, 3, 1, 1, 1},
	{1, 9, 11, 16, 36, 3, 1, 1, 1},
	{2, 13, 18, 32, 48, 3, 1, 1, 1},
	{1, 33, 29, 24, 40, 3, 1, 1, 1},
	{1, 40, 52, 64, 64, 3, 1, 1, 1},
	{1, 31, 37, 20, 12, 3, 2, 1, 1},
	{2, 21, 19, 3, 64, 7, 2, 3, 1},
	{2, 14, 10, 64, 32, 1, 1, 0, 1},
	{2, 15, 9, 16, 32, 1, 2, 0, 1},
	{1, 12, 12, 32, 64, 3, 1, 1, 8},
	{1, 8, 6, 16, 16, 3, 1, 1, 16},
	{1, 3, 2, 128, 36, 3, 1, 1, 1},
}

// The forward pass with scale, bias, residual and ReLU, and both gradients, against float64.
func convolutions(t *testing.T, open Open) {
	e := open(t)
	for _, c := range convCases {
		t.Run(c.String(), func(t *testing.T) { convolution(t, e, c) })
	}
}

func convolution(t *testing.T, e engine.Engine, c convCase) {
	r := rand.New(rand.NewPCG(1, uint64(c.h*c.c)))
	oh, ow := c.out()
	x, w := Normal(r, c.n*c.h*c.w*c.c), Normal(r, c.k*c.c/c.groups*c.r*c.r)
	dy, res := Normal(r, c.n*oh*ow*c.k), Normal(r, c.n*oh*ow*c.k)
	scale, bias := Normal(r, c.k), Normal(r, c.k)
	p := engine.ConvParams{Stride: c.stride, Pad: c.pad, Groups: c.groups}
	const tol = 2e-4 // Winograd's F(4x4,3x3) loses a digit

	yd, xd, wd := Put(t, e, nil, c.n, oh, ow, c.k), Put(t, e, x, c.n, c.h, c.w, c.c), Put(t, e, w, c.k, c.c/c.groups, c.r, c.r)
	sd, bd, rd, dyd := Put(t, e, scale, c.k), Put(t, e, bias, c.k), Put(t, e, res, c.n, oh, ow, c.k), Put(t, e, dy, c.n, oh, ow, c.k)
	defer e.Release(yd, xd, wd, sd, bd, rd, dyd)
	e.WeightsChanged()

	plain, data, grad := make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w))
	scaled := make([]float64, len(dy))
	c.each(func(yi, xi, wi int) {
		v := float64(x[xi]) * float64(w[wi])
		plain[yi] += v
		scaled[yi] += v * float64(scale[yi%c.k])
		data[xi] += float64(dy[yi]) * float64(w[wi]) * float64(scale[yi%c.k])
		grad[wi] += float64(dy[yi]) * float64(x[xi])
	})
	sums := make([]float64, len(scaled))
	biased, rest := make([]float64, len(scaled)), make([]float64, len(scaled))
	for i := range scaled {
		biased[i], rest[i] = max(plain[i]+float64(bias[i%c.k]), 0), max(plain[i]+float64(res[i]), 0)
		sums[i] = scaled[i] + float64(bias[i%c.k]) + float64(res[i])
		scaled[i] = max(sums[i], 0)
	}
	check := func(what string, got *tensor.Dense, want []float64, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if d := far(Get(t, e, got), want); !(d < tol) {
			t.Errorf("%s: off by %.2g of its root mean square", what, d)
		}
	}
	check("forward", yd, plain, e.Conv(yd, xd, wd, nil, nil, nil, p))
	fused := p
	fused.Activation = engine.ReLU
	check("bias", yd, biased, e.Conv(yd, xd, wd, nil, bd, nil, fused))
	check("residual", yd, rest, e.Conv(yd, xd, wd, nil, nil, rd, fused))
	check("fused", yd, scaled, e.Conv(yd, xd, wd, sd, bd, rd, fused))
	if e.Supports(engine.ResidualInPlace) {
		Must(t, e.Upload(yd, res))
		check("fused over the residual", yd, scaled, e.Conv(yd, xd, wd, sd, bd, yd, fused))
	}
	for i, v := range sums {
		scaled[i] = v
		if v < 0 {
			scaled[i] = .1 * v
		}
		scaled[i] = min(scaled[i], .5)
	}
	fused.Activation = engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: .5}
	check("leaky and capped", yd, scaled, e.Conv(yd, xd, wd, sd, bd, rd, fused))

	dx, dw := Put(t, e, nil, c.n, c.h, c.w, c.c), Put(t, e, nil, c.k, c.c/c.groups, c.r, c.r)
	defer e.Release(dx, dw)
	// Whatever a result held before must not show.
	if err := errors.Join(e.Upload(dx, Filled(len(x), 1e9)), e.Upload(dw, Filled(len(w), 1e9))); err != nil {
		t.Fatal(err)
	}
	check("data", dx, data, e.ConvData(dx, dyd, wd, sd, p))
	// The gradient by the weights is before the scale: the engine multiplies its rows.
	for i := range grad {
		grad[i] *= float64(scale[i/(len(w)/c.k)])
	}
	check("weights", dw, grad, e.ConvWeights(dw, dyd, xd, sd, p))
}

// A NaN reaches every output that reads it. (With a fused ReLU it may end as 0: oneDNN's is a max.)
func convolutionOfNaN(t *testing.T, open Open) {
	e := open(t)
	x := Filled(48*48*32, 1)
	x[(20*48+20)*32+5] = float32(math.NaN())
	xd, wd, y := Put(t, e, x, 1, 48, 48, 32), Put(t, e, Filled(32*32*9, .1), 32, 32, 3, 3), Put(t, e, nil, 1, 48, 48, 32)
	Must(t, e.Conv(y, xd, wd, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
	v := Get(t, e, y)
	for i := 19; i <= 21; i++ {
		for j := 19; j <= 21; j++ {
			if got := v[(i*48+j)*32]; got == got {
				t.Errorf("pixel %d,%d is %g", i, j, got)
			}
		}
	}
}

// Changed weights are packed anew after WeightsChanged.
func weightsChanged(t *testing.T, open Open) {
	e := open(t)
	x, w, y := Put(t, e, Filled(48*48*16, 1), 1, 48, 48, 16), Put(t, e, Filled(16*16*9, 1), 16, 16, 3, 3), Put(t, e, nil, 1, 48, 48, 16)
	value := func() float32 {
		Must(t, e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
		return Get(t, e, y)[(24*48+24)*16]
	}
	if v := value(); math.Abs(float64(v)-144) > 1e-2 {
		t.Errorf("%g, want 144", v)
	}
	Must(t, e.Upload(w, Filled(16*16*9, 2)))
	e.WeightsChanged()
	if v := value(); math.Abs(float64(v)-288) > 1e-2 {
		t.Errorf("%g after the change, want 288", v)
	}
}

// Equal work gives equal bits: runs can be repeated.
func repeatedConvolutions(t *testing.T, open Open) {
	e := open(t)
	r := rand.New(rand.NewPCG(5, 6))
	x, dy := Put(t, e, Normal(r, 2*40*40*32), 2, 40, 40, 32), Put(t, e, Normal(r, 2*40*40*32), 2, 40, 40, 32)
	dw := Put(t, e, nil, 32, 32, 3, 3)
	var first []float32
	for range 5 {
		Must(t, e.ConvWeights(dw, dy, x, nil, engine.ConvParams{Stride: 1, Pad: 1}))
		v := Get(t, e, dw)
		if first == nil {
			first = v
		}
		for i := range v {
			if v[i] != first[i] {
				t.Fatalf("element %d is %g, was %g", i, v[i], first[i])
			}
		}
	}
}
