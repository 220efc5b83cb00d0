package picture

import (
	"math"
	"testing"
)

// matrix is a linear map of colours.
type matrix [3][3]float64

func (m matrix) of(v [3]float64) (o [3]float64) {
	for i := range o {
		for j := range v {
			o[i] += m[i][j] * v[j]
		}
	}
	return o
}

var (
	// Oklab's matrices. (Ottosson 2020, "A perceptual color space for image processing".)
	toCones = matrix{{.4122214708, .5363325363, .0514459929}, {.2119034982, .6806995451, .1073969566}, {.0883024619, .2817188376, .6299787005}}
	toOklab = matrix{{.2104542553, .7936177850, -.0040720468}, {1.9779984951, -2.4285922050, .4505937099}, {.0259040371, .7827717662, -.8086757660}}
	// visions are normal vision, protanopia and deuteranopia. (Machado et al. 2009, severity 1.)
	visions = [3]matrix{
		{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		{{.152286, 1.052583, -.204868}, {.114503, .786281, .099216}, {-.003882, -.048116, 1.051998}},
		{{.367322, .860646, -.227968}, {.280085, .672501, .047413}, {-.011820, .042940, .968881}},
	}
)

// seen is a colour in Oklab, with each kind of vision.
type seen [3][3]float64

func see(c [3]uint8) (s seen) {
	for i, v := range visions {
		l := v.of(linear(c))
		for k := range l {
			l[k] = min(max(l[k], 0), 1)
		}
		l = toCones.of(l)
		for k := range l {
			l[k] = math.Cbrt(l[k])
		}
		s[i] = toOklab.of(l)
	}
	return s
}

// apart is the distance of two colours to the vision that tells them apart least.
func (s seen) apart(o seen) float64 {
	least := math.Inf(1)
	for i := range s {
		d := 0.
		for k := range s[i] {
			d += (s[i][k] - o[i][k]) * (s[i][k] - o[i][k])
		}
		least = min(least, math.Sqrt(d))
	}
	return least
}

// The matrices keep white, and Oklab's numbers of red are those of its page.
func TestVision(t *testing.T) {
	for i, v := range see([3]uint8{255, 255, 255}) {
		if math.Abs(v[0]-1) > 1e-3 || math.Abs(v[1]) > 1e-3 || math.Abs(v[2]) > 1e-3 {
			t.Errorf("vision %d: white is %v", i, v)
		}
	}
	if v := see([3]uint8{255, 0, 0})[0]; math.Abs(v[0]-.628) > 1e-3 || math.Abs(v[1]-.225) > 1e-3 || math.Abs(v[2]-.126) > 1e-3 {
		t.Errorf("red is %v", v)
	}
	green, red := see([3]uint8{0, 158, 0}), see([3]uint8{255, 0, 0})
	if d := green.apart(red); d > .15 {
		t.Errorf("red and green are %.3f apart to those who cannot tell them apart", d)
	}
}

// Colours of different classes are told apart with normal vision, protanopia and deuteranopia. A distance of .02 in Oklab is just noticeable.
func TestPaletteDistances(t *testing.T) {
	var all []seen
	for c := range palette {
		s := see(Color(c))
		least := .03
		if c < 22 {
			least = .075
		}
		for o, before := range all {
			if d := s.apart(before); d < least {
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
		seen
		near float64
	}
	var candidates []candidate
	for v := range 16 * 16 * 16 {
		c := candidate{color: [3]uint8{uint8(v >> 8 * 17), uint8(v >> 4 & 15 * 17), uint8(v & 15 * 17)}, near: math.Inf(1)}
		c.seen = see(c.color)
		if l := c.seen[0]; l[0] >= .42 && l[0] <= .93 && math.Hypot(l[1], l[2]) >= .05 {
			candidates = append(candidates, c)
		}
	}
	for k := range palette {
		s, near, best := see(Color(k)), math.Inf(1), candidate{}
		for o := range k {
			near = min(near, s.apart(see(Color(o))))
		}
		for i, c := range candidates {
			if c.near > best.near {
				best = c
			}
			candidates[i].near = min(c.near, c.apart(s))
		}
		if k >= 7 && near < best.near-1e-6 {
			t.Fatalf("colour %d is %.4f from those before it; %v is %.4f", k, near, best.color, best.near)
		}
	}
}

// Letters are read on all colours. (WCAG 2.1, 1.4.3: 4.5.)
func TestContrast(t *testing.T) {
	if c := contrast([3]uint8{}, [3]uint8{255, 255, 255}); math.Abs(c-21) > 1e-9 {
		t.Errorf("black and white have a contrast of %v", c)
	}
	for c := range palette {
		if got := contrast(Color(c), ink(Color(c))); got < 4.5 {
			t.Errorf("letters on the colour of class %d have a contrast of %.2f", c, got)
		}
	}
	if got := contrast(plateColor, white); got < 4.5 {
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
