package data

import (
	"sync"

	"retinago/augment"
	"retinago/box"
	"retinago/engine"
	"retinago/internal/media/picture"
)

// Batch is N images on canvases of one size. Boxes are in pixels of the canvas.
type Batch struct {
	N, H, W  int
	Images   []float32       // [N,H,W,3] RGB, normalised; zero outside of the images
	Canvases []engine.Canvas // [N], instead of Images with LoaderOptions.Bytes; they hold until Release
	Boxes    [][]box.Box
	Classes  [][]int32
	Crowd    [][]bool
	Index    []int  // of each image in its Dataset
	Sizes    []Size // of each image on its canvas
	Flipped  []bool
	Names    []string // file names
	Prepared any      // what LoaderOptions.Prepare left

	Epoch, Position int

	held [][]picture.Source // [N], whose bytes are in Canvases
}

// Scaling maps px of an image to those of the image resized, and mirrored from left to right.
func Scaling(from, to Size, mirror bool) augment.Affine {
	a := augment.Scale(float64(to.W)/float64(from.W), float64(to.H)/float64(from.H))
	if mirror {
		a = a.Then(augment.FlipX(float64(to.W)))
	}
	return a
}

// pool keeps the image buffers of past batches.
var pool sync.Pool

// newBatch takes a buffer from the pool, of any content, unless images stay bytes.
func newBatch(n, h, w int, bytes bool) *Batch {
	b := &Batch{N: n, H: h, W: w, Boxes: make([][]box.Box, n), Classes: make([][]int32, n), Crowd: make([][]bool, n),
		Index: make([]int, n), Sizes: make([]Size, n), Flipped: make([]bool, n), Names: make([]string, n)}
	if bytes {
		b.Canvases, b.held = make([]engine.Canvas, n), make([][]picture.Source, n)
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

// canvas is image i's part of Images.
func (b *Batch) canvas(i int) []float32 {
	size := b.H * b.W * 3
	return b.Images[i*size : (i+1)*size : (i+1)*size]
}

// draw draws a scene onto canvas i, or leaves that to an engine, and takes over the sources.
func (b *Batch) draw(i int, in picture.Input, scene augment.Scene, sources []picture.Source) {
	if b.Canvases != nil {
		b.Canvases[i], b.held[i] = in.Canvas(scene, sources), sources
		return
	}
	in.Draw(b.canvas(i), scene, sources)
	release(sources)
}

func release(sources []picture.Source) {
	for _, s := range sources {
		s.Picture.Release()
	}
}

// empty leaves canvas i without an image.
func (b *Batch) empty(i int) {
	if b.Images != nil {
		clear(b.canvas(i))
	}
}

// Release gives the images' memory back for another batch. The batch must not be used afterwards.
func (b *Batch) Release() {
	for _, sources := range b.held {
		release(sources)
	}
	b.Canvases, b.held = nil, nil
	images := b.Images
	b.Images = nil
	if images != nil {
		pool.Put(&images)
	}
}
