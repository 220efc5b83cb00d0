package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

var kinds = []Algorithm{Fixed, OneDNN, Winograd, Measured}

// start returns an engine that ends with the test.
func start(t testing.TB, o Options) *Engine {
	t.Helper()
	if o.Algorithm == Measured {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// put makes a tensor on the engine.
func put(t testing.TB, e *Engine, v []float32, shape ...int) *tensor.Dense {
	t.Helper()
	d, err := e.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		if err := e.Upload(d, v); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func get(t testing.TB, e *Engine, d *tensor.Dense) []float32 {
	t.Helper()
	v := make([]float32, d.Shape().TotalSize())
	if err := e.Download(v, d); err != nil {
		t.Fatal(err)
	}
	return v
}

func normal(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

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

// far is the largest difference relative to the root mean square of want: what rounding in any order of summation is
// proportional to.
func far(got []float32, want []float64) float64 {
	var worst, square float64
	for i, w := range want {
		worst = math.Max(worst, math.Abs(float64(got[i])-w))
		square += w * w
	}
	return worst / math.Sqrt(square/float64(len(want))+1e-30)
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

// Every algorithm's forward pass with scale, bias, residual and ReLU, and both gradients, against float64.
func TestConv(t *testing.T) {
	for _, a := range kinds {
		for _, threads := range []int{1, 2} {
			e := start(t, Options{Threads: threads, Algorithm: a})
			for _, c := range convCases {
				t.Run(fmt.Sprintf("%v/%d/%v", a, threads, c), func(t *testing.T) { testConv(t, e, c) })
			}
		}
	}
}

func testConv(t *testing.T, e *Engine, c convCase) {
	r := rand.New(rand.NewPCG(1, uint64(c.h*c.c)))
	oh, ow := c.out()
	x, w := normal(r, c.n*c.h*c.w*c.c), normal(r, c.k*c.c/c.groups*c.r*c.r)
	dy, res := normal(r, c.n*oh*ow*c.k), normal(r, c.n*oh*ow*c.k)
	scale, bias := normal(r, c.k), normal(r, c.k)
	p := engine.ConvParams{Stride: c.stride, Pad: c.pad, Groups: c.groups}
	const tol = 2e-4 // Winograd's F(4x4,3x3) loses a digit

	yd, xd, wd := put(t, e, nil, c.n, oh, ow, c.k), put(t, e, x, c.n, c.h, c.w, c.c), put(t, e, w, c.k, c.c/c.groups, c.r, c.r)
	sd, bd, rd, dyd := put(t, e, scale, c.k), put(t, e, bias, c.k), put(t, e, res, c.n, oh, ow, c.k), put(t, e, dy, c.n, oh, ow, c.k)
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
		if d := far(get(t, e, got), want); !(d < tol) {
			t.Errorf("%s: off by %.2g of its root mean square", what, d)
		}
	}
	check("forward", yd, plain, e.Conv(yd, xd, wd, nil, nil, nil, p))
	fused := p
	fused.ReLU = true
	check("bias", yd, biased, e.Conv(yd, xd, wd, nil, bd, nil, fused))
	check("residual", yd, rest, e.Conv(yd, xd, wd, nil, nil, rd, fused))
	check("fused", yd, scaled, e.Conv(yd, xd, wd, sd, bd, rd, fused))
	if err := e.Upload(yd, res); err != nil {
		t.Fatal(err)
	}
	check("fused over the residual", yd, scaled, e.Conv(yd, xd, wd, sd, bd, yd, fused))
	for i, v := range sums {
		scaled[i] = v
		if v < 0 {
			scaled[i] = .1 * v
		}
		scaled[i] = min(scaled[i], .5)
	}
	fused.Rectifier = engine.Rectifier{Slope: .1, Cap: .5}
	check("leaky and capped", yd, scaled, e.Conv(yd, xd, wd, sd, bd, rd, fused))

	dx, dw := put(t, e, nil, c.n, c.h, c.w, c.c), put(t, e, nil, c.k, c.c/c.groups, c.r, c.r)
	defer e.Release(dx, dw)
	// Whatever a result held before must not show.
	if err := errorsOf(e.Upload(dx, filled(len(x), 1e9)), e.Upload(dw, filled(len(w), 1e9))); err != nil {
		t.Fatal(err)
	}
	check("data", dx, data, e.ConvData(dx, dyd, wd, sd, p))
	// The gradient by the weights is before the scale: the engine multiplies its rows.
	for i := range grad {
		grad[i] *= float64(scale[i/(len(w)/c.k)])
	}
	check("weights", dw, grad, e.ConvWeights(dw, dyd, xd, sd, p))
}

func filled(n int, v float32) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A NaN reaches every output that reads it, in every algorithm. (With a fused ReLU it may end as 0: oneDNN's is a max.)
func TestConvNaN(t *testing.T) {
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		x := filled(48*48*32, 1)
		x[(20*48+20)*32+5] = float32(math.NaN())
		xd, wd, y := put(t, e, x, 1, 48, 48, 32), put(t, e, filled(32*32*9, .1), 32, 32, 3, 3), put(t, e, nil, 1, 48, 48, 32)
		if err := e.Conv(y, xd, wd, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}); err != nil {
			t.Fatal(err)
		}
		v := get(t, e, y)
		for i := 19; i <= 21; i++ {
			for j := 19; j <= 21; j++ {
				if got := v[(i*48+j)*32]; got == got {
					t.Errorf("%v: pixel %d,%d is %g", a, i, j, got)
				}
			}
		}
	}
}

// Changed weights are packed anew, and only when they are said to have changed.
func TestWeightsChanged(t *testing.T) {
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		x, w, y := put(t, e, filled(48*48*16, 1), 1, 48, 48, 16), put(t, e, filled(16*16*9, 1), 16, 16, 3, 3), put(t, e, nil, 1, 48, 48, 16)
		value := func() float32 {
			if err := e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}); err != nil {
				t.Fatal(err)
			}
			return get(t, e, y)[(24*48+24)*16]
		}
		if v := value(); math.Abs(float64(v)-144) > 1e-2 {
			t.Errorf("%v: %g, want 144", a, v)
		}
		if err := e.Upload(w, filled(16*16*9, 2)); err != nil {
			t.Fatal(err)
		}
		e.WeightsChanged()
		if v := value(); math.Abs(float64(v)-288) > 1e-2 {
			t.Errorf("%v: %g after the change, want 288", a, v)
		}
	}
}

