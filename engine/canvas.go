package engine

import "gorgonia.org/tensor"

// Preparer is an engine that draws canvases itself.
type Preparer interface {
	// Prepare queues the writing of images [N,H,W,3] from N canvases, whose bytes may be written to when it returns.
	Prepare(images *tensor.Dense, p []Canvas) error
}

// Canvas is what is drawn onto a canvas: layers from the bottom to the top, value*Scale + Shift by channel, and then 0 in the areas of
// Fill. It is 0 where nothing is drawn: the zero Canvas is empty. Package internal/media/picture makes and draws it on the host.
type Canvas struct {
	Layers       []Layer
	Fill         []Area
	Scale, Shift [3]float32
}

// Area is the pixels of a canvas in columns X1 to X2 and rows Y1 to Y2, without the last.
type Area struct{ X1, Y1, X2, Y2 int }

// Empty reports whether a has no pixels.
func (a Area) Empty() bool { return a.X1 >= a.X2 || a.Y1 >= a.Y2 }

// Common returns the pixels of both areas.
func (a Area) Common(b Area) Area {
	return Area{max(a.X1, b.X1), max(a.Y1, b.Y1), min(a.X2, b.X2), min(a.Y2, b.Y2)}
}

// Layer is an image on a canvas: a pixel gets the bilinear sample of the image at the place of its centre, without antialiasing. Beyond
// the centres of the outermost pixels the image continues with their values.
type Layer struct {
	Pix  []uint8 // [H,W,3]
	W, H int
	Area Area // the layer draws nothing outside of it

	X, Y Axis
	Map  Map // if it is not zero, it replaces X and Y, and the layer draws nothing where a centre lies outside of the image

	Colour [12]float32 // if it is not zero, [3,4] times (R, G, B, 1), clipped to [0,255]
	Gamma  float32     // and then 255*(v/255)^Gamma
	Weight float32     // of the layer's colours; the rest is what lies below
}

// Axis maps columns or rows of a canvas to those of an image: the centre of i lies at (i+.5)*Step + Start, where 0 is the centre of the
// image's first, or with Mirror of its last.
type Axis struct {
	Step, Start float64
	Mirror      bool
}

// Map gives the position in an image of the centre of column i and row j: x = m[0]*i + m[1]*j + m[2] and y = m[3]*i + m[4]*j + m[5], in
// 2^-32 px. Whole numbers make every engine draw the same pixels. On its canvas positions are within MapLimit.
type Map [6]int64

// MapLimit bounds the positions of a Map, in px.
const MapLimit = 1 << 29
