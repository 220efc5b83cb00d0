package enginetest

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Put makes a tensor on the engine of v, []float32 or []int32; nil is zeros of float32.
func Put(t testing.TB, e engine.Engine, v any, shape ...int) *tensor.Dense {
	t.Helper()
	dt := tensor.Float32
	if _, ok := v.([]int32); ok {
		dt = tensor.Int32
	}
	d := Empty(t, e, dt, shape...)
	if v != nil {
		Must(t, e.Upload(d, v))
	}
	return d
}

// Empty makes a tensor of any type.
func Empty(t testing.TB, e engine.Engine, dt tensor.Dtype, shape ...int) *tensor.Dense {
	t.Helper()
	d, err := e.New(dt, shape...)
	Must(t, err)
	return d
}

// Bytes makes a tensor with room behind it, as the 8-bit kernels want it.
func Bytes(t testing.TB, e engine.Engine, v []uint8, shape ...int) *tensor.Dense {
	t.Helper()
	mem, err := e.Alloc(int64(tensor.Shape(shape).TotalSize()) + 64)
	Must(t, err)
	d := e.At(mem, 0, tensor.Uint8, shape...)
	copy(d.Data().([]uint8), v)
	return d
}

// Get copies a tensor of float32 from the engine.
func Get(t testing.TB, e engine.Engine, d *tensor.Dense) []float32 {
	t.Helper()
	v := make([]float32, d.Shape().TotalSize())
	Must(t, e.Download(v, d))
	return v
}

// Normal draws n normal numbers.
func Normal(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// Drawn is Normal with numbers of a seed.
func Drawn(seed uint64, n int) []float32 { return Normal(rand.New(rand.NewPCG(seed, 7)), n) }

// Filled is n times v.
func Filled(n int, v float32) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = v
	}
	return s
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

// AlmostEqual fails unless got is want to a tolerance relative to the root mean square of want.
func AlmostEqual(t testing.TB, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	if d := far(got, want); !(d <= tol) {
		t.Errorf("%s: off by %.2g of its root mean square", what, d)
	}
}

// Apart is the largest difference relative to the root mean square of want, and where it is. NaN equals NaN.
func Apart(got, want []float32) (worst float64, at int) {
	var square float64
	finite := 0
	for _, w := range want {
		if v := float64(w); v == v && !math.IsInf(v, 0) {
			square += v * v
			finite++
		}
	}
	scale := math.Sqrt(square/float64(max(finite, 1))) + 1e-30
	for i, w := range want {
		g := got[i]
		if g == w || g != g && w != w {
			continue
		}
		d := math.Abs(float64(g)-float64(w)) / scale
		if d != d {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	return worst, at
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
