package lossnode

import (
	"errors"

	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/engine"
	"retinago/loss"
)

// The losses on the host, in float64, for engines without a kernel. The forward pass also finds the gradient, which is kept.

// hostLevels computes a class loss over levels. It holds a batch image by image: rows of an image stand together.
type hostLevels struct {
	logits, grad []float32
	labels       []int32
	quality      []float32
	norm         []float32
	part         [][]float32 // one level as it lies on the engine
	partLabels   [][]int32
}

// forward computes the loss of l, whose inputs are in.
func (h *hostLevels) forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, l *levels) error {
	if err := h.load(e, in, l.count); err != nil {
		return err
	}
	if err := loss.Check(h.logits, h.labels); err != nil {
		return err
	}
	if l.Quality != nil {
		if err := h.qualities(e, l, in[2*l.count+1:]); err != nil {
			return err
		}
	}
	n := len(h.norm)
	rows, k := len(h.labels)/n, len(h.logits)/len(h.labels)
	sum, factor := 0.0, func(row int) float64 { return float64(h.norm[row/rows]) }
	if o, ok := l.Loss.(loss.OHEM); ok && l.Quality == nil {
		if o.Excluded == nil && l.NMS > 0 {
			o.Excluded = func(row, harder int) bool {
				return row/rows == harder/rows && l.Anchors[row%rows].IoU(l.Anchors[harder%rows]) > l.NMS
			}
		}
		sum = o.EvalWeighted(h.grad, h.logits, h.labels, factor)
	} else if a, ok := l.Loss.(loss.Adaptive); ok {
		sum = a.Train(h.grad, h.logits, h.labels, factor)
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

// gradient writes up [1] times the gradient, level after level, each from a start on.
func (h *hostLevels) gradient(e engine.Engine, out, by *tensor.Dense, starts []int) error {
	var up [1]float32
	if err := e.Download(up[:], by); err != nil {
		return err
	}
	h.each(func(level []float32, at, from, size int) {
		for i, v := range h.grad[from : from+size] {
			level[at+i] = v * up[0]
		}
	})
	all := make([]float32, out.Shape().TotalSize())
	for i, p := range h.part {
		copy(all[starts[i]:], p)
	}
	return e.Upload(out, all)
}

// load brings logits and labels to the host, image by image.
func (h *hostLevels) load(e engine.Engine, in []*tensor.Dense, count int) error {
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

// each calls f for each image and level with the level's values, where the image's begin there and among all, and
// their number.
func (h *hostLevels) each(f func(level []float32, at, from, size int)) {
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
func (h *hostLevels) qualities(e engine.Engine, l *levels, in []*tensor.Dense) error {
	n := len(h.norm)
	coder := anchors.NewCoder()
	start := 0
	for level := range l.count {
		labels := h.partLabels[level]
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
			h.quality[j/a*len(l.Anchors)+start+j%a] = p.IoU(t)
		}
		start += a
	}
	return nil
}

// hostBoxes computes a box loss of one level.
type hostBoxes struct {
	deltas, targets, grad, norm []float32
	labels                      []int32
}

// forward computes the loss of deltas, targets, labels and norm over rows whose label is a class. one returns a row's loss and writes
// f times its gradient by the delta.
func (h *hostBoxes) forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense, one func(row int, grad, delta, target []float32, f float64) float64) error {
	n, rows := in[3].Shape()[0], in[2].Shape().TotalSize()
	if h.deltas == nil {
		h.deltas, h.targets, h.grad = make([]float32, 4*rows), make([]float32, 4*rows), make([]float32, 4*rows)
		h.labels, h.norm = make([]int32, rows), make([]float32, n)
	}
	if err := errors.Join(e.Download(h.deltas, in[0]), e.Download(h.targets, in[1]), e.Download(h.labels, in[2]), e.Download(h.norm, in[3])); err != nil {
		return err
	}
	clear(h.grad)
	sum := 0.0
	for j, label := range h.labels {
		if label < 0 {
			continue
		}
		f := float64(h.norm[j/(rows/n)])
		sum += f * one(j, h.grad[4*j:4*j+4], h.deltas[4*j:4*j+4], h.targets[4*j:4*j+4], f)
	}
	return e.Upload(out, []float32{float32(sum)})
}

// gradient writes up [1] times the gradient.
func (h *hostBoxes) gradient(e engine.Engine, out, by *tensor.Dense) error {
	var up [1]float32
	if err := e.Download(up[:], by); err != nil {
		return err
	}
	d := h.deltas // read by the forward pass only
	for i, v := range h.grad {
		d[i] = v * up[0]
	}
	return e.Upload(out, d)
}
