package quant

import (
	"math"
	"math/rand/v2"
	"testing"
)

func histogram(t testing.TB, parts ...[]float32) *Histogram {
	t.Helper()
	h := &Histogram{}
	for _, p := range parts {
		if err := h.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestHistogram(t *testing.T) {
	// The first values set a width of 1/2048; 3 makes it 4/2048, and bins are joined.
	h := histogram(t, []float32{0, .5, -.25, .9999}, []float32{3, 0})
	if h.Least != -.25 || h.Most != 3 || h.Count != 6 || h.above[0] != 0 {
		t.Errorf("least %g, most %g, %d values, %d of them in the first bin", h.Least, h.Most, h.Count, h.above[0])
	}
	for i, n := range map[int]int64{256: 1, 511: 1, 1536: 1} {
		if h.above[i] != n {
			t.Errorf("bin %d has %d, want %d", i, h.above[i], n)
		}
	}
	if h.below[128] != 1 {
		t.Error("-.25 is not in bin 128")
	}
	if h := histogram(t, []float32{0, 0}); h.Count != 2 || (Method{Kind: "entropy"}).Range(h) != (Range{}) {
		t.Errorf("two zeros count %d", h.Count)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if new(Histogram).Add([]float32{1, float32(v)}) == nil {
			t.Errorf("no error for %g", v)
		}
	}
}

func TestMethods(t *testing.T) {
	// 10000 values from .001 to 10, one of 80, and one of -.5.
	v := []float32{80, -.5}
	for i := range 10000 {
		v = append(v, float32(i+1)/1000)
	}
	h := histogram(t, v)
	if r := (Method{Kind: "minmax"}).Range(h); r != (Range{-.5, 80}) {
		t.Errorf("minmax gives %v", r)
	}
	// A bin is 1/16 wide. 99.9% leave ten values beyond: 80 and 10, and eight of the 62 from 9.9375 on, which stay.
	if r := (Method{Kind: "percentile", Percentile: 99.9}).Range(h); r.Most != 10 || r.Least != 0 {
		t.Errorf("percentile 99.9 gives %v", r)
	}
	if r := (Method{Kind: "percentile", Percentile: 100}).Range(h); r != (Range{-.5, 80}) {
		t.Errorf("percentile 100 gives %v", r)
	}
}

func TestEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	// An exponential's tail is clipped, though not where much of it lies; of a uniform distribution nothing is.
	exponential, uniform := make([]float32, 1<<18), make([]float32, 1<<18)
	for i := range exponential {
		exponential[i], uniform[i] = float32(r.ExpFloat64()), float32(r.Float64())
	}
	exponential[0] = 60
	if got := (Method{Kind: "entropy"}).Range(histogram(t, exponential)).Most; got < 5 || got > 20 {
		t.Errorf("the exponential is clipped at %g", got)
	}
	if got := (Method{Kind: "entropy"}).Range(histogram(t, uniform)).Most; got < .99 {
		t.Errorf("the uniform distribution is clipped at %g", got)
	}
	// With fewer bins in use than there are steps there is nothing to gain.
	if got := (Method{Kind: "entropy"}).Range(histogram(t, []float32{.1, .2, .3})); got.Most != .3 {
		t.Errorf("three values give %v", got)
	}
}

func TestMethodCheck(t *testing.T) {
	for _, m := range []Method{{}, {Kind: "median"}, {Kind: "percentile"}, {Kind: "percentile", Percentile: 101}, {Kind: "percentile", Percentile: math.NaN()}} {
		if m.Check() == nil {
			t.Errorf("no error for %+v", m)
		}
	}
}
