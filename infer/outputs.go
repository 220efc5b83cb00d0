package infer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"retinago/detector"
	"retinago/internal/dataset/data"
)

// Outputs are what the network says of the pictures of a batch. Several goroutines may read them at once.
type Outputs struct {
	Network  time.Duration // that the network took, without the wait for its turn
	p        *Predictor
	canvas   data.Size
	pictures []placed
	wanted   []detector.Wanted
	found    []detector.Found
	thin     bool // found are candidates, which NMS awaits when they are asked for
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
// sy they are in pixels of the picture. took is the time of Decode, 0 as in Found.
func (o *Outputs) Candidates(k int) (c detector.Candidates, sx, sy float32, took time.Duration) {
	sx, sy = o.pictures[k].scale()
	f := o.of(k)
	return f.Candidates, sx, sy, f.Times[0]
}

func (o *Outputs) of(k int) detector.Found {
	f, w := o.found[k], o.wanted[k]
	if o.thin && !w.Candidates {
		begin := time.Now()
		f.Detections = w.Decoding.Thin(f.Candidates)
		f.Times[1] = time.Since(begin)
	}
	return f
}

// looked is what the network's turn finds. NMS on the host waits until its end: others may run meanwhile.
func (o *Outputs) looked(detects bool) []detector.Wanted {
	if o.thin = !detects; detects {
		return o.wanted
	}
	looked := slices.Clone(o.wanted)
	for k := range looked {
		looked[k].Candidates = true
	}
	return looked
}
