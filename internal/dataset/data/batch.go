package data

import (
	"sync"

	"retinago/box"
	"retinago/engine"
	"retinago/internal/media/picture"
)

// Batch is N pictures on canvases of one size. Boxes are in pixels of the canvas.
type Batch struct {
	N, H, W  int
	Images   []float32        // [N,H,W,3] RGB, normalised; zero outside of the pictures
	Pictures []engine.Picture // [N], instead of Images with LoaderOptions.Bytes; they hold until Release
	Boxes    [][]box.Box
	Classes  [][]int32
	Crowd    [][]bool
	Index    []int  // of each picture in its Dataset
	Sizes    []Size // of each picture on its canvas
	Flipped  []bool
	Names    []string // file names
	Prepared any      // what LoaderOptions.Prepare left

	Epoch, Position int

	held []*picture.Picture // whose bytes are Pictures'
}

// Placed is a picture, as an engine puts it onto a canvas. It holds as long as p.
func Placed(in picture.Input, p *picture.Picture) engine.Picture {
	scale, shift := in.Factors()
	return engine.Picture{Pix: p.Pix, FromW: p.W, FromH: p.H, W: in.W, H: in.H, Flip: in.Flip, Scale: scale, Shift: shift}
}

// pool keeps the picture buffers of past batches.
var pool sync.Pool

// newBatch takes a buffer from the pool, of any content, unless pictures stay bytes.
func newBatch(n, h, w int, bytes bool) *Batch {
	b := &Batch{N: n, H: h, W: w, Boxes: make([][]box.Box, n), Classes: make([][]int32, n), Crowd: make([][]bool, n),
		Index: make([]int, n), Sizes: make([]Size, n), Flipped: make([]bool, n), Names: make([]string, n)}
	if bytes {
		b.Pictures, b.held = make([]engine.Picture, n), make([]*picture.Picture, n)
		return b
	}
	size := n * h * w * 3
	if v, ok := pool.Get().(*[]float32); ok && cap(*v) >= size {
		b.Images = (*v)[:size]
	} else {
		b.Images = make([]float32, size)
	}
	return b
}

// canvas is picture i's part of Images.
func (b *Batch) canvas(i int) []float32 {
	size := b.H * b.W * 3
	return b.Images[i*size : (i+1)*size : (i+1)*size]
}

// empty leaves canvas i without a picture.
func (b *Batch) empty(i int) {
	if b.Images != nil {
		clear(b.canvas(i))
	}
}

// Release gives the pictures' memory back for another batch. The batch must not be used afterwards.
func (b *Batch) Release() {
	for _, p := range b.held {
		if p != nil {
			p.Release()
		}
	}
	b.Pictures, b.held = nil, nil
	images := b.Images
	b.Images = nil
	if images != nil {
		pool.Put(&images)
	}
}
