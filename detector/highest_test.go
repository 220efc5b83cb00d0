package detector

import (
	"math"
	"testing"
)

// The highest score is the logistic function of the largest logit of the image, among the classes that are wanted.
func TestHighest(t *testing.T) {
	raw := &Raw{N: 2, Classes: 2, Logits: [][]float32{{-3, -4, -2, -9, 1, 1, 1, 1}, {-1, -5, 2, 2}}}
	for _, k := range []struct {
		i    int
		d    Decoding
		want float64 // logit
	}{
		{0, Decoding{Score: .5}, -1},
		{1, Decoding{Score: .5}, 2},
		{0, Decoding{Only: []bool{false, true}}, -4},
		{0, Decoding{Scores: []float32{1.5, .5}}, -4},
		{0, Decoding{Scores: []float32{.9, .5}}, -1},
	} {
		if got, want := raw.highest(k.i, k.d), float32(1/(1+math.Exp(-k.want))); got != want {
			t.Errorf("picture %d, %+v: %g, want %g", k.i, k.d, got, want)
		}
	}
	if got := raw.highest(0, Decoding{Only: make([]bool, 2)}); got != 0 {
		t.Errorf("no class is wanted: %g", got)
	}
}
