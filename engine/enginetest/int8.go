package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

func randomBytes(r *rand.Rand, n int) []uint8 {
	v := make([]uint8, n)
	for i := range v {
		v[i] = uint8(r.IntN(256))
	}
	return v
}

// int8Case is a convolution with everything that it may have.
type int8Case struct {
	convCase
	border   uint8
	residual bool
	slope    float32 // 1 is no activation
	float    bool    // output
}

func (c int8Case) String() string {
	return fmt.Sprintf("%v-b%d-res%v-a%g-f%v", c.convCase, c.border, c.residual, c.slope, c.float)
}

var int8Cases = []int8Case{
	{convCase{1, 1, 1, 1, 1, 1, 1, 0, 1}, 0, false, 0, false},
	{convCase{1, 1, 1, 5, 3, 3, 1, 1, 1}, 7, false, 1, false},
	{convCase{2, 5, 7, 64, 64, 1, 1, 0, 1}, 0, true, 0, false},
	{convCase{1, 13, 9, 32, 64, 3, 1, 1, 1}, 0, false, 0, false},
	{convCase{2, 6, 5, 17, 33, 3, 1, 1, 1}, 131, true, 1, false},
	{convCase{1, 9, 14, 20, 130, 3, 2, 1, 1}, 128, false, 0, false},
	{convCase{1, 7, 6, 6, 36, 1, 2, 0, 1}, 3, true, .1, false},
	{convCase{1, 11, 10, 3, 16, 7, 2, 3, 1}, 255, false, 0, false},
	{convCase{1, 5, 5, 40, 48, 3, 1, 1, 1}, 9, true, 1, true},
	{convCase{1, 4, 6, 64, 80, 3, 1, 1, 4}, 90, true, 0, false},
	{convCase{1, 5, 4, 12, 12, 3, 1, 1, 4}, 90, false, 1, false},
	{convCase{2, 6, 7, 19, 19, 3, 1, 1, 19}, 17, true, 0, false},
	{convCase{1, 9, 8, 32, 32, 3, 2, 1, 32}, 0, false, 1, true},
	{convCase{1, 3, 4, 6, 12, 3, 1, 1, 6}, 40, false, 0, false},
	{convCase{1, 8, 13, 160, 190, 3, 1, 1, 1}, 128, true, 1, false}, // more weights than are kept at once
}

// Convolutions in 8 bits give the bits of the definition, at the extremes of the types too.
func int8Convolutions(t *testing.T, open Open) {
	e := open(t)
	for _, c := range int8Cases {
		t.Run(c.String(), func(t *testing.T) { int8Convolution(t, e, c) })
	}
}

func int8Convolution(t *testing.T, e engine.Engine, c int8Case) {
	r := rand.New(rand.NewPCG(1, uint64(c.k)))
	oh, ow := c.out()
	x, w := randomBytes(r, c.n*c.h*c.w*c.c), make([]int8, c.k*c.c/c.groups*c.r*c.r)
	outs := c.n * oh * ow * c.k
	res := randomBytes(r, outs)
	for i := range w {
		w[i] = int8(r.IntN(256) - 128)
		if i < len(w)/c.k { // the first filter and the first image's corner are all extremes: pairs would saturate in s16
			w[i] = -128
		}
	}
	for i := range min(len(x), c.c*c.w) {
		x[i] = 255
	}
	init, scale, bias := make([]int32, c.k), make([]float32, c.k), make([]float32, c.k)
	for i := range init {
		init[i], scale[i], bias[i] = int32(r.IntN(20000)-10000), float32(r.Float64()*.002/math.Sqrt(float64(len(w)/c.k))), float32(r.NormFloat64()*20)
	}
	p := engine.Int8Params{ConvParams: engine.ConvParams{Stride: c.stride, Pad: c.pad}, Int8Shape: engine.Int8Shape{K: c.k, C: c.c, R: c.r, S: c.r, Groups: c.groups},
		Border: c.border, Residual: .37, Slope: c.slope, Least: -77, Most: 178, Zero: 77}
	if c.slope == 0 {
		p.Least, p.Most, p.Zero = 0, 255, 0
	}

	sums := make([]int64, outs)
	for i := range sums {
		sums[i] = int64(init[i%c.k])
	}
	// The border is what the taps read that each leaves out: all products less those inside.
	inside := make([]int64, outs)
	c.each(func(y, xi, wi int) {
		sums[y] += int64(x[xi]) * int64(w[wi])
		inside[y] += int64(w[wi])
	})
	per := len(w) / c.k
	for y := range sums {
		k := y % c.k
		var all int64
		for _, v := range w[k*per : (k+1)*per] {
			all += int64(v)
		}
		sums[y] += int64(c.border) * (all - inside[y])
	}

	want := make([]float32, outs)
	for i, sum := range sums {
		v := fma(float32(int32(sum)), scale[i%c.k], bias[i%c.k])
		if c.residual {
			v = fma(float32(res[i]), p.Residual, v)
		}
		if v < 0 {
			v *= p.Slope
		}
		want[i] = min(max(v, p.Least), p.Most)
	}
	dx, packed := Bytes(t, e, x, c.n, c.h, c.w, c.c), pack(t, e, w, p.Int8Shape)
	di := Empty(t, e, tensor.Int32, c.k)
	Must(t, e.Upload(di, init))
	ds, db := Put(t, e, scale, c.k), Put(t, e, bias, c.k)
	var dr *tensor.Dense
	if c.residual {
		dr = Bytes(t, e, res, c.n, oh, ow, c.k)
	}
	dt := tensor.Uint8
	if c.float {
		dt = tensor.Float32
	}
	y := Empty(t, e, dt, c.n, oh, ow, c.k)
	Must(t, int8Of(t, e).ConvInt8(y, dx, packed, di, ds, db, dr, p))
	for i, v := range want {
		if c.float {
			if got := y.Data().([]float32)[i]; got != v {
				t.Fatalf("output %d is %g, want %g", i, got, v)
			}
			continue
		}
		q := uint8(int(math.RoundToEven(float64(v))) + int(p.Zero))
		if got := y.Data().([]uint8)[i]; got != q {
			t.Fatalf("output %d is %d, want %d", i, got, q)
		}
	}
}

