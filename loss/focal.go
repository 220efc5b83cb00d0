package loss

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/nn"
)

// Focal is the sigmoid focal loss FL(p_t) = -alpha_t (1-p_t)^gamma log(p_t), summed over rows and classes
// (Lin et al. 2017, eq. 5). Alpha weighs the labelled class and 1-Alpha the others; a negative Alpha weighs nothing.
// Gamma 0 is CrossEntropy.
type Focal struct{ Alpha, Gamma float64 }

// CrossEntropy is the sum of binary cross entropies, balanced by Alpha as in Focal (Lin et al. 2017, eq. 3).
type CrossEntropy struct{ Alpha float64 }

var (
	_ Class = Focal{}
	_ Class = CrossEntropy{}
)

// Eval sums the loss.
func (f Focal) Eval(grad, logits []float32, labels []int32) float64 {
	return independent(grad, logits, labels, f.At)
}

// At is the loss of one binary task and its slope by x_t, the logit with the sign of the label:
// alpha_t (1-p_t)^gamma (gamma p_t log p_t + p_t - 1) (appendix B, eq. 10).
func (f Focal) At(xt float64, positive bool) (loss, slope float64) {
	q, nll := sigmoid(-xt), softplus(-xt) // 1-p_t, -log p_t
	w := weight(f.Alpha, positive) * math.Pow(q, f.Gamma)
	return w * nll, -w * (f.Gamma*(1-q)*nll + q)
}

// Eval sums the loss.
func (c CrossEntropy) Eval(grad, logits []float32, labels []int32) float64 {
	return Focal{Alpha: c.Alpha}.Eval(grad, logits, labels)
}

// weight is alpha_t.
func weight(alpha float64, positive bool) float64 {
	switch {
	case alpha < 0:
		return 1
	case positive:
		return alpha
	}
	return 1 - alpha
}

// Node adds the loss of a level to a graph: logits [N,h,w,A*K], labels [N,h*w*A] int32, norm [N]; the result is [1].
func (f Focal) Node(logits, labels, norm *G.Node) (*G.Node, error) {
	return nn.Apply(&focal{engine.FocalParams{Alpha: float32(f.Alpha), Gamma: float32(f.Gamma)}}, logits, labels, norm)
}

// Node adds the loss of a level to a graph, like Focal.Node.
func (c CrossEntropy) Node(logits, labels, norm *G.Node) (*G.Node, error) {
	return Focal{Alpha: c.Alpha}.Node(logits, labels, norm)
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
