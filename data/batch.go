package data

import (
	"sync"

	"retinago/box"
)

// Batch is N pictures on canvases of one size. Boxes are in pixels of the canvas.
type Batch struct {
	N, H, W  int       // N counts canvases; an evaluation's last batch may fill fewer, see Filled
	Filled   int       // pictures; canvases from here on are empty
	Images   []float32 // [N,H,W,3] RGB, normalised; zero outside of the pictures
	Boxes    [][]box.Box
	Classes  [][]int32
	Crowd    [][]bool
	Index    []int  // of each picture in its Dataset
	Sizes    []Size // of each picture on its canvas
	Flipped  []bool
	Names    []string // file names
	Prepared any      // what LoaderOptions.Prepare left

	Epoch, Position int
}

// pool keeps the picture buffers of past batches.
var pool sync.Pool

// newBatch takes a buffer from the pool, of any content.
func newBatch(n, h, w int) *Batch {
	b := &Batch{N: n, H: h, W: w, Boxes: make([][]box.Box, n), Classes: make([][]int32, n), Crowd: make([][]bool, n),
		Index: make([]int, n), Sizes: make([]Size, n), Flipped: make([]bool, n), Names: make([]string, n)}
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

// Release gives the pictures' memory back for another batch. The batch must not be used afterwards.
func (b *Batch) Release() {
	images := b.Images
	b.Images = nil
	if images != nil {
		pool.Put(&images)
	}
}
