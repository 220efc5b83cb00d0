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
// [N,h*w*A] int32, norm [N]; the result is [1]. The engine computes it where it has the loss (SmoothL1OnEngine), else the host
// does, in float64.
func SmoothL1(l loss.SmoothL1, deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&smoothL1{l: l}, deltas, targets, labels, norm)
}

type smoothL1 struct {
	l    loss.SmoothL1
	host hostBoxes
}

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
	p := boxLossParams(s.l)
	if k, ok := engine.As[engine.LevelLosses](e, p); ok {
		return k.BoxLoss(out, in[0], in[1], in[2], in[3], p)
	}
	return s.host.forward(e, out, in, func(_ int, grad, delta, target []float32, f float64) float64 {
		sum := s.l.Eval(grad, delta, target)
		for i, g := range grad {
			grad[i] = float32(f * float64(g))
		}
		return sum
	})
}

func (s *smoothL1) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&smoothL1Grad{s}, in[0], in[1], in[2], in[3], out, dout)
	return G.Nodes{dx, nil, nil, nil}, err
}

// smoothL1Grad is the gradient by the deltas: (deltas, targets, labels, norm, loss, up [1]) -> like deltas. The loss is an
// input so that it comes before: the host finds the gradient with it.
type smoothL1Grad struct{ s *smoothL1 }

func (*smoothL1Grad) Name() string                                  { return "SmoothL1Grad" }
func (*smoothL1Grad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (g *smoothL1Grad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	p := boxLossParams(g.s.l)
	if k, ok := engine.As[engine.LevelLosses](e, p); ok {
		return k.BoxLossGrad(out, in[0], in[1], in[2], in[3], in[5], p)
	}
	return g.s.host.gradient(e, out, in[5])
}
