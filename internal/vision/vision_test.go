package vision

import (
	"math"
	"testing"
)

// White stays white, red is as Ottosson's page has it, and red and green are near to those who cannot tell them apart.
func TestSee(t *testing.T) {
	near := func(v [3]float64, l, a, b float64) bool {
		return math.Abs(v[0]-l) < 1e-3 && math.Abs(v[1]-a) < 1e-3 && math.Abs(v[2]-b) < 1e-3
	}
	for i, v := range See([3]uint8{255, 255, 255}) {
		if !near(v, 1, 0, 0) {
			t.Errorf("kind %d: white is %v", i, v)
		}
	}
	red, green := See([3]uint8{255, 0, 0}), See([3]uint8{0, 158, 0})
	if !near(red[0], .628, .225, .126) {
		t.Errorf("red is %v", red[0])
	}
	if d := green.Apart(red); d > .15 {
		t.Errorf("red and green are %.3f apart", d)
	}
	if d := red.Apart(red); d != 0 {
		t.Errorf("red is %v from itself", d)
	}
}

func TestContrast(t *testing.T) {
	black, white := [3]uint8{}, [3]uint8{255, 255, 255}
	if c := Contrast(black, white); math.Abs(c-21) > 1e-9 {
		t.Errorf("black and white have a contrast of %v", c)
	}
	if c := Contrast(white, white); c != 1 {
		t.Errorf("white has a contrast of %v to itself", c)
	}
	if c := Contrast([3]uint8{0x76, 0x76, 0x76}, white); math.Abs(c-4.54) > .01 { // the darkest gray of WCAG's 4.5
		t.Errorf("#767676 on white has a contrast of %v", c)
	}
}
