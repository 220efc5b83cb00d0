package augment

// Colour maps the colours of pixels: each row of M, [3][4], times (R, G, B, 1), clipped to [0,255], and then 255*(v/255)^Gamma
// with a Gamma that is neither 0 nor 1. Channels are in [0,255]. The zero Colour changes nothing.
type Colour struct {
	M     [12]float32
	Gamma float32
}

// NoColour is the map that changes nothing, in full.
var NoColour = Colour{M: [12]float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, Gamma: 1}

// full replaces zero values.
func (c Colour) full() Colour {
	if c.M == ([12]float32{}) {
		c.M = NoColour.M
	}
	if c.Gamma == 0 {
		c.Gamma = 1
	}
	return c
}

// IsIdentity reports whether c changes nothing.
func (c Colour) IsIdentity() bool { return c.full() == NoColour }

// Then returns the map that applies c first and d to its result. The Gammas multiply and come last; what c would clip before d is
// clipped once, at the end.
func (c Colour) Then(d Colour) Colour {
	c, d = c.full(), d.full()
	out := Colour{Gamma: c.Gamma * d.Gamma}
	for r := range 3 {
		for k := range 4 {
			var v float64
			for j := range 3 {
				v += float64(d.M[4*r+j]) * float64(c.M[4*j+k])
			}
			if k == 3 {
				v += float64(d.M[4*r+3])
			}
			out.M[4*r+k] = float32(v)
		}
	}
	return out
}
