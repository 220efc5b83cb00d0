package infer

import (
	"errors"
	"sync"

	"retinago/augment"
	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Input is an image on its canvas, as the network takes it, and how its detections are chosen. Inputs of one Canvas can go through
// the network together.
type Input struct {
	Canvas     Size
	Decoding   detector.Decoding // Prepare sets the Predictor's
	Candidates bool              // return boxes before NMS, not detections
	images     []float32         // [Canvas.H, Canvas.W, 3]
	drawing    engine.Canvas     // instead of images, for an engine that draws canvases
	copied     *picture.Picture  // owns the bytes of drawing
	placed
}

// placed is where an image lies on a canvas.
type placed struct {
	scaled data.Size // of the image on the canvas
	size   data.Size // of the image that detections are for, or of the part of it
	view   view
}

var errEmpty = errors.New("infer: the image is empty")

// Prepare resizes an image onto its canvas, on one core. size is the size of the image that detections are for: its own, or the size
// of its file, if it was decoded at a fraction of that.
func (p *Predictor) Prepare(pic *Picture, size Size) (*Input, error) {
	return p.prepare(p.common, pic, size, 1)
}

func (p *Predictor) prepare(r request, pic *picture.Picture, size data.Size, threads int) (*Input, error) {
	if pic == nil || pic.W < 1 || pic.H < 1 || len(pic.Pix) != 3*pic.W*pic.H || size.W < 1 || size.H < 1 {
		return nil, errEmpty
	}
	return p.input(r, pic, size, view{}, threads), nil
}

// input is newInput with the settings of a request.
func (p *Predictor) input(r request, pic *picture.Picture, size data.Size, v view, threads int) *Input {
	c := p.info.Config.Data
	in := layout(c, size, v)
	if p.engine.Supports(engine.Preparation{}) {
		in.copied = pic.Crop(0, 0, pic.W, pic.H)
		in.drawing = normalized(c, 1).Canvas(in.scene(), in.source(in.copied))
	} else {
		in.draw(c, pic, threads)
	}
	in.Decoding = r.decode
	return in
}

// newInput scales a view's part of an image onto a canvas. The configuration and the view determine the canvas's size.
func newInput(c config.Data, pic *picture.Picture, size data.Size, v view, threads int) *Input {
	in := layout(c, size, v)
	in.draw(c, pic, threads)
	return in
}

// layout returns an input without pixels.
func layout(c config.Data, size data.Size, v view) *Input {
	s := data.Resized(size, v.side(c.TestSide()), v.side(c.MaxSide))
	canvas := s.Up(c.CanvasMultiple)
	return &Input{Canvas: canvas, placed: placed{s, size, v}}
}

func (in *Input) draw(c config.Data, pic *picture.Picture, threads int) {
	in.images = lease(3 * in.Canvas.H * in.Canvas.W)
	normalized(c, threads).Draw(in.images, in.scene(), in.source(pic))
}

func normalized(c config.Data, threads int) picture.Input {
	return picture.Input{Mean: c.Mean, Std: c.Std, Threads: threads}
}

// scene returns the image on its canvas.
func (in *Input) scene() augment.Scene {
	return augment.Single(0, data.Scaling(in.size, in.scaled, in.view.flip), in.Canvas.W, in.Canvas.H)
}

func (in *Input) source(pic *picture.Picture) []picture.Source {
	return []picture.Source{{Picture: pic, W: in.size.W, H: in.size.H}}
}

// scale returns the factors from the canvas to the image, or to the view's part of it.
func (v placed) scale() (sx, sy float32) {
	return float32(v.size.W) / float32(v.scaled.W), float32(v.size.H) / float32(v.scaled.H)
}

// place converts a box on the canvas to pixels of the image.
func (v placed) place(b box.Box) box.Box {
	b = b.Scale(v.scale())
	if v.view.flip {
		b = b.FlipX(float32(v.size.W))
	}
	x, y := float32(v.view.x), float32(v.view.y)
	return box.Box{X1: b.X1 + x, Y1: b.Y1 + y, X2: b.X2 + x, Y2: b.Y2 + y}
}

// Release frees the canvas's memory for other inputs. The input must not be used afterwards.
func (in *Input) Release() {
	if in.copied != nil {
		in.copied.Release()
		in.copied, in.drawing = nil, engine.Canvas{}
		return
	}
	free(in.images)
	in.images = nil
}

// canvasesOf returns the canvases of a batch if the engine draws them, else nil.
func canvasesOf(in []*Input) (out []engine.Canvas) {
	for _, v := range in {
		if v.copied == nil {
			return nil
		}
		out = append(out, v.drawing)
	}
	return out
}

// concat returns the canvases of a batch one after another, and a function that frees them.
func concat(in []*Input) ([]float32, func()) {
	if len(in) == 1 {
		return in[0].images, func() {}
	}
	size := len(in[0].images)
	all := lease(len(in) * size)
	for k, v := range in {
		copy(all[k*size:], v.images)
	}
	return all, func() { free(all) }
}

// canvases holds the memory of released canvases for new ones.
var canvases sync.Pool

func lease(n int) []float32 {
	if v, ok := canvases.Get().(*[]float32); ok && cap(*v) >= n {
		return (*v)[:n]
	}
	return make([]float32, n)
}

func free(v []float32) { canvases.Put(&v) }
