package lossnode

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Deltas adds a loss of deltas, such as smooth-L1, of the anchors whose label is a class to a graph: deltas [N,h,w,A*4], targets [N,h*w*A,4], labels
// [N,h*w*A] int32, norm [N]; the result is [1]. The engine computes it where it has the loss (DeltasOnEngine), else the host
// does, in float64.
func Deltas(l loss.Delta, deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&deltaLoss{l: l}, deltas, targets, labels, norm)
}

type deltaLoss struct {
	l    loss.Delta
	host hostBoxes
}

func (*deltaLoss) Name() string   { return "DeltaLoss" }
func (*deltaLoss) WRT(int) []bool { return []bool{true, false, false, false} }

func (*deltaLoss) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := perAnchor(in[0], in[2], in[3]); err != nil {
		return nil, err
	}
	if in[0].TotalSize() != in[1].TotalSize() || in[0].TotalSize() != 4*in[2].TotalSize() {
		return nil, fmt.Errorf("wants four deltas and four targets per anchor")
	}
	return tensor.Shape{1}, nil
}

func (s *deltaLoss) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
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

func (s *deltaLoss) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&deltaLossGrad{s}, in[0], in[1], in[2], in[3], out, dout)
	return G.Nodes{dx, nil, nil, nil}, err
}

// deltaLossGrad is the gradient by the deltas: (deltas, targets, labels, norm, loss, up [1]) -> like deltas. The loss is an
// input so that it comes before: the host finds the gradient with it.
type deltaLossGrad struct{ s *deltaLoss }

func (*deltaLossGrad) Name() string                                  { return "DeltaLossGrad" }
func (*deltaLossGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (g *deltaLossGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	p := boxLossParams(g.s.l)
	if k, ok := engine.As[engine.LevelLosses](e, p); ok {
		return k.BoxLossGrad(out, in[0], in[1], in[2], in[3], in[5], p)
	}
	return g.s.host.gradient(e, out, in[5])
}
