package picture

import (
	"math"
	"testing"

	"retinago/internal/vision"
)

// Colours of different classes are told apart with normal vision, protanopia and deuteranopia. A distance of .02 in Oklab is just noticeable.
func TestPaletteDistances(t *testing.T) {
	var all []vision.Seen
	for c := range palette {
		s := vision.See(Color(c))
		least := .03
		if c < 22 {
			least = .075
		}
		for o, before := range all {
			if d := s.Apart(before); d < least {
				t.Errorf("the colours of classes %d and %d are %.3f apart, want %.3f", o, c, d, least)
			}
		}
		all = append(all, s)
	}
}

// Behind Okabe's and Ito's, each colour is the farthest from those before it.
func TestPaletteOrder(t *testing.T) {
	type candidate struct {
		color [3]uint8
		vision.Seen
		near float64
	}
	var candidates []candidate
	for v := range 16 * 16 * 16 {
		c := candidate{color: [3]uint8{uint8(v >> 8 * 17), uint8(v >> 4 & 15 * 17), uint8(v & 15 * 17)}, near: math.Inf(1)}
		c.Seen = vision.See(c.color)
		if l := c.Seen[0]; l[0] >= .42 && l[0] <= .93 && math.Hypot(l[1], l[2]) >= .05 {
			candidates = append(candidates, c)
		}
	}
	for k := range palette {
		s, near, best := vision.See(Color(k)), math.Inf(1), candidate{}
		for o := range k {
			near = min(near, s.Apart(vision.See(Color(o))))
		}
		for i, c := range candidates {
			if c.near > best.near {
				best = c
			}
			candidates[i].near = min(c.near, c.Apart(s))
		}
		if k >= 7 && near < best.near-1e-6 {
			t.Fatalf("colour %d is %.4f from those before it; %v is %.4f", k, near, best.color, best.near)
		}
	}
}

// Letters are read on all colours. (WCAG 2.1, 1.4.3: 4.5.)
func TestContrast(t *testing.T) {
	for c := range palette {
		if got := vision.Contrast(Color(c), ink(Color(c))); got < 4.5 {
			t.Errorf("letters on the colour of class %d have a contrast of %.2f", c, got)
		}
	}
	if got := vision.Contrast(plateColor, white); got < 4.5 {
		t.Errorf("letters of captions have a contrast of %.2f", got)
	}
}

// The first 80 classes have colours that can be told apart.
func TestColours(t *testing.T) {
	classes := map[[3]uint8]int{}
	for c := range 80 {
		if d, ok := classes[Color(c)]; ok {
			t.Errorf("classes %d and %d have one colour", c, d)
		}
		classes[Color(c)] = c
	}
}

// Any index has a colour.
func TestColor(t *testing.T) {
	for _, c := range []int{-1, 0, 79, 80, math.MaxInt, math.MinInt} {
		if Color(c) == [3]uint8{} {
			t.Errorf("class %d is black", c)
		}
	}
	if Color(80) != Color(0) || Color(-1) != Color(79) {
		t.Error("the colours do not repeat")
	}
}
