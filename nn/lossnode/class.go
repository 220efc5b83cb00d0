package lossnode

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Class is a class loss over all levels of a pyramid at once, for losses without a kernel per level (Binary) and for hard negative
// mining, which compares the anchors of the whole batch. A run of the graph takes the batch into the state of a loss.Adaptive, which the
// host computes. The engine computes it where it has the loss (OnEngine), else the host does, in
// float64. Level l has logits [N,h,w,A*k] and labels [N,a] int32, which index rows; rows of an image are counted through its levels.
type Class struct {
	Loss    loss.Class
	Quality loss.QualityLoss // instead of Loss, with the IoU of predicted and target box as quality
	// Anchors are those of one image, level by level. Read with Quality and NMS.
	Anchors []box.Box
	// NMS is the IoU with a harder anchor above which a loss.OHEM without Excluded excludes an anchor; 0 never does.
	NMS float32
}

// Node adds the loss to a graph, [1], with one factor per image in norm [N]. deltas [N,h,w,A*4] and targets [N,a,4] are
// read with Quality and may be nil otherwise. The quality counts as a constant in the gradient.
func (l Class) Node(logits, labels, deltas, targets []*G.Node, norm *G.Node) (*G.Node, error) {
	k := &levels{Class: l, count: len(logits)}
	in := append(append(append(G.Nodes{}, logits...), labels...), norm)
	if l.Quality != nil {
		in = append(append(in, deltas...), targets...)
	}
	return nn.Apply(k, in...)
}

// levels is the operation: (logits, labels, norm, and with Quality deltas and targets) -> [1].
type levels struct {
	Class
	count    int
	pictures int
	rows     []int // of an image's levels
	host     hostLevels
	at       levelsEngine
}

func (*levels) Name() string { return "ClassLoss" }

func (l *levels) WRT(n int) []bool {
	w := make([]bool, n)
	for i := range l.count {
		w[i] = true
	}
	return w
}

func (l *levels) Shape(in []tensor.Shape) (tensor.Shape, error) {
	want := 2*l.count + 1
	if l.Quality != nil {
		want += 2 * l.count
	}
	if l.count == 0 || len(in) != want {
		return nil, fmt.Errorf("%d inputs, wants %d for %d levels", len(in), want, l.count)
	}
	norm := in[2*l.count]
	rows := 0
	l.rows, l.pictures = nil, norm.TotalSize()
	for i := range l.count {
		if err := perAnchor(in[i], in[l.count+i], norm); err != nil {
			return nil, err
		}
		rows += in[l.count+i][1]
		l.rows = append(l.rows, in[l.count+i][1])
		if k := in[i].TotalSize() / in[l.count+i].TotalSize(); k != in[0].TotalSize()/in[l.count].TotalSize() {
			return nil, fmt.Errorf("level %d has %d logits per anchor", i, k)
		}
	}
	if (l.Quality != nil || l.NMS > 0) && rows != len(l.Anchors) {
		return nil, fmt.Errorf("%d anchors for %d rows", len(l.Anchors), rows)
	}
	return tensor.Shape{1}, nil
}

func (l *levels) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if l.OnEngine(e) {
		return l.at.forward(e, out, in, l)
	}
	return l.host.forward(e, out, in, l)
}

// Gradient adds one node that holds the gradients of all levels, and a view of it for each.
func (l *levels) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	g := &levelsGrad{l: l}
	all, err := nn.Apply(g, append(append(G.Nodes{}, in...), out, dout)...)
	if err != nil {
		return nil, err
	}
	grads := make(G.Nodes, len(in))
	for i := range l.count {
		if grads[i], err = nn.Part(all, g.starts[i], in[i].Shape()...); err != nil {
			return nil, err
		}
	}
	return grads, nil
}

// levelsGrad writes what the forward pass found on the host, or has the engine compute it: (the inputs of levels, loss, up [1]) ->
// every gradient, one after the other, each at a multiple of 16 values.
type levelsGrad struct {
	l      *levels
	starts []int
}

func (*levelsGrad) Name() string { return "ClassLossGrad" }

func (g *levelsGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	at := 0
	g.starts = nil
	for _, s := range in[:g.l.count] {
		g.starts = append(g.starts, at)
		at += (s.TotalSize() + 15) / 16 * 16
	}
	return tensor.Shape{at}, nil
}

func (g *levelsGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if g.l.OnEngine(e) {
		return g.l.at.gradient(e, out, in, g)
	}
	return g.l.host.gradient(e, out, in[len(in)-1], g.starts)
}
