package infer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"retinago/box"
	"retinago/detector"
)

// Outputs are the network's outputs for the images of a batch. Several goroutines may read them at once.
type Outputs struct {
	Network  time.Duration // duration in the network, without the wait for it
	p        *Predictor
	canvas   Size
	pictures []placed
	wanted   []detector.Wanted
	found    []detector.Found
	late     bool // found holds candidates: NMS runs when detections are read
}

// Forward runs the network on images of one canvas size together. While it waits for the network it returns when ctx ends.
func (p *Predictor) Forward(ctx context.Context, in []*Input) (*Outputs, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("infer: a batch without images")
	}
	o := &Outputs{p: p, canvas: in[0].Canvas}
	for _, v := range in {
		if v.Canvas != o.canvas {
			return nil, fmt.Errorf("infer: a batch of canvases of %v and %v: sort them by Canvas", o.canvas, v.Canvas)
		}
		o.pictures = append(o.pictures, v.placed)
		o.wanted = append(o.wanted, detector.Wanted{W: float32(v.scaled.W), H: float32(v.scaled.H), Decoding: v.Decoding, Candidates: v.Candidates, Highest: p.options.Highest && !p.some.Load()})
	}
	of := canvasesOf(in)
	var images []float32
	if of == nil {
		all, free := concat(in)
		defer free()
		images = all
	}
	if err := p.run(ctx, o, images, of); err != nil {
		return nil, err
	}
	return o, nil
}

// Found returns the detections of image k, best first, in its pixels, with the times of Decode and NMS: 0 where the engine did that
// work, as a part of Network. A box without area is no detection.
func (o *Outputs) Found(k int) ([]Detection, Times) {
	v, f := o.pictures[k], o.of(k)
	out := make([]Detection, 0, len(f.Detections))
	for _, d := range f.Detections {
		if b := v.place(d.Box); area(b) {
			out = append(out, Detection{Box: b, Class: int(d.Class), Category: o.p.info.Categories[d.Class], Score: d.Score})
		}
	}
	o.p.note(len(out), f.Highest)
	return out, Times{Decode: f.Times[0], NMS: f.Times[1]}
}

// Candidates returns the boxes of image k before NMS, on the canvas, if its Input asked for them and is a view of the whole image.
// Boxes without area are left out. Multiplied by sx and sy they are in pixels of the image. took is the time of Decode, 0 as in Found.
func (o *Outputs) Candidates(k int) (c detector.Candidates, sx, sy float32, took time.Duration) {
	sx, sy = o.pictures[k].scale()
	f := o.of(k)
	for i, b := range f.Candidates.Boxes {
		if area(b) {
			c.Boxes, c.Scores, c.Classes = append(c.Boxes, b), append(c.Scores, f.Candidates.Scores[i]), append(c.Classes, f.Candidates.Classes[i])
		}
	}
	return c, sx, sy, f.Times[0]
}

func area(b box.Box) bool { return b.X2 > b.X1 && b.Y2 > b.Y1 }

func (o *Outputs) of(k int) detector.Found {
	f, w := o.found[k], o.wanted[k]
	if o.late && !w.Candidates {
		begin := time.Now()
		f.Detections = w.Decoding.Suppress(f.Candidates)
		f.Times[1] = time.Since(begin)
	}
	return f
}

// requested computes detections or candidates while the call has the network. NMS on the host runs later, so that other calls can use the
// network.
func (o *Outputs) requested(detects bool) []detector.Wanted {
	if o.late = !detects; detects {
		return o.wanted
	}
	wanted := slices.Clone(o.wanted)
	for k := range wanted {
		wanted[k].Candidates = true
	}
	return wanted
}
