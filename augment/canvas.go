package augment

import "math"

// Canvas is what an image is scaled onto.
type Canvas struct {
	W, H        int // px
	Short, Long int // px of an image's sides after scaling, as Resized takes them
}

// Resized returns the size of an image of w x h px after scaling its short side to short px, or less so that its long side keeps within
// long. It is torchvision's to the px: the scale is a float32 that is multiplied from a reciprocal, so that 640x424 becomes 1207x799
// at 800.
func Resized(w, h float64, short, long int) (float64, float64) {
	to := func(want int, have float64) float32 { return float32(1/float32(have)) * float32(want) }
	scale := float64(min(to(short, min(w, h)), to(long, max(w, h))))
	return max(math.Floor(w*scale), 1), max(math.Floor(h*scale), 1)
}

// fit returns the size of an image of w x h px on the canvas: Resized, and smaller where that is too wide or too high.
func (c Canvas) fit(w, h float64, short int) (float64, float64) {
	fw, fh := Resized(w, h, short, c.Long)
	if fw <= float64(c.W) && fh <= float64(c.H) {
		return fw, fh
	}
	scale := min(float64(c.W)/w, float64(c.H)/h)
	return whole(w * scale), whole(h * scale)
}

// whole rounds a size down to whole px, of which it has at least one. A product that rounding took below its whole number counts as that
// number.
func whole(v float64) float64 { return max(math.Floor(v+1e-6), 1) }
