package track

import (
	"math"
	"testing"
)

// walk shows a counter one track of a class at a row of places.
func walk(c Counter, number, class int, places ...Point) {
	for _, p := range places {
		o := at(float32(p.X), float32(p.Y), .9)
		o.Track, o.Class = number, class
		c.Count([]Object{o, at(5, 5, .9)})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		places []Point
		want   Count
	}{
		{"down", []Point{{50, 90}, {50, 110}}, Count{1, 0}}, // from left to right y grows downwards: its right is below
		{"up", []Point{{50, 110}, {50, 90}}, Count{0, 1}},
		{"there and back", []Point{{50, 90}, {50, 110}, {60, 80}}, Count{1, 1}},
		{"over the line itself", []Point{{50, 90}, {50, 100}, {50, 110}}, Count{1, 0}},
		{"to the line and back", []Point{{50, 90}, {50, 100}, {50, 90}}, Count{}},
		{"from the line", []Point{{50, 100}, {50, 110}}, Count{}},
		{"beside it", []Point{{150, 90}, {150, 110}}, Count{}},
		{"along it", []Point{{10, 90}, {90, 90}}, Count{}},
		{"around its end", []Point{{50, 90}, {150, 90}, {150, 110}, {50, 110}}, Count{}},
		{"far in one step", []Point{{0, 0}, {100, 200}}, Count{1, 0}},
	} {
		l, err := NewLine([]float64{0, 100, 100, 100})
		if err != nil {
			t.Fatal(err)
		}
		walk(l, 1, 3, k.places...)
		if got := l.Counts()[3]; got != k.want || len(l.Counts()) > 1 {
			t.Errorf("%s: %v, want %v", k.name, l.Counts(), k.want)
		}
	}
	l, _ := NewLine([]float64{0, 100, 100, 100})
	walk(l, 1, 0, Point{50, 90}, Point{50, 110})
	walk(l, 2, 1, Point{50, 90}, Point{50, 110})
	walk(l, 3, 1, Point{50, 110}) // another track is no crossing
	if l.Counts()[0] != (Count{1, 0}) || l.Counts()[1] != (Count{1, 0}) {
		t.Errorf("by class %v", l.Counts())
	}
	for _, v := range [][]float64{nil, {1, 2, 3}, {1, 2, 1, 2}, {1, 2, 3, math.NaN()}, {1, 2, 3, 4, 5}} {
		if _, err := NewLine(v); err == nil {
			t.Errorf("a line of %v", v)
		}
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	// A square with a corner cut in: concave.
	corners := []float64{0, 0, 100, 0, 100, 100, 50, 50, 0, 100}
	z, err := NewZone(corners)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		p    Point
		want bool
	}{{Point{50, 20}, true}, {Point{10, 80}, true}, {Point{90, 80}, true}, {Point{50, 80}, false}, {Point{-1, 50}, false}, {Point{101, 50}, false}} {
		if z.holds(k.p) != k.want {
			t.Errorf("%v inside: %v", k.p, !k.want)
		}
	}
	walk(z, 1, 0, Point{-10, 10}, Point{10, 10}, Point{20, 10}, Point{20, -10}) // in and out
	walk(z, 2, 0, Point{20, 10}, Point{20, -10})                                // appeared inside: out
	walk(z, 3, 2, Point{50, 80}, Point{80, 80}, Point{10, 80})                  // in; leaps over the notch
	if z.Counts()[0] != (Count{1, 2}) || z.Counts()[2] != (Count{1, 0}) {
		t.Errorf("counts %v", z.Counts())
	}
	if p := z.Points(); len(p) != 6 || p[0] != p[5] {
		t.Errorf("corners %v", p)
	}
	for _, v := range [][]float64{nil, {1, 2, 3, 4}, {1, 2, 3, 4, 5, 6, 7}, {1, 2, 3, 4, 5, math.Inf(1)}} {
		if _, err := NewZone(v); err == nil {
			t.Errorf("a zone of %v", v)
		}
	}
}

// Tracks that are long gone are forgotten.
func TestForget(t *testing.T) {
	t.Parallel()
	l, _ := NewLine([]float64{0, 100, 100, 100})
	for i := range 3 * forget {
		walk(l, i, 0, Point{50, 90})
	}
	if n := len(l.places); n > 2*forget {
		t.Errorf("%d tracks are kept", n)
	}
}
