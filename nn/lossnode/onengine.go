package lossnode

import (
	"math"

	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
	"retinago/loss"
)

// BinaryOnEngine reports whether e computes Binary's loss. Otherwise the host does.
func BinaryOnEngine(e engine.Engine, l loss.Binary) bool { return e.Supports(focalParams(l)) }

// DeltasOnEngine reports whether e computes Deltas' loss. Otherwise the host does.
func DeltasOnEngine(e engine.Engine, l loss.Delta) bool { return e.Supports(boxLossParams(l)) }

// focalParams are an engine's parameters of a loss; their negative Alpha disables weighting.
func focalParams(l loss.Binary) engine.FocalParams {
	f := l.Formula()
	p := engine.FocalParams{Formula: f.Name, Alpha: float32(f.Alpha), Gamma: float32(f.Gamma), Beta: float32(f.Beta)}
	if f.Alpha <= 0 {
		p.Alpha = -1
	}
	return p
}

// boxLossParams are an engine's parameters of a loss.
func boxLossParams(l loss.Delta) engine.BoxLossParams {
	c := l.Curve()
	p := engine.BoxLossParams{Beta: float32(c.Beta), Alpha: float32(c.Alpha), Gamma: float32(c.Gamma)}
	if c.Alpha > 0 {
		p.Bend = float32(math.Expm1(c.Gamma / c.Alpha))
	}
	return p
}

// MakeState uploads the factors of the classes to an engine that has the loss.
func (f *focal) MakeState(e engine.Engine) (err error) {
	if len(f.columns) == 0 || !e.Supports(f.p) {
		return nil
	}
	if f.p.Columns, err = e.New(tensor.Float32, 2, len(f.columns)/2); err != nil {
		return err
	}
	if err := e.Upload(f.p.Columns, f.columns); err != nil {
		f.FreeState(e)
		return err
	}
	return nil
}

// FreeState frees them.
func (f *focal) FreeState(e engine.Engine) {
	e.Release(f.p.Columns)
	f.p.Columns = nil
}

// OnEngine reports whether e computes the loss. Otherwise the host does.
func (o Boxes) OnEngine(e engine.Engine) bool {
	_, _, ok := o.kernel(e)
	return ok
}

func (o Boxes) kernel(e engine.Engine) (k engine.IoULosses, form engine.IoUKind, ok bool) {
	switch b := o.Loss.(type) {
	case loss.IoU:
		if form = engine.IoU; b.Log {
			form = engine.LogIoU
		}
	case loss.GIoU:
		form = engine.GIoU
	case loss.DIoU:
		form = engine.DIoU
	case loss.CIoU:
		form = engine.CIoU
	default:
		return nil, 0, false
	}
	k, ok = engine.As[engine.IoULosses](e, form)
	return k, form, ok
}

// MakeState uploads the anchors to an engine that has the loss.
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

// OnEngine reports whether e computes the loss. Otherwise the host does.
func (l Class) OnEngine(e engine.Engine) bool {
	_, _, ok := l.kernel(e)
	if !ok {
		_, _, ok = l.miner(e)
	}
	return ok
}

func (l Class) kernel(e engine.Engine) (k engine.ClassLosses, p engine.ClassParams, ok bool) {
	var of any = l.Loss
	if l.Quality != nil {
		of = l.Quality
	}
	switch s := of.(type) {
	case loss.QualityFocal:
		p = engine.ClassParams{Form: engine.QualityFocal, Gamma: float32(s.Beta)}
	case loss.Varifocal:
		p = engine.ClassParams{Form: engine.Varifocal, Alpha: float32(s.Alpha), Gamma: float32(s.Gamma)}
	case loss.FocalStar:
		p = engine.ClassParams{Form: engine.FocalStar, Alpha: float32(s.Alpha), Gamma: float32(s.Gamma), Beta: float32(s.Beta)}
	case loss.Softmax:
		if s.Classes != nil || s.Smoothing > 0 {
			return nil, p, false
		}
		p = engine.ClassParams{Form: engine.Softmax}
	default:
		return nil, p, false
	}
	k, ok = engine.As[engine.ClassLosses](e, p)
	return k, p, ok
}

func (l Class) miner(e engine.Engine) (k engine.HardNegativeMining, p engine.MiningParams, ok bool) {
	o, mines := l.Loss.(loss.OHEM)
	if !mines || l.Quality != nil || o.Excluded != nil || o.Keep <= 0 {
		return nil, p, false
	}
	b, binary := o.Class.(loss.Binary)
	if !binary || b.Formula().Objects != nil {
		return nil, p, false
	}
	p = engine.MiningParams{FocalParams: focalParams(b), Keep: o.Keep, Ratio: o.Ratio, NMS: l.NMS}
	k, ok = engine.As[engine.HardNegativeMining](e, p)
	return k, p, ok
}

// levelsEngine is what the engine needs besides a graph's tensors.
type levelsEngine struct {
	anchors []*tensor.Dense // by level, of a loss with qualities
	mined   engine.Mined
}

// MakeState allocates what an engine that has the loss needs besides the graph.
func (l *levels) MakeState(e engine.Engine) (err error) {
	if _, p, ok := l.miner(e); ok {
		return l.at.mine(e, l, p)
	}
	if l.Quality == nil || !l.OnEngine(e) {
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

func (a *levelsEngine) mine(e engine.Engine, l *levels, p engine.MiningParams) (err error) {
	rows := 0
	for _, r := range l.rows {
		rows += r
	}
	if p.NMS > 0 {
		if a.mined.Anchors, err = place(e, l.Anchors); err != nil {
			return err
		}
	}
	if a.mined.Keys, err = e.New(tensor.Float32, l.pictures, rows); err != nil {
		return err
	}
	objects, others := p.Turns()
	a.mined.Picked, err = e.New(tensor.Int32, objects+others)
	return err
}

// FreeState frees it.
func (l *levels) FreeState(e engine.Engine) {
	e.Release(append(l.at.anchors, l.at.mined.Anchors, l.at.mined.Keys, l.at.mined.Picked)...)
	l.at = levelsEngine{}
}

// levels are the inputs of an operation, level by level.
func (a *levelsEngine) levels(in []*tensor.Dense, l *levels) []engine.ClassLevel {
	out := make([]engine.ClassLevel, l.count)
	for i := range out {
		out[i] = engine.ClassLevel{Logits: in[i], Labels: in[l.count+i]}
		if l.Quality != nil {
			out[i].Deltas, out[i].Targets, out[i].Anchors = in[2*l.count+1+i], in[3*l.count+1+i], a.anchors[i]
		}
	}
	return out
}

func (a *levelsEngine) forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, l *levels) error {
	levels, norm := a.levels(in, l), in[2*l.count]
	if k, p, ok := l.miner(e); ok {
		return k.MinedLoss(out, levels, norm, a.mined, p)
	}
	k, p, _ := l.kernel(e)
	return k.ClassLoss(out, levels, norm, p)
}

func (a *levelsEngine) gradient(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, g *levelsGrad) error {
	levels, norm, up := a.levels(in, g.l), in[2*g.l.count], in[len(in)-1]
	for i := range levels {
		levels[i].Grad = e.At(out, int64(4*g.starts[i]), tensor.Float32, in[i].Shape()...)
	}
	if k, p, ok := g.l.miner(e); ok {
		return k.MinedLossGrad(levels, norm, up, a.mined, p)
	}
	k, p, _ := g.l.kernel(e)
	return k.ClassLossGrad(levels, norm, up, p)
}
