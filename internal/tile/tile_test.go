package tile

import (
	"math"
	"slices"
	"testing"
)

func TestStarts(t *testing.T) {
	for _, k := range []struct {
		side, tile, shared int
		want               []int
	}{
		{100, 100, 20, []int{0}},
		{90, 100, 20, []int{0}},
		{101, 100, 20, []int{0, 1}},
		{180, 100, 20, []int{0, 80}},      // they share just 20
		{181, 100, 20, []int{0, 40, 81}},  // one more, evenly
		{300, 100, 0, []int{0, 100, 200}}, // no overlap
	} {
		if got := starts(k.side, k.tile, k.shared); !slices.Equal(got, k.want) {
			t.Errorf("%+v: %v", k, got)
		}
	}
}

// Tiles cover the image, lie in it, have one size, and share the overlap with the next.
func TestParts(t *testing.T) {
	g := Grid{Side: 100, Overlap: .25}
	if err := g.Check(); err != nil {
		t.Error(err)
	}
	if g.Shared() != 25 || !g.Fits(100, 90) || g.Fits(101, 90) {
		t.Errorf("%d pixels are shared", g.Shared())
	}
	if got := g.Parts(60, 180); !slices.Equal(got, []Part{{0, 0, 60, 100}, {0, 40, 60, 100}, {0, 80, 60, 100}}) {
		t.Errorf("a narrow image: %v", got)
	}
	if got := g.Parts(60, 80); !slices.Equal(got, []Part{{0, 0, 60, 80}}) {
		t.Errorf("a small image: %v", got)
	}
}

func TestCheck(t *testing.T) {
	for _, g := range []Grid{{}, {Side: -100}, {Side: 31}, {Side: 32, Overlap: .91}, {Side: 32, Overlap: -.1}, {Side: 32, Overlap: math.NaN()}} {
		if g.Check() == nil {
			t.Errorf("%+v is no error", g)
		}
	}
}