// Several maps at once give what one by one does: of the own kernels forward and by data to the bit, where the order of sums is the
// same.
func TestConvAll(t *testing.T) {
	p := engine.ConvParams{Stride: 1, Pad: 1, ReLU: true}
	plain := engine.ConvParams{Stride: 1, Pad: 1}
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		r := rand.New(rand.NewPCG(7, 8))
		const c, k = 36, 20
		w, scale, b := put(t, e, normal(r, k*c*9), k, c, 3, 3), put(t, e, normal(r, k), k), put(t, e, normal(r, k), k)
		var x, y, dx, dy, dws []*tensor.Dense
		var want, wantDX [][]float32
		sum := make([]float32, k*c*9)
		for _, hw := range [][2]int{{30, 41}, {15, 21}, {5, 3}, {1, 1}} {
			h, wd := hw[0], hw[1]
			xi, dyi := put(t, e, normal(r, 2*h*wd*c), 2, h, wd, c), put(t, e, normal(r, 2*h*wd*k), 2, h, wd, k)
			yi, dxi, dw := put(t, e, nil, 2, h, wd, k), put(t, e, nil, 2, h, wd, c), put(t, e, nil, k, c, 3, 3)
			if err := errorsOf(e.Conv(yi, xi, w, scale, b, nil, p), e.ConvData(dxi, dyi, w, scale, plain), e.ConvWeights(dw, dyi, xi, scale, plain)); err != nil {
				t.Fatal(err)
			}
			want, wantDX = append(want, get(t, e, yi)), append(wantDX, get(t, e, dxi))
			for i, v := range get(t, e, dw) {
				sum[i] += v
			}
			if err := errorsOf(e.Upload(yi, filled(2*h*wd*k, 1e9)), e.Upload(dxi, filled(2*h*wd*c, 1e9)), e.Upload(dw, filled(k*c*9, 1e9))); err != nil {
				t.Fatal(err)
			}
			x, y, dx, dy, dws = append(x, xi), append(y, yi), append(dx, dxi), append(dy, dyi), append(dws, dw)
		}
		if err := errorsOf(e.ConvAll(y, x, w, scale, b, p), e.ConvDataAll(dx, dy, w, scale, plain), e.ConvWeightsAll(dws[0], dy, x, scale, plain)); err != nil {
			t.Fatal(err)
		}
		check := func(what string, got, want []float32, tolerance float64) {
			t.Helper()
			var most, off float64
			for i := range got {
				most, off = max(most, math.Abs(float64(want[i]))), max(off, math.Abs(float64(got[i])-float64(want[i])))
			}
			if !(off <= tolerance*most) || most == 0 {
				t.Errorf("%v: %s is off by %g of %g", a, what, off, most)
			}
		}
		tolerance := 1e-5 // where a small map takes another kernel alone
		if a == Winograd || a == OneDNN {
			tolerance = 0
		}
		for i := range x {
			check(fmt.Sprint("map ", i), get(t, e, y[i]), want[i], tolerance)
			check(fmt.Sprint("gradient by map ", i), get(t, e, dx[i]), wantDX[i], tolerance)
		}
		check("gradient by weights", get(t, e, dws[0]), sum, 1e-5)
	}
}

