package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"
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