// fma is a*b + c rounded once: the product is exact in float64, and so is the sum but for cases that these tests lack.
func fma(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }

func pack(t testing.TB, e engine.Engine, w []int8, s engine.Int8Shape) *tensor.Dense {
	t.Helper()
	d, err := int8Of(t, e).PackInt8(w, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func quantize(t *testing.T, open Open) {
	e := open(t)
	// q = round(v/.5) + 100, ties to even, clamped to a byte.
	x := []float32{0, .5, .2, .3, -.25, .25, .75, -50, -51, 77.5, 1e9, float32(math.Inf(-1))}
	want := []uint8{100, 101, 100, 101, 100, 100, 102, 0, 0, 255, 255, 0}
	a := engine.Affine{Scale: .5, Zero: 100}
	y, back := Bytes(t, e, nil, len(x)), Put(t, e, nil, len(x))
	if err := int8Of(t, e).Quantize(y, Put(t, e, x, len(x)), a); err != nil {
		t.Fatal(err)
	}
	if got := y.Data().([]uint8); !slices.Equal(got, want) {
		t.Errorf("bytes are %v, want %v", got, want)
	}
	if err := int8Of(t, e).Dequantize(back, y, a); err != nil {
		t.Fatal(err)
	}
	if got := Get(t, e, back); !slices.Equal(got, []float32{0, .5, 0, .5, 0, 0, 1, -50, -50, 77.5, 77.5, -50}) {
		t.Errorf("values are %v", got)
	}
}

func int8Lookup(t *testing.T, open Open) {
	e := open(t)
	var table [256]uint8
	for i := range table {
		table[i] = uint8(255 - i)
	}
	x := randomBytes(rand.New(rand.NewPCG(1, 1)), 1<<15+3)
	y := Bytes(t, e, nil, len(x))
	if err := int8Of(t, e).LookupInt8(y, Bytes(t, e, x, len(x)), &table); err != nil {
		t.Fatal(err)
	}
	for i, v := range y.Data().([]uint8) {
		if v != 255-x[i] {
			t.Fatalf("%d becomes %d", x[i], v)
		}
	}
}

// Pooling commutes with quantization: it is that of the values.
func int8MaxPool(t *testing.T, open Open) {
	e := open(t)
	x := randomBytes(rand.New(rand.NewPCG(2, 1)), 2*9*7*5)
	f := make([]float32, len(x))
	for i, v := range x {
		f[i] = float32(v)
	}
	p := engine.PoolParams{Kernel: 3, Stride: 2, Pad: 1}
	y, yf := Bytes(t, e, nil, 2, 5, 4, 5), Put(t, e, nil, 2, 5, 4, 5)
	if err := int8Of(t, e).MaxPoolInt8(y, Bytes(t, e, x, 2, 9, 7, 5), p); err != nil {
		t.Fatal(err)
	}
	if err := e.MaxPool(yf, Put(t, e, f, 2, 9, 7, 5), p); err != nil {
		t.Fatal(err)
	}
	for i, v := range Get(t, e, yf) {
		if y.Data().([]uint8)[i] != uint8(v) {
			t.Fatalf("maximum %d is %d, want %g", i, y.Data().([]uint8)[i], v)
		}
	}
}

func int8Upsample(t *testing.T, open Open) {
	e := open(t)
	// One column: lateral (10-8)*.5 = 1, (12-8)*.5 = 2, (8-8)*.5 = 0; top (3-1)*2 = 4 for the first two rows, (0-1)*2 = -2.
	lateral, top := Bytes(t, e, []uint8{10, 12, 8}, 1, 3, 1, 1), Bytes(t, e, []uint8{3, 0}, 1, 2, 1, 1)
	y := Bytes(t, e, nil, 1, 3, 1, 1)
	if err := int8Of(t, e).UpsampleAddInt8(y, top, lateral, engine.Affine{Scale: .25, Zero: 20}, engine.Affine{Scale: 2, Zero: 1}, engine.Affine{Scale: .5, Zero: 8}); err != nil {
		t.Fatal(err)
	}
	if got, want := y.Data().([]uint8), []uint8{5*4 + 20, 6*4 + 20, -2*4 + 20}; !slices.Equal(got, want) {
		t.Errorf("sum is %v, want %v", got, want)
	}
}

// int8Of is what an engine computes in 8 bits with.
func int8Of(t testing.TB, e engine.Engine) engine.Int8 {
	t.Helper()
	i, ok := engine.As[engine.Int8](e, engine.EightBit)
	if !ok {
		t.Skip("this engine does not compute in 8 bits")
	}
	return i
}
