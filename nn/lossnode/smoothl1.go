package lossnode

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// SmoothL1 adds the loss of the anchors whose label is a class to a graph: deltas [N,h,w,A*4], targets [N,h*w*A,4], labels
// [N,h*w*A] int32, norm [N]; the result is [1]. Every engine has a kernel for it.
func SmoothL1(l loss.SmoothL1, deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&smoothL1{engine.BoxLossParams{Beta: float32(l.Beta)}}, deltas, targets, labels, norm)
}

type smoothL1 struct{ p engine.BoxLossParams }

func (*smoothL1) Name() string   { return "SmoothL1" }
func (*smoothL1) WRT(int) []bool { return []bool{true, false, false, false} }

func (*smoothL1) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := perAnchor(in[0], in[2], in[3]); err != nil {
		return nil, err
	}
	if in[0].TotalSize() != in[1].TotalSize() || in[0].TotalSize() != 4*in[2].TotalSize() {
		return nil, fmt.Errorf("wants four deltas and four targets per anchor")
	}
	return tensor.Shape{1}, nil
}

func (s *smoothL1) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.BoxLoss(out, in[0], in[1], in[2], in[3], s.p)
}

func (s *smoothL1) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&smoothL1Grad{s.p}, in[0], in[1], in[2], in[3], dout)
	return G.Nodes{dx, nil, nil, nil}, err
}

// smoothL1Grad is the gradient by the deltas: (deltas, targets, labels, norm, up [1]) -> like deltas.
type smoothL1Grad struct{ p engine.BoxLossParams }

func (*smoothL1Grad) Name() string                                  { return "SmoothL1Grad" }
func (*smoothL1Grad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (s *smoothL1Grad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.BoxLossGrad(out, in[0], in[1], in[2], in[3], in[4], s.p)
}
