package lossnode

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Binary adds the loss of a level to a graph: logits [N,h,w,A*K], labels [N,h*w*A] int32, norm [N]; the result is [1]. The engine
// computes it where it has the loss (BinaryOnEngine), else the host does, in float64.
func Binary(l loss.Binary, logits, labels, norm *G.Node) (*G.Node, error) {
	n := &focal{p: focalParams(l), level: levels{Class: Class{Loss: l}, count: 1}}
	f := l.Formula()
	for _, w := range append(slices.Clone(f.Objects), f.Others...) {
		n.columns = append(n.columns, float32(w))
	}
	return nn.Apply(n, logits, labels, norm)
}

type focal struct {
	p       engine.FocalParams
	columns []float32 // factors of the classes, [2,K] as engine.FocalParams has them
	level   levels    // the host's
}

func (*focal) Name() string   { return "FocalLoss" }
func (*focal) WRT(int) []bool { return []bool{true, false, false} }

func (f *focal) Shape(in []tensor.Shape) (tensor.Shape, error) {
	out, err := f.level.Shape(in)
	if err != nil {
		return nil, err
	}
	if k := in[0].TotalSize() / in[1].TotalSize(); f.columns != nil && len(f.columns) != 2*k {
		return nil, fmt.Errorf("%d factors of classes (loss.class_weights, loss.class_alphas) for %d classes", len(f.columns)/2, k)
	}
	return out, nil
}

func (f *focal) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if k, ok := engine.As[engine.LevelLosses](e, f.p); ok {
		return k.FocalLoss(out, in[0], in[1], in[2], f.p)
	}
	return f.level.host.forward(e, out, in, &f.level)
}

func (f *focal) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := nn.Apply(&focalGrad{f}, in[0], in[1], in[2], out, dout)
	return G.Nodes{dx, nil, nil}, err
}

// focalGrad is the gradient by the logits (Lin et al. 2017, appendix B): (logits, labels, norm, loss, up [1]) -> like
// logits. The loss is an input so that it comes before: the host finds the gradient with it.
type focalGrad struct{ f *focal }

func (*focalGrad) Name() string                                  { return "FocalLossGrad" }
func (*focalGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (g *focalGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if k, ok := engine.As[engine.LevelLosses](e, g.f.p); ok {
		return k.FocalLossGrad(out, in[0], in[1], in[2], in[4], g.f.p)
	}
	return g.f.level.host.gradient(e, out, in[4], []int{0})
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
