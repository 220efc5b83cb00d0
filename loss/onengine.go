package loss

import (
	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
)

// OnEngine tells whether e computes the loss; the host does otherwise.
func (o Overlap) OnEngine(e engine.Engine) bool {
	_, _, ok := o.kernel(e)
	return ok
}

func (o Overlap) kernel(e engine.Engine) (k engine.Overlaps, form engine.Overlap, ok bool) {
	if k, ok = e.(engine.Overlaps); !ok {
		return nil, 0, false
	}
	switch b := o.Box.(type) {
	case IoU:
		if b.Log {
			return k, engine.LogIoU, true
		}
		return k, engine.IoU, true
	case GIoU:
		return k, engine.GIoU, true
	case DIoU:
		return k, engine.DIoU, true
	case CIoU:
		return k, engine.CIoU, true
	}
	return nil, 0, false
}

// MakeState brings the anchors to an engine that has the loss.
func (o *overlap) MakeState(e engine.Engine) (err error) {
	if o.OnEngine(e) {
		o.placed, err = place(e, o.Anchors)
	}
	return err
}

// FreeState frees them.
func (o *overlap) FreeState(e engine.Engine) {
	e.Release(o.placed)
	o.placed = nil
}

// place makes a tensor [a,4] of boxes.
func place(e engine.Engine, b []box.Box) (*tensor.Dense, error) {
	t, err := e.New(tensor.Float32, len(b), 4)
	if err != nil {
		return nil, err
	}
	v := make([]float32, 0, 4*len(b))
	for _, b := range b {
		v = append(v, b.X1, b.Y1, b.X2, b.Y2)
	}
	if err := e.Upload(t, v); err != nil {
		e.Release(t)
		return nil, err
	}
	return t, nil
}

// OnEngine tells whether e computes the loss; the host does otherwise.
func (l Levels) OnEngine(e engine.Engine) bool {
	_, _, ok := l.kernel(e)
	return ok
}

func (l Levels) kernel(e engine.Engine) (k engine.ClassLosses, p engine.ClassParams, ok bool) {
	if k, ok = e.(engine.ClassLosses); !ok {
		return nil, p, false
	}
	switch s := l.Soft.(type) {
	case nil:
	case QualityFocal:
		return k, engine.ClassParams{Form: engine.QualityFocal, Gamma: float32(s.Beta)}, true
	case Varifocal:
		return k, engine.ClassParams{Form: engine.Varifocal, Alpha: float32(s.Alpha), Gamma: float32(s.Gamma)}, true
	default:
		return nil, p, false
	}
	switch c := l.Class.(type) {
	case FocalStar:
		return k, engine.ClassParams{Form: engine.FocalStar, Alpha: float32(c.Alpha), Gamma: float32(c.Gamma), Beta: float32(c.Beta)}, true
	case Softmax:
		return k, engine.ClassParams{Form: engine.Softmax}, true
	}
	return nil, p, false
}

// levelsEngine is what the engine reads besides a graph's tensors.
type levelsEngine struct{ anchors []*tensor.Dense } // by level

// MakeState brings the anchors to an engine that has the loss, where it reads them.
func (l *levels) MakeState(e engine.Engine) error {
	if l.Soft == nil || !l.OnEngine(e) {
		return nil
	}
	at := 0
	for _, rows := range l.rows {
		t, err := place(e, l.Anchors[at:at+rows])
		if err != nil {
			return err
		}
		l.at.anchors = append(l.at.anchors, t)
		at += rows
	}
	return nil
}

// FreeState frees them.
func (l *levels) FreeState(e engine.Engine) {
	e.Release(l.at.anchors...)
	l.at.anchors = nil
}

// levels are the inputs of an operation, level by level.
func (a *levelsEngine) levels(in []*tensor.Dense, l *levels) []engine.ClassLevel {
	out := make([]engine.ClassLevel, l.count)
	for i := range out {
		out[i] = engine.ClassLevel{Logits: in[i], Labels: in[l.count+i]}
		if l.Soft != nil {
			out[i].Deltas, out[i].Targets, out[i].Anchors = in[2*l.count+1+i], in[3*l.count+1+i], a.anchors[i]
		}
	}
	return out
}

func (a *levelsEngine) forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, l *levels) error {
	k, p, _ := l.kernel(e)
	return k.ClassLoss(out, a.levels(in, l), in[2*l.count], p)
}

func (a *levelsEngine) gradient(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, g *levelsGrad) error {
	k, p, _ := g.l.kernel(e)
	levels := a.levels(in, g.l)
	for i := range levels {
		levels[i].Grad = e.At(out, int64(4*g.starts[i]), tensor.Float32, in[i].Shape()...)
	}
	return k.ClassLossGrad(levels, in[2*g.l.count], in[len(in)-1], p)
}
