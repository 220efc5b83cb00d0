package picture

import (
	"math"
	"testing"
)

func TestStroke(t *testing.T) {
	c := Color(1)
	path := func(p *Picture, points [][2]float64) { p.stroke(points, p.line(), func(float64) [3]uint8 { return c }) }
	p := New(100, 60)
	path(p, [][2]float64{{10, 20}, {60, 20}, {60, 50}})
	for _, at := range [][2]int{{10, 20}, {35, 20}, {60, 20}, {60, 50}} {
		if r, g, b := p.At(at[0], at[1]); [3]uint8{r, g, b} != c {
			t.Errorf("no line at %v", at)
		}
	}
	if n := painted(p); n != 51+30 {
		t.Errorf("%d pixels are painted, want 81", n)
	}
	// Points far outside take no time and paint what crosses the image.
	p = New(100, 60)
	path(p, [][2]float64{{-1e9, 30}, {1e9, 30}, {1e9, 1e9}, {-5, 1e12}})
	if n := painted(p); n != 100 {
		t.Errorf("%d pixels are painted, want 100", n)
	}
	for _, points := range [][][2]float64{nil, {{5, 5}}, {{-9, -9}, {-9, 99}}, {{200, 0}, {200, 60}}} {
		p = New(100, 60)
		if path(p, points); painted(p) != 0 {
			t.Errorf("%v paints", points)
		}
	}
	if path(p, [][2]float64{{5, 5}, {5, 5}}); painted(p) != 1 {
		t.Error("a point is no pixel")
	}
}

func TestClipped(t *testing.T) {
	from, to, ok := clipped([2]float64{-10, 5}, [2]float64{30, 25}, 20, 20, 0)
	if !ok || math.Abs(from[1]-10) > 1e-9 || from[0] != 0 || math.Abs(to[0]-20) > 1e-9 || math.Abs(to[1]-20) > 1e-9 {
		t.Errorf("from %v to %v, %v", from, to, ok)
	}
	if _, _, ok := clipped([2]float64{-10, 15}, [2]float64{10, 35}, 20, 20, 0); ok {
		t.Error("a line past the corner")
	}
}
