package loss

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/nn"
)

// SmoothL1 is, per coordinate with difference d, d*d/(2 Beta) where |d| < Beta and |d| - Beta/2 elsewhere
// (Girshick 2015, "Fast R-CNN", eq. 3, there with Beta 1). Beta 0 is L1.
type SmoothL1 struct{ Beta float64 }

// L1 is the sum of absolute differences.
type L1 struct{}

var (
	_ Box = SmoothL1{}
	_ Box = L1{}
)

// Eval sums the loss.
func (s SmoothL1) Eval(grad, pred, target []float32) float64 {
	if len(pred) != len(target) || grad != nil && len(grad) != len(pred) {
		panic(fmt.Sprintf("loss: %d predictions and %d targets, a gradient of %d", len(pred), len(target), len(grad)))
	}
	sum := 0.0
	for i, p := range pred {
		d := float64(p) - float64(target[i])
		l, slope := math.Abs(d)-s.Beta/2, 0.0
		if d != 0 {
			slope = math.Copysign(1, d)
		}
		if math.Abs(d) < s.Beta {
			l, slope = d*d/(2*s.Beta), d/s.Beta
		}
		sum += l
		if grad != nil {
			grad[i] = float32(slope)
		}
	}
	return sum
}

// Eval sums the loss.
func (L1) Eval(grad, pred, target []float32) float64 { return SmoothL1{}.Eval(grad, pred, target) }

// Node adds the loss of the anchors whose label is a class to a graph: deltas [N,h,w,A*4], targets [N,h*w*A,4], labels
// [N,h*w*A] int32, norm [N]; the result is [1].
func (s SmoothL1) Node(deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&smoothL1{engine.BoxLossParams{Beta: float32(s.Beta)}}, deltas, targets, labels, norm)
}

// Node adds the loss to a graph, like SmoothL1.Node.
func (L1) Node(deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return SmoothL1{}.Node(deltas, targets, labels, norm)
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
