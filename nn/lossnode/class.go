package lossnode

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/box"
	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
)

// Class is a class loss over all levels of a pyramid at once, for losses without a kernel per level (Binary) and for hard negative
// mining, which compares the anchors of the whole batch. The engine computes it where it has the loss (OnEngine), else the host does, in
// float64. Level l has logits [N,h,w,A*k] and labels [N,a] int32, which index rows; rows of a picture are counted through its levels.
type Class struct {
	Loss    loss.Class
	Quality loss.QualityLoss // instead of Loss, with the IoU of predicted and target box as quality
	// Anchors are those of one picture, level by level. Read with Quality and NMS.
	Anchors []box.Box
	// NMS is the IoU with a harder anchor above which a loss.OHEM without Excluded excludes an anchor; 0 never does.
	NMS float32
}

// Node adds the loss to a graph, [1], with one factor per picture in norm [N]. deltas [N,h,w,A*4] and targets [N,a,4] are
// read with Quality and may be nil otherwise. The quality counts as a constant in the gradient.
func (l Class) Node(logits, labels, deltas, targets []*G.Node, norm *G.Node) (*G.Node, error) {
	k := &levels{Class: l, count: len(logits)}
	in := append(append(append(G.Nodes{}, logits...), labels...), norm)
	if l.Quality != nil {
		in = append(append(in, deltas...), targets...)
	}
	return nn.Apply(k, in...)
}

// levels keeps the gradient that its forward pass found on the host.
type levels struct {
	Class
	count    int
	pictures int
	rows     []int // of a picture's levels
	host     levelsHost
	at       levelsEngine
}

// levelsHost holds a batch picture by picture: rows of a picture stand together.
type levelsHost struct {
	logits, grad []float32
	labels       []int32
	quality      []float32
	norm         []float32
	part         [][]float32 // one level as it lies on the engine
	partLabels   [][]int32
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
	if err := l.host.load(e, in, l.count); err != nil {
		return err
	}
	h := &l.host
	if err := loss.Check(h.logits, h.labels); err != nil {
		return err
	}
	if l.Quality != nil {
		if err := l.qualities(e, in[2*l.count+1:]); err != nil {
			return err
		}
	}
	n := len(h.norm)
	rows, k := len(h.labels)/n, len(h.logits)/len(h.labels)
	sum := 0.0
	if o, ok := l.Loss.(loss.OHEM); ok && l.Quality == nil {
		if o.Excluded == nil && l.NMS > 0 {
			o.Excluded = func(row, harder int) bool {
				return row/rows == harder/rows && l.Anchors[row%rows].IoU(l.Anchors[harder%rows]) > l.NMS
			}
		}
		sum = o.EvalWeighted(h.grad, h.logits, h.labels, func(row int) float64 { return float64(h.norm[row/rows]) })
	} else {
		for i := range n {
			x, g, labels := h.logits[i*rows*k:(i+1)*rows*k], h.grad[i*rows*k:(i+1)*rows*k], h.labels[i*rows:(i+1)*rows]
			var s float64
			if l.Quality != nil {
				s = l.Quality.Eval(g, x, labels, h.quality[i*rows:(i+1)*rows])
			} else {
				s = l.Loss.Eval(g, x, labels)
			}
			sum += s * float64(h.norm[i])
		}
	}
	for i, f := range h.norm {
		for j := i * rows * k; j < (i+1)*rows*k; j++ {
			h.grad[j] *= f
		}
	}
	return e.Upload(out, []float32{float32(sum)})
}

// load brings logits and labels to the host, picture by picture.
func (h *levelsHost) load(e engine.Engine, in []*tensor.Dense, count int) error {
	labels := in[count : 2*count]
	n := in[2*count].Shape()[0]
	if h.part == nil {
		rows := 0
		for l, t := range labels {
			h.part = append(h.part, make([]float32, in[l].Shape().TotalSize()))
			h.partLabels = append(h.partLabels, make([]int32, t.Shape().TotalSize()))
			rows += t.Shape()[1]
		}
		k := in[0].Shape().TotalSize() / labels[0].Shape().TotalSize()
		h.logits, h.grad = make([]float32, n*rows*k), make([]float32, n*rows*k)
		h.labels, h.quality, h.norm = make([]int32, n*rows), make([]float32, n*rows), make([]float32, n)
	}
	for l := range labels {
		if err := e.Download(h.part[l], in[l]); err != nil {
			return err
		}
		if err := e.Download(h.partLabels[l], labels[l]); err != nil {
			return err
		}
	}
	h.each(func(level []float32, at, from, size int) { copy(h.logits[from:from+size], level[at:at+size]) })
	at := 0
	for i := range n {
		for _, p := range h.partLabels {
			a := len(p) / n
			at += copy(h.labels[at:], p[i*a:(i+1)*a])
		}
	}
	return e.Download(h.norm, in[2*count])
}

// each calls f for each picture and level with the level's values, where the picture's begin there and among all, and
// their number.
func (h *levelsHost) each(f func(level []float32, at, from, size int)) {
	from, n := 0, len(h.norm)
	for i := range n {
		for _, p := range h.part {
			size := len(p) / n
			f(p, i*size, from, size)
			from += size
		}
	}
}

// qualities are the IoUs of the predicted boxes with their targets.
func (l *levels) qualities(e engine.Engine, in []*tensor.Dense) error {
	n := len(l.host.norm)
	coder := anchors.NewCoder()
	start := 0
	for level := range l.count {
		labels := l.host.partLabels[level]
		deltas, targets := make([]float32, 4*len(labels)), make([]float32, 4*len(labels))
		if err := e.Download(deltas, in[level]); err != nil {
			return err
		}
		if err := e.Download(targets, in[l.count+level]); err != nil {
			return err
		}
		a := len(labels) / n
		for j, label := range labels {
			if label < 0 {
				continue
			}
			anchor := l.Anchors[start+j%a]
			p, t := coder.Decode(anchor, [4]float32(deltas[4*j:])), coder.Decode(anchor, [4]float32(targets[4*j:]))
			l.host.quality[j/a*len(l.Anchors)+start+j%a] = p.IoU(t)
		}
		start += a
	}
	return nil
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
	var up [1]float32
	if err := e.Download(up[:], in[len(in)-1]); err != nil {
		return err
	}
	h := &g.l.host
	h.each(func(level []float32, at, from, size int) {
		for i, v := range h.grad[from : from+size] {
			level[at+i] = v * up[0]
		}
	})
	all := make([]float32, out.Shape().TotalSize())
	for i, p := range h.part {
		copy(all[g.starts[i]:], p)
	}
	return e.Upload(out, all)
}