// Equal work gives equal bits: runs can be repeated.
func TestConvRepeats(t *testing.T) {
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		r := rand.New(rand.NewPCG(5, 6))
		x, dy := put(t, e, normal(r, 2*40*40*32), 2, 40, 40, 32), put(t, e, normal(r, 2*40*40*32), 2, 40, 40, 32)
		dw := put(t, e, nil, 32, 32, 3, 3)
		var first []float32
		for range 5 {
			if err := e.ConvWeights(dw, dy, x, nil, engine.ConvParams{Stride: 1, Pad: 1}); err != nil {
				t.Fatal(err)
			}
			v := get(t, e, dw)
			if first == nil {
				first = v
			}
			for i := range v {
				if v[i] != first[i] {
					t.Fatalf("%v: element %d is %g, was %g", a, i, v[i], first[i])
				}
			}
		}
	}
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []convCase{{1, 100, 168, 256, 256, 3, 1, 1, 1}, {1, 50, 84, 256, 256, 3, 1, 1, 1}, {1, 100, 168, 128, 512, 1, 1, 0, 1}, {1, 200, 336, 64, 64, 3, 1, 1, 1}} {
		for _, a := range []Algorithm{OneDNN, Winograd} {
			b.Run(fmt.Sprintf("%v/%v", a, c), func(b *testing.B) {
				e := start(b, Options{Algorithm: a})
				r := rand.New(rand.NewPCG(1, 2))
				x, w, y := put(b, e, normal(r, c.n*c.h*c.w*c.c), c.n, c.h, c.w, c.c), put(b, e, normal(r, c.k*c.c*c.r*c.r), c.k, c.c, c.r, c.r), put(b, e, nil, c.n, c.h, c.w, c.k)
				for b.Loop() {
					if err := e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: c.pad}); err != nil {
						b.Fatal(err)
					}
				}
				flop := 2 * float64(c.n*c.h*c.w*c.c*c.k*c.r*c.r)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
