package infer

import (
	"context"
	"fmt"
	"time"

	"retinago/data"
	"retinago/detector"
)

// Outputs are what the network says of the pictures of a batch, before boxes are made of it. Several goroutines may read them
// at once.
type Outputs struct {
	Network  time.Duration // that the network took, without the wait for its turn
	p        *Predictor
	raw      *detector.Raw
	canvas   data.Size
	pictures []placed
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
	}
	images, free := joined(in)
	defer free()
	var ok bool
	if o.raw, ok = p.raws.Get().(*detector.Raw); !ok {
		o.raw = &detector.Raw{}
	}
	var err error
	if o.Network, err = p.run(ctx, o.raw, images, len(in), o.canvas); err != nil {
		o.Release()
		return nil, err
	}
	return o, nil
}

// Found are the detections of picture k, best first, in its pixels, with the times of Decode and NMS.
func (o *Outputs) Found(k int, d detector.Decoding) ([]Detection, Times) {
	v := o.pictures[k]
	found, spent := o.p.model.DecodeTimed(o.raw, k, o.canvas.H, o.canvas.W, float32(v.scaled.W), float32(v.scaled.H), d)
	out := make([]Detection, len(found))
	for i, f := range found {
		out[i] = Detection{Box: v.place(f.Box), Class: int(f.Class), Category: o.p.info.Categories[f.Class], Score: f.Score}
	}
	return out, Times{Decode: spent[0], NMS: spent[1]}
}

// Candidates are the boxes of picture k, seen whole, before NMS, on the canvas. Multiplied by sx and sy they are in pixels
// of the picture.
func (o *Outputs) Candidates(k int, d detector.Decoding) (c detector.Candidates, sx, sy float32) {
	v := o.pictures[k]
	sx, sy = v.scale()
	return o.p.model.Candidates(o.raw, k, o.canvas.H, o.canvas.W, float32(v.scaled.W), float32(v.scaled.H), d), sx, sy
}

// Release gives the memory back for another batch. Nothing may be asked of the outputs afterwards.
func (o *Outputs) Release() {
	o.p.raws.Put(o.raw)
	o.raw = nil
}
