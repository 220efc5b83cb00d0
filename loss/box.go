package loss

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/nn"
)

// SmoothL1 adds the regression loss over positive anchors: per coordinate with difference d, d*d/(2 beta) where
// |d| < beta and |d| - beta/2 elsewhere (Girshick 2015, "Fast R-CNN", eq. 3, there with beta = 1). deltas is
// [N,h,w,A*4], targets [N,h*w*A,4], labels [N,h*w*A] int32, norm [N]; the result is [1].
func SmoothL1(deltas, targets, labels, norm *G.Node, beta float32) (*G.Node, error) {
	return nn.Apply(&smoothL1{engine.BoxLossParams{Beta: beta}}, deltas, targets, labels, norm)
}

// L1 adds the sum of absolute differences over positive anchors.
func L1(deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return SmoothL1(deltas, targets, labels, norm, 0)
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
