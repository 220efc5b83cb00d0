package anchors

import (
	"math"
	"testing"

	"retinago/box"
)

// By hand: size 32, ratio 1/2: h = 32*sqrt(.5) = 22.627, w = 45.255; ratio 2 the other way round.
func TestBase(t *testing.T) {
	t.Parallel()
	c := Config{Strides: []int{8}, Sizes: []float64{32}, Scales: []float64{1, 1.26}, Ratios: []float64{.5, 1, 2}}
	want := [][2]float64{ // w/2, h/2: ratios outer, scales inner
		{22.627417, 11.313708}, {28.510546, 14.255273}, {16, 16}, {20.16, 20.16}, {11.313708, 22.627417}, {14.255273, 28.510546},
	}
	for i, b := range c.Base(0) {
		if math.Abs(float64(b.X2)-want[i][0]) > 1e-5 || math.Abs(float64(b.Y2)-want[i][1]) > 1e-5 || b.X1 != -b.X2 || b.Y1 != -b.Y2 {
			t.Errorf("anchor %d is %v, want half sizes %v", i, b, want[i])
		}
	}
	// torchvision: int(32*1.26) = 40; 40/sqrt(2) = 28.28 is h, 56.57 w; halves 14.14 and 28.28 are rounded.
	c.IntegerSizes = true
	if got, want := c.Base(0)[1], (box.Box{X1: -28, Y1: -14, X2: 28, Y2: 14}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	// Half to even: side 9 has halves of 4.5, side 11 of 5.5.
	c.Sizes, c.Scales, c.Ratios = []float64{1}, []float64{9, 11}, []float64{1}
	if a, b := c.Base(0)[0], c.Base(0)[1]; a.X2 != 4 || b.X2 != 6 {
		t.Errorf("halves of 9 and 11 are %v and %v, want 4 and 6", a.X2, b.X2)
	}
}

func TestTruncateForgivesRounding(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]float64{40.317: 40, 50.99: 50, 63.99999999: 64, 64: 64} {
		if got := truncate(in); got != want {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
}

func TestGridOrder(t *testing.T) {
	t.Parallel()
	c := Config{Strides: []int{8, 16}, Sizes: []float64{10, 20}, Scales: []float64{1}, Ratios: []float64{1}}
	got := c.Grid(16, 24, [][2]int{{2, 3}, {1, 2}})
	want := []box.Box{
		{X1: -5, Y1: -5, X2: 5, Y2: 5}, {X1: 3, Y1: -5, X2: 13, Y2: 5}, {X1: 11, Y1: -5, X2: 21, Y2: 5},
		{X1: -5, Y1: 3, X2: 5, Y2: 13}, {X1: 3, Y1: 3, X2: 13, Y2: 13}, {X1: 11, Y1: 3, X2: 21, Y2: 13},
		{X1: -10, Y1: -10, X2: 10, Y2: 10}, {X1: 6, Y1: -10, X2: 26, Y2: 10},
	}
	if len(got) != len(want) {
		t.Fatalf("%d anchors, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("anchor %d is %v, want %v", i, got[i], want[i])
		}
	}
	if len(c.Grid(0, 0, [][2]int{{0, 0}, {0, 5}})) != 0 {
		t.Error("empty maps have anchors")
	}
}

// An image of 800 x 800 px: cells of 8, 16, ... 128 px, rounded up.
func TestGridSize(t *testing.T) {
	t.Parallel()
	hw := [][2]int{{100, 100}, {50, 50}, {25, 25}, {13, 13}, {7, 7}}
	if got := len(Default().Grid(800, 800, hw)); got != 120087 {
		t.Errorf("%d anchors, want 120087", got)
	}
}

func TestGridPanicsOnLevels(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Default().Grid(8, 8, [][2]int{{1, 1}})
}

// A level's map halves the one before, rounding up, and the anchors of the levels follow each other.
func TestCells(t *testing.T) {
	c := Default()
	for _, hw := range [][2]int{{256, 320}, {100, 37}, {1, 1}, {33, 129}} {
		h, w := (hw[0]+3)/4, (hw[1]+3)/4
		cells := c.Cells(hw[0], hw[1])
		starts := c.Starts(cells)
		for l, got := range cells {
			h, w = (h+1)/2, (w+1)/2
			if got != [2]int{h, w} || starts[l+1]-starts[l] != 9*h*w {
				t.Errorf("level %d of %v has %v cells and %d anchors, want %dx%d", l, hw, got, starts[l+1]-starts[l], h, w)
			}
		}
		if n := len(c.Grid(hw[0], hw[1], cells)); starts[len(cells)] != n {
			t.Errorf("%d anchors of %v, want %d", starts[len(cells)], hw, n)
		}
	}
}
