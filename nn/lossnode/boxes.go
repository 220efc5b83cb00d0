package lossnode

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/box"
	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Boxes is a loss between decoded boxes, such as GIoU, on the anchors of one level.
type Boxes struct {
	Loss    loss.Box
	Anchors []box.Box // of an image's level
}

// Node adds the loss of the anchors whose label is a class to a graph: deltas [N,h,w,A*4], targets [N,a,4] as deltas too,
// labels [N,a] int32, norm [N]; the result is [1]. It is computed in float64, by the engine where it has the loss (OnEngine), else
// on the host.
func (o Boxes) Node(deltas, targets, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&overlap{Boxes: o}, deltas, targets, labels, norm)
}

type overlap struct {
	Boxes
	placed *tensor.Dense // the anchors, on an engine that has the loss
	host   hostBoxes
}

func (*overlap) Name() string   { return "IoULoss" }
func (*overlap) WRT(int) []bool { return []bool{true, false, false, false} }

func (o *overlap) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := perAnchor(in[0], in[2], in[3]); err != nil {
		return nil, err
	}
	if in[0].TotalSize() != in[1].TotalSize() || in[0].TotalSize() != 4*in[2].TotalSize() || in[2][1] != len(o.Anchors) {
		return nil, fmt.Errorf("wants four deltas and four targets for each of %d anchors", len(o.Anchors))
	}
	return tensor.Shape{1}, nil
}

func (o *overlap) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if k, form, ok := o.kernel(e); ok {
		return k.IoULoss(out, in[0], in[1], in[2], in[3], o.placed, form)
	}
	return o.host.forward(e, out, in, func(row int, grad, delta, target []float32, f float64) float64 {
		return o.one(grad, delta, target, o.Anchors[row%len(o.Anchors)], f)
	})
}

// one computes the loss of a positive anchor, and f times its gradient by the deltas.
func (o *overlap) one(grad, delta, target []float32, anchor box.Box, f float64) float64 {
	clamp := float64(anchors.NewCoder().Clamp)
	// Overlaps do not change when both boxes move: the anchor's centre is the origin, which keeps digits.
	decode := func(d []float32) (corners [4]float32) {
		for axis, side := range [2]float32{anchor.W(), anchor.H()} {
			s := float64(side)
			centre, half := float64(d[axis])*s, math.Exp(math.Min(float64(d[2+axis]), clamp))*s/2
			corners[axis], corners[2+axis] = float32(centre-half), float32(centre+half)
		}
		return corners
	}
	p, t := decode(delta), decode(target)
	var g [4]float32
	l := o.Loss.Eval(g[:], p[:], t[:])
	for axis, side := range [2]float32{anchor.W(), anchor.H()} {
		low, high := float64(g[axis]), float64(g[2+axis])
		grad[axis] = float32(f * float64(side) * (low + high))
		if float64(delta[2+axis]) <= clamp {
			grad[2+axis] = float32(f * (high - low) * float64(p[2+axis]-p[axis]) / 2)
		}
	}
	return l
}

func (o *overlap) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&overlapGrad{o}, in[0], in[1], in[2], in[3], out, dout)
	return G.Nodes{dx, nil, nil, nil}, err
}

// overlapGrad is the gradient by the deltas: (deltas, targets, labels, norm, loss, up [1]) -> like deltas.
type overlapGrad struct{ o *overlap }

func (*overlapGrad) Name() string                                  { return "IoULossGrad" }
func (*overlapGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (g *overlapGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if k, form, ok := g.o.kernel(e); ok {
		return k.IoULossGrad(out, in[0], in[1], in[2], in[3], g.o.placed, in[5], form)
	}
	return g.o.host.gradient(e, out, in[5])
}
