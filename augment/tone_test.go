package augment

import (
	"math"
	"math/rand/v2"
	"testing"
)

// shade applies a colour map as its documentation defines it.
func shade(c Colour, rgb [3]float64) [3]float64 {
	c = c.full()
	var out [3]float64
	for row := range out {
		v := float64(c.M[4*row+3])
		for col := range 3 {
			v += float64(c.M[4*row+col]) * rgb[col]
		}
		out[row] = 255 * math.Pow(min(max(v, 0), 255)/255, float64(c.Gamma))
	}
	return out
}

func TestTones(t *testing.T) {
	t.Parallel()
	rgb := [3]float64{100, 150, 50}
	const grey = .299*100 + .587*150 + .114*50 // 123.65
	for name, c := range map[string]struct {
		c    Colour
		want [3]float64
	}{
		"none":            {Colour{}, rgb},
		"brightness":      {Brightness(1.5), [3]float64{150, 225, 75}},
		"brightness clip": {Brightness(2), [3]float64{200, 255, 100}},
		"contrast":        {Contrast(.5), [3]float64{113.75, 138.75, 88.75}},
		"contrast 0":      {Contrast(0), [3]float64{127.5, 127.5, 127.5}},
		"saturation":      {Saturation(.5), [3]float64{(100 + grey) / 2, (150 + grey) / 2, (50 + grey) / 2}},
		"gray":            {Saturation(0), [3]float64{grey, grey, grey}},
		"third of a turn": {Hue(2 * math.Pi / 3), [3]float64{50, 100, 150}},
		"whole turn":      {Hue(2 * math.Pi), rgb},
		"half a turn":     {Hue(math.Pi), [3]float64{100, 50, 150}}, // 2/3 of the sum of all minus the colour
		"order":           {Channels([3]int{2, 0, 1}), [3]float64{50, 100, 150}},
		"gamma":           {Colour{Gamma: 2}, [3]float64{100 * 100 / 255., 150 * 150 / 255., 50 * 50 / 255.}},
		"two":             {Brightness(1.2).Then(Contrast(.5)), [3]float64{(120-127.5)/2 + 127.5, (180-127.5)/2 + 127.5, (60-127.5)/2 + 127.5}},
		"gammas":          {Colour{Gamma: 2}.Then(Colour{Gamma: .5}), rgb},
	} {
		got := shade(c.c, rgb)
		for k := range got {
			near(t, name, got[k], c.want[k])
		}
	}
}

// A hue keeps greys and the sum of the channels, and two turns add.
func TestHue(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		a, b := r.Float64()-.5, r.Float64()-.5
		grey := 255 * r.Float64()
		for _, v := range shade(Hue(a), [3]float64{grey, grey, grey}) {
			near(t, "grey", v, grey)
		}
		rgb := [3]float64{100 + 20*r.Float64(), 100 + 20*r.Float64(), 100 + 20*r.Float64()}
		one, two := shade(Hue(a+b), rgb), shade(Hue(a).Then(Hue(b)), rgb)
		near(t, "sum", one[0]+one[1]+one[2], rgb[0]+rgb[1]+rgb[2])
		for k := range one {
			near(t, "turns", two[k], one[k])
		}
	}
}

func TestIsIdentity(t *testing.T) {
	t.Parallel()
	if !(Colour{}).IsIdentity() || !NoColour.IsIdentity() || Brightness(1.1).IsIdentity() || (Colour{Gamma: 2}).IsIdentity() {
		t.Error("a map that changes nothing is another than the identity")
	}
}
