//go:build gpu && linux && amd64

package cuda

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// FocalLoss computes the focal loss, or another one of its kind. A label that is no class is an error of the next Download.
func (e *Engine) FocalLoss(loss, logits, labels, norm *tensor.Dense, p engine.FocalParams) error {
	return e.sum(loss, size(logits), func(grid [3]int, part uint64) error {
		return e.focal(grid, part, 0, logits, labels, norm, 0, p)
	})
}

// FocalLossGrad computes the focal loss's gradient by the logits.
func (e *Engine) FocalLossGrad(dlogits, logits, labels, norm, up *tensor.Dense, p engine.FocalParams) error {
	return e.focal([3]int{sumBlocks(size(logits)), 1, 1}, 0, at(dlogits), logits, labels, norm, at(up), p)
}

func (e *Engine) focal(grid [3]int, part, grad uint64, logits, labels, norm *tensor.Dense, up uint64, p engine.FocalParams) error {
	s := labels.Shape()
	e.unjudged = true
	return e.launch(cmp.Or(p.Formula, "focal"), grid, threads, part, grad, at(logits), at(labels), at(norm), maybe(p.Columns), up, at(e.labels), long(s[0]), long(s[1]), long(size(logits)/size(labels)),
		float(p.Alpha), float(p.Gamma), float(p.Beta))
}

// BoxLoss computes a loss of deltas over anchors with an object.
func (e *Engine) BoxLoss(loss, deltas, targets, labels, norm *tensor.Dense, p engine.BoxLossParams) error {
	return e.sum(loss, size(deltas), func(grid [3]int, part uint64) error {
		return e.box(grid, part, 0, deltas, targets, labels, norm, 0, p)
	})
}

// BoxLossGrad computes its gradient by the deltas.
func (e *Engine) BoxLossGrad(ddeltas, deltas, targets, labels, norm, up *tensor.Dense, p engine.BoxLossParams) error {
	return e.box([3]int{sumBlocks(size(deltas)), 1, 1}, 0, at(ddeltas), deltas, targets, labels, norm, at(up), p)
}

func (e *Engine) box(grid [3]int, part, grad uint64, deltas, targets, labels, norm *tensor.Dense, up uint64, p engine.BoxLossParams) error {
	s := labels.Shape()
	return e.launch("box", grid, threads, part, grad, at(deltas), at(targets), at(labels), at(norm), up, long(s[0]), long(s[1]), float(p.Beta), float(p.Alpha), float(p.Gamma), float(p.Bend))
}

// sum runs a kernel that leaves parts of a sum over n elements, and adds them up to out [1].
func (e *Engine) sum(out *tensor.Dense, n int, f func(grid [3]int, part uint64) error) error {
	return e.sumAll(out, []int{n}, func(_ int, grid [3]int, part uint64) error { return f(grid, part) })
}

// sumAll runs kernels that leave parts of sums over so many elements each, and adds all up to out [1].
func (e *Engine) sumAll(out *tensor.Dense, sizes []int, f func(i int, grid [3]int, part uint64) error) error {
	parts := 0
	for _, n := range sizes {
		parts += sumBlocks(n)
	}
	part, err := e.space(partsOf, int64(8*parts))
	if err != nil {
		return err
	}
	to := part
	for i, n := range sizes {
		if err := f(i, [3]int{sumBlocks(n), 1, 1}, to); err != nil {
			return err
		}
		to += uint64(8 * sumBlocks(n))
	}
	return e.launch("total", [3]int{1, 1, 1}, threads, 0, at(out), part, long(parts))
}

// judge is the error of labels that were no class, after work was waited for.
func (e *Engine) judge() error {
	if !e.unjudged {
		return nil
	}
	e.unjudged = false
	var b [16]byte
	if err := e.read(b[:], e.labels.p); err != nil {
		return err
	}
	place, label := int64(binary.NativeEndian.Uint64(b[:])), int64(binary.NativeEndian.Uint64(b[8:]))
	if place < 0 {
		return nil
	}
	if err := e.forgive(); err != nil {
		return err
	}
	return notAClass(place, label)
}

func notAClass(place, label int64) error {
	return fmt.Errorf("cuda: class loss: the label of anchor %d is %d, which is no class", place, label)
}

// forgive makes all labels good.
func (e *Engine) forgive() error {
	return e.do(func() error { return cu.MemsetD8Async(e.labels.p, 0xff, e.labels.n, e.stream) })
}

// SumSquares sums x*x over all tensors.
func (e *Engine) SumSquares(xs ...*tensor.Dense) (float64, error) {
	parts := 0
	for _, x := range xs {
		parts += sumBlocks(size(x))
	}
	part, err := e.space(partsOf, int64(8*(parts+1)))
	if err != nil {
		return 0, err
	}
	to := part + 8
	for _, x := range xs {
		n := sumBlocks(size(x))
		if err := e.launch("squares", [3]int{n, 1, 1}, threads, to, at(x), long(size(x))); err != nil {
			return 0, err
		}
		to += uint64(8 * n)
	}
	if err := e.launch("total", [3]int{1, 1, 1}, threads, part, 0, part+8, long(parts)); err != nil {
		return 0, err
	}
	var b [8]byte
	err = e.read(b[:], cu.DevicePtr(part))
	return math.Float64frombits(binary.NativeEndian.Uint64(b[:])), err
}

// SGD takes a step of stochastic gradient descent.
func (e *Engine) SGD(w, m, g *tensor.Dense, p engine.SGDParams) error {
	return e.each("sgd", size(w), at(w), at(m), at(g), long(size(w)), float(p.LR), float(p.Momentum), float(p.Decay), float(p.Scale), flag(p.Nesterov))
}

// Adam takes a step of Adam or AdamW.
func (e *Engine) Adam(w, m, v, g *tensor.Dense, p engine.AdamParams) error {
	step, root, decay, shrink := p.Factors()
	return e.each("adam", size(w), at(w), at(m), at(v), at(g), long(size(w)), float(step), float(root), float(p.Beta1), float(p.Beta2), float(p.Eps),
		float(decay), float(shrink), float(p.Scale))
}

// Lerp moves w towards x.
func (e *Engine) Lerp(w, x *tensor.Dense, t float32) error {
	return e.each("lerp", size(w), at(w), at(x), long(size(w)), float(t))
}
