package augment

import "retinago/box"

// Scene is what is drawn onto a canvas of W x H px: layers from the bottom to the top, then rectangles without an image. Where nothing is
// drawn, the canvas has the mean colour of the network's input.
type Scene struct {
	W, H   int
	Layers []Layer
	Fill   []box.Box // px of the canvas, that get the mean colour
}

// Layer is an image of a dataset on a canvas.
type Layer struct {
	Index    int      // of the image in its dataset
	Filters  []Filter // change the image before it is placed, in this order
	Position Affine   // from px of the image to px of the canvas
	Colour   Colour
	Clip     box.Box // px of the canvas: the layer draws pixels whose centre is in it
	Weight   float32 // of the layer's colours in [0,1]; the rest is what lies below
}

// Single returns the scene of image index alone on a canvas of w x h px.
func Single(index int, position Affine, w, h int) Scene {
	all := box.Box{X2: float32(w), Y2: float32(h)}
	return Scene{W: w, H: h, Layers: []Layer{{Index: index, Position: position, Clip: all, Weight: 1}}}
}

// FilterKind is what a Filter does.
type FilterKind uint8

const (
	// Noise adds a normal deviate, of the standard deviation Value in [0,255], to each channel of each pixel.
	Noise FilterKind = iota + 1
	// Blur is a Gaussian of the standard deviation Value, px of the image.
	Blur
	// JPEG encodes and decodes the image at the quality Value, 1 to 100.
	JPEG
)

// Filter changes an image before it is placed.
type Filter struct {
	Kind  FilterKind
	Value float64
	Seed  uint64 // of Noise
}
