package lossnode

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Binary adds the loss of a level to a graph: logits [N,h,w,A*K], labels [N,h*w*A] int32, norm [N]; the result is [1]. Every engine
// has a kernel for it.
func Binary(l loss.Binary, logits, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&focal{focalParams(l)}, logits, labels, norm)
}

// focalParams are an engine's parameters of a loss; their negative Alpha disables weighting.
func focalParams(l loss.Binary) engine.FocalParams {
	f := l.Formula()
	p := engine.FocalParams{Formula: f.Name, Alpha: float32(f.Alpha), Gamma: float32(f.Gamma), Beta: float32(f.Beta)}
	if f.Alpha <= 0 {
		p.Alpha = -1
	}
	return p
}

type focal struct{ p engine.FocalParams }

func (*focal) Name() string   { return "FocalLoss" }
func (*focal) WRT(int) []bool { return []bool{true, false, false} }

func (*focal) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := perAnchor(in[0], in[1], in[2]); err != nil {
		return nil, err
	}
	return tensor.Shape{1}, nil
}

func (f *focal) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.FocalLoss(out, in[0], in[1], in[2], f.p)
}

func (f *focal) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&focalGrad{f.p}, in[0], in[1], in[2], dout)
	return G.Nodes{dx, nil, nil}, err
}

// focalGrad is the gradient by the logits (Lin et al. 2017, appendix B): (logits, labels, norm, up [1]) -> like logits.
type focalGrad struct{ p engine.FocalParams }

func (*focalGrad) Name() string                                  { return "FocalLossGrad" }
func (*focalGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (f *focalGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.FocalLossGrad(out, in[0], in[1], in[2], in[3], f.p)
}

// perAnchor checks that labels [N,A] and norm [N] belong to x [N,...] with a whole number of values per anchor.
func perAnchor(x, labels, norm tensor.Shape) error {
	if labels.Dims() != 2 || labels[0] != x[0] || !norm.Eq(tensor.Shape{x[0]}) {
		return fmt.Errorf("labels want (N, anchors) and norm (N)")
	}
	if labels[1] == 0 || x.TotalSize()%labels.TotalSize() != 0 {
		return fmt.Errorf("%d values do not divide over %d anchors", x.TotalSize(), labels.TotalSize())
	}
	return nil
}
