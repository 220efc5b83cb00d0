package infer

import (
	"context"
	"fmt"
	"time"

	"retinago/data"
	"retinago/detector"
)

// Outputs are what the network says of the pictures of a batch. Several goroutines may read them at once.
type Outputs struct {
	Network  time.Duration // that the network took, without the wait for its turn
	p        *Predictor
	canvas   data.Size
	pictures []placed
	wanted   []detector.Wanted
	raw      *detector.Raw    // of which boxes are made when they are asked for
	found    []detector.Found // where the engine has made them
}

// Forward runs the network on pictures of one canvas size together. One that waits for its turn gives up when ctx ends.
func (p *Predictor) Forward(ctx context.Context, in []*Input) (*Outputs, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("infer: a batch without pictures")
	}
	o := &Outputs{p: p, canvas: in[0].Canvas}
	for _, v := range in {
		if v.Canvas != o.canvas {
			return nil, fmt.Errorf("infer: a batch of canvases of %v and %v: sort them by Canvas", o.canvas, v.Canvas)
		}
		o.pictures = append(o.pictures, v.placed)
		o.wanted = append(o.wanted, detector.Wanted{W: float32(v.scaled.W), H: float32(v.scaled.H), Decoding: v.Decoding, Candidates: v.Candidates})
	}
	of := pictures(in)
	var images []float32
	if of == nil {
		all, free := joined(in)
		defer free()
		images = all
	}
	if err := p.run(ctx, o, images, of); err != nil {
		o.Release()
		return nil, err
	}
	return o, nil
}

// Found are the detections of picture k, best first, in its pixels, with the times of Decode and NMS: 0 where the engine did that
// work, as a part of Network.
func (o *Outputs) Found(k int) ([]Detection, Times) {
	v, f := o.pictures[k], o.of(k)
	out := make([]Detection, len(f.Detections))
	for i, d := range f.Detections {
		out[i] = Detection{Box: v.place(d.Box), Class: int(d.Class), Category: o.p.info.Categories[d.Class], Score: d.Score}
	}
	return out, Times{Decode: f.Times[0], NMS: f.Times[1]}
}

// Candidates are the boxes of picture k before NMS, on the canvas, if its Input wanted them; it was seen whole. Multiplied by sx and
// sy they are in pixels of the picture.
func (o *Outputs) Candidates(k int) (c detector.Candidates, sx, sy float32) {
	sx, sy = o.pictures[k].scale()
	return o.of(k).Candidates, sx, sy
}

func (o *Outputs) of(k int) detector.Found {
	if o.found != nil {
		return o.found[k]
	}
	return o.p.model.Found(o.raw, k, o.canvas.H, o.canvas.W, o.wanted[k])
}

// Release gives the memory back for another batch. Nothing may be asked of the outputs afterwards.
func (o *Outputs) Release() {
	if o.raw != nil {
		o.p.raws.Put(o.raw)
		o.raw = nil
	}
}
