package quant

import (
	"math"
	"slices"
	"testing"

	"retinago/engine"
)

func TestAffine(t *testing.T) {
	for _, c := range []struct {
		r    Range
		want engine.Affine
	}{
		{Range{0, 51}, engine.Affine{Scale: .2}},
		{Range{3, 51}, engine.Affine{Scale: .2}},                // 0 belongs to every range
		{Range{-1, 1.55}, engine.Affine{Scale: .01, Zero: 100}}, // 2.55 over 255 steps
		{Range{-51, -2}, engine.Affine{Scale: .2, Zero: 255}},
		{Range{}, engine.Affine{Scale: 1}},
	} {
		if got := c.r.Affine(); math.Abs(float64(got.Scale-c.want.Scale)) > 1e-7 || got.Zero != c.want.Zero {
			t.Errorf("%v gives %v, want %v", c.r, got, c.want)
		}
	}
}

func TestWeights(t *testing.T) {
	w := []float32{1.27, -.635, .004, 0, 0, 0} // two channels, one of them dead
	s := Scales(w, 2)
	if math.Abs(float64(s[0]-.01)) > 1e-8 || s[1] != 1 {
		t.Errorf("scales %v, want [0.01 1]", s)
	}
	q := Round(w, s)
	if want := []int8{127, -64, 0, 0, 0, 0}; !slices.Equal(q, want) { // -63.5 is a tie, to even
		t.Errorf("rounded to %v, want %v", q, want)
	}
	// What s8 stand for rounds to the same s8, for any scale: a checkpoint comes back as it was.
	for i := range 1000 {
		s := []float32{float32(i+1) * 3.7e-5}
		var all []int8
		for v := -levels; v <= levels; v++ {
			all = append(all, int8(v))
		}
		if got := Round(Values(all, s), s); !slices.Equal(got, all) {
			t.Fatalf("scale %g: %v", s[0], got)
		}
	}
}

func TestCheck(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, s := range []Scheme{
		{Weights: map[string][]float32{"a": {1, 0}}},
		{Weights: map[string][]float32{"a": {nan}}},
		{Weights: map[string][]float32{"a": {}}},
		{Weights: map[string][]float32{"a": {inf}}},
		{Ranges: map[string]Range{"a": {2, 1}}},
		{Ranges: map[string]Range{"a": {nan, 1}}},
		{Ranges: map[string]Range{"a": {0, inf}}},
	} {
		if s.Check() == nil {
			t.Errorf("no error for %v", s)
		}
	}
	good := Scheme{Weights: map[string][]float32{"a": {1}}, Ranges: map[string]Range{"a": {0, 0}}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
