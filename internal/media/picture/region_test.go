package picture

import (
	"math"
	"testing"
)

func gray(w, h int) *Picture {
	p := New(w, h)
	for i := range p.Pix {
		p.Pix[i] = 100
	}
	return p
}

// bright returns the number of nearly white pixels that keep holds for.
func bright(p *Picture, keep func(x, y int) bool) (n int) {
	for y := range p.H {
		for x := range p.W {
			if r, g, b := p.At(x, y); min(r, g, b) > 200 && keep(x, y) {
				n++
			}
		}
	}
	return n
}

// A line has dashes of both colours, which no frame of an object has, and an arrow to its right.
func TestLine(t *testing.T) {
	p := gray(320, 240)
	if err := Line(p, [2]float64{0, 120}, [2]float64{320, 120}, "line 1"); err != nil {
		t.Fatal(err)
	}
	changes, last := 0, uint8(0)
	for x := range 120 {
		r, g, b := p.At(x, 120)
		if c := [3]uint8{r, g, b}; c != white && c != plateColor {
			t.Fatalf("pixel %d of the line is %v", x, c)
		}
		if x > 0 && r != last {
			changes++
		}
		last = r
	}
	if changes < 8 {
		t.Errorf("%d dashes", changes)
	}
	for _, k := range []struct {
		name   string
		a, b   [2]float64
		dx, dy float64 // the direction of the arrow
	}{
		{"to the east", [2]float64{0, 120}, [2]float64{320, 120}, 0, 1},
		{"to the west", [2]float64{320, 120}, [2]float64{0, 120}, 0, -1},
		{"to the south", [2]float64{160, 0}, [2]float64{160, 240}, -1, 0},
		{"to the north", [2]float64{160, 1e6}, [2]float64{160, -1e6}, 1, 0},
	} {
		p := gray(320, 240)
		if err := Line(p, k.a, k.b, ""); err != nil {
			t.Fatal(err)
		}
		// beside counts pixels that are so far ahead of the line, beside the arrow's shaft.
		beside := func(least, most float64) int {
			return bright(p, func(x, y int) bool {
				u, v := float64(x)-160, float64(y)-120
				ahead := u*k.dx + v*k.dy
				return ahead >= least && ahead <= most && math.Abs(u*k.dy-v*k.dx) > 2
			})
		}
		if ahead, behind := beside(3, 20), beside(-20, -3); ahead < 4 || behind != 0 {
			t.Errorf("%s: the head of the arrow has %d pixels to the right, %d to the left", k.name, ahead, behind)
		}
	}
}

// The arrow of a line at the border of the image is whole.
func TestLineAtBorder(t *testing.T) {
	middle, border := gray(320, 240), gray(320, 240)
	for p, y := range map[*Picture]float64{middle: 120, border: 238} {
		if err := Line(p, [2]float64{0, y}, [2]float64{320, y}, ""); err != nil {
			t.Fatal(err)
		}
	}
	want := bright(middle, func(_, y int) bool { return y < 118 || y > 122 })
	got := bright(border, func(_, y int) bool { return y < 236 })
	if want == 0 || got < want/2 {
		t.Errorf("%d white pixels beside the line at the border, %d in the middle", got, want)
	}
}

// The inside of a zone is brighter and still seen, the outside is as it was, and the name stands at its top.
func TestZone(t *testing.T) {
	p := gray(320, 240)
	p.Set(150, 150, 10, 200, 10)
	if err := Zone(p, [][2]float64{{60, 60}, {260, 60}, {260, 220}, {60, 220}}, "zone 1"); err != nil {
		t.Fatal(err)
	}
	if r, g, b := p.At(100, 150); r <= 110 || r >= 200 || r != g || g != b {
		t.Errorf("the inside is %d %d %d", r, g, b)
	}
	if r, g, _ := p.At(150, 150); int(g)-int(r) < 100 {
		t.Errorf("what lies inside is %d %d", r, g)
	}
	for _, at := range [][2]int{{20, 20}, {300, 150}, {150, 235}, {150, 40}} {
		if r, _, _ := p.At(at[0], at[1]); r != 100 {
			t.Errorf("the outside at %v is %d", at, r)
		}
	}
	if n := bright(p, func(x, y int) bool { return x > 62 && x < 110 && y > 63 && y < 80 }); n < 10 {
		t.Errorf("%d pixels of letters", n)
	}
}

// The inside of a polygon that crosses itself is that of the counts: an odd number of crossings.
func TestTint(t *testing.T) {
	p := New(100, 100)
	p.tint([][2]float64{{0, 0}, {100, 0}, {100, 100}, {0, 100}, {0, 0}, {25, 25}, {75, 25}, {75, 75}, {25, 75}, {25, 25}}, white, 1)
	for at, want := range map[[2]int]uint8{{40, 10}: 255, {50, 50}: 0, {90, 50}: 255, {25, 25}: 0, {24, 25}: 255} {
		if r, _, _ := p.At(at[0], at[1]); r != want {
			t.Errorf("%v is %d, want %d", at, r, want)
		}
	}
	p = New(40, 30)
	if p.tint([][2]float64{{10, 10}, {20, 10}, {20, 15}, {10, 15}}, white, 1); painted(p) != 10*5 {
		t.Errorf("%d pixels, want 50", painted(p))
	}
}

// Lines and zones outside of an image, without length or area, and on tiny images.
func TestRegionsAnywhere(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {5, 200}, {64, 48}} {
		p := gray(size[0], size[1])
		for _, v := range [][2][2]float64{{{-9e9, -9e9}, {9e9, 9e9}}, {{3, 3}, {3, 3}}, {{-5, -5}, {-5, 50}}, {{math.MaxFloat64, 0}, {-math.MaxFloat64, 1}}} {
			if err := Line(p, v[0], v[1], "a name that is longer than the image is wide"); err != nil {
				t.Error(err)
			}
			if err := Zone(p, [][2]float64{v[0], v[1], {1e9, -3}}, "a name that is longer than the image is wide"); err != nil {
				t.Error(err)
			}
		}
		if err := Zone(p, nil, "none"); err != nil {
			t.Error(err)
		}
	}
	p := gray(64, 48)
	if err := Line(p, [2]float64{-5, -5}, [2]float64{-5, 50}, "line 1"); err != nil {
		t.Fatal(err)
	}
	if n := bright(p, func(int, int) bool { return true }); n != 0 {
		t.Error("a line outside of the picture is drawn on it")
	}
}
