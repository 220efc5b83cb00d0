package augment

import (
	"math"

	"retinago/box"
)

// Affine maps positions: x' = a[0]*x + a[1]*y + a[2] and y' = a[3]*x + a[4]*y + a[5]. Positions are continuous, in px: the pixel
// in column c and row r covers [c,c+1) x [r,r+1).
type Affine [6]float64

// Identity leaves every position where it is.
var Identity = Affine{1, 0, 0, 0, 1, 0}

// Scale multiplies positions.
func Scale(sx, sy float64) Affine { return Affine{sx, 0, 0, 0, sy, 0} }

// Translate adds to positions.
func Translate(dx, dy float64) Affine { return Affine{1, 0, dx, 0, 1, dy} }

// Rotate turns positions clockwise, as images are looked at, by an angle in radians around the origin.
func Rotate(angle float64) Affine {
	sin, cos := math.Sincos(angle)
	return Affine{cos, -sin, 0, sin, cos, 0}
}

// Shear moves positions sideways by kx times their y, and down by ky times their x.
func Shear(kx, ky float64) Affine { return Affine{1, kx, 0, ky, 1, 0} }

// FlipX mirrors an image of width w from left to right.
func FlipX(w float64) Affine { return Affine{-1, 0, w, 0, 1, 0} }

// FlipY mirrors an image of height h from top to bottom.
func FlipY(h float64) Affine { return Affine{1, 0, 0, 0, -1, h} }

// Then returns the map that applies a first and b to its result.
func (a Affine) Then(b Affine) Affine {
	return Affine{
		b[0]*a[0] + b[1]*a[3], b[0]*a[1] + b[1]*a[4], b[0]*a[2] + b[1]*a[5] + b[2],
		b[3]*a[0] + b[4]*a[3], b[3]*a[1] + b[4]*a[4], b[3]*a[2] + b[4]*a[5] + b[5],
	}
}

// Around applies a with (x,y) as the origin.
func (a Affine) Around(x, y float64) Affine { return Translate(-x, -y).Then(a).Then(Translate(x, y)) }

// Area is the factor by which a changes areas.
func (a Affine) Area() float64 { return math.Abs(a[0]*a[4] - a[1]*a[3]) }

// Inverse returns the map that undoes a, and false where there is none: a maps an area to a line.
func (a Affine) Inverse() (Affine, bool) {
	d := a[0]*a[4] - a[1]*a[3]
	if d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
		return Affine{}, false
	}
	return Affine{
		a[4] / d, -a[1] / d, (a[1]*a[5] - a[4]*a[2]) / d,
		-a[3] / d, a[0] / d, (a[3]*a[2] - a[0]*a[5]) / d,
	}, true
}

// Point maps one position.
func (a Affine) Point(x, y float64) (float64, float64) {
	return a[0]*x + a[1]*y + a[2], a[3]*x + a[4]*y + a[5]
}

// Box returns the smallest box around the four mapped corners of b.
func (a Affine) Box(b box.Box) box.Box {
	x1, y1, x2, y2 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, x := range [2]float32{b.X1, b.X2} {
		for _, y := range [2]float32{b.Y1, b.Y2} {
			u, v := a.Point(float64(x), float64(y))
			x1, y1, x2, y2 = min(x1, u), min(y1, v), max(x2, u), max(y2, v)
		}
	}
	return box.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)}
}
