package cpu

// #include <stdlib.h>
// #include "kernels.h"
import "C"

import (
	"cmp"
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
	_ "retinago/engine/formula" // loss.cpp includes its header
)

// FocalLoss computes the focal loss, or another one of its kind.
func (e *Engine) FocalLoss(loss, logits, labels, norm *tensor.Dense, p engine.FocalParams) error {
	return e.focal(f32(loss), nil, logits, labels, norm, 1, p)
}

// FocalLossGrad computes the focal loss's gradient by the logits.
func (e *Engine) FocalLossGrad(dlogits, logits, labels, norm, up *tensor.Dense, p engine.FocalParams) error {
	return e.focal(nil, f32(dlogits), logits, labels, norm, floats(up)[0], p)
}

func (e *Engine) focal(loss, grad *C.float, logits, labels, norm *tensor.Dense, up float32, p engine.FocalParams) error {
	s := labels.Shape()
	k := logits.Shape().TotalSize() / s.TotalSize()
	index, err := lossIndex(p)
	if err != nil {
		return err
	}
	var columns *C.float
	if p.Columns != nil {
		columns = f32(p.Columns)
	}
	var bad C.int64_t
	err = e.guarded("FocalLoss", func() *C.char {
		return C.rn_binary_loss(index, loss, grad, f32(logits), i32(labels), f32(norm), columns, C.float(up), C.int(s[0]), C.int64_t(s[1]), C.int(k), C.float(p.Alpha), C.float(p.Gamma), C.float(p.Beta), &bad)
	})
	if err != nil {
		return err
	}
	if bad >= 0 {
		return fmt.Errorf("cpu: focal loss: the label of anchor %d is %d, there are %d classes", bad, labels.Data().([]int32)[bad], k)
	}
	return nil
}

// lossIndex is the number of a class loss in engine/formula/binary.h.
func lossIndex(p engine.FocalParams) (C.int, error) {
	name := C.CString(cmp.Or(p.Formula, "focal"))
	defer C.free(unsafe.Pointer(name))
	index := C.rn_binary_loss_index(name)
	if index < 0 {
		return 0, fmt.Errorf("cpu: no class loss %q", p.Formula)
	}
	return index, nil
}

// BoxLoss computes a loss of deltas over anchors with an object.
func (e *Engine) BoxLoss(loss, deltas, targets, labels, norm *tensor.Dense, p engine.BoxLossParams) error {
	e.boxLoss(f32(loss), nil, deltas, targets, labels, norm, 1, p)
	return nil
}

// BoxLossGrad computes its gradient by the deltas.
func (e *Engine) BoxLossGrad(ddeltas, deltas, targets, labels, norm, up *tensor.Dense, p engine.BoxLossParams) error {
	e.boxLoss(nil, f32(ddeltas), deltas, targets, labels, norm, floats(up)[0], p)
	return nil
}

func (e *Engine) boxLoss(loss, grad *C.float, deltas, targets, labels, norm *tensor.Dense, up float32, p engine.BoxLossParams) {
	s := labels.Shape()
	e.worker.do(func() {
		C.rn_box_loss(loss, grad, f32(deltas), f32(targets), i32(labels), f32(norm), C.float(up), C.int(s[0]), C.int64_t(s[1]), C.float(p.Beta), C.float(p.Alpha), C.float(p.Gamma), C.float(p.Bend))
	})
}

// SumSquares sums x*x over all tensors.
func (e *Engine) SumSquares(xs ...*tensor.Dense) (s float64, err error) {
	err = e.guarded("SumSquares", func() *C.char {
		for _, x := range xs {
			var one C.double
			if msg := C.rn_sum_squares(f32(x), size(x), &one); msg != nil {
				return msg
			}
			s += float64(one)
		}
		return nil
	})
	return s, err
}

// SGD takes a step of stochastic gradient descent.
func (e *Engine) SGD(w, m, g *tensor.Dense, p engine.SGDParams) error {
	e.worker.do(func() {
		C.rn_sgd(f32(w), f32(m), f32(g), size(w), C.float(p.LR), C.float(p.Momentum), C.float(p.Decay), C.float(p.Scale), flag(p.Nesterov))
	})
	return nil
}

// Adam takes a step of Adam or AdamW.
func (e *Engine) Adam(w, m, v, g *tensor.Dense, p engine.AdamParams) error {
	step, root, decay, shrink := p.Factors()
	e.worker.do(func() {
		C.rn_adam(f32(w), f32(m), f32(v), f32(g), size(w), C.float(step), C.float(root), C.float(p.Beta1), C.float(p.Beta2), C.float(p.Eps), C.float(decay), C.float(shrink), C.float(p.Scale))
	})
	return nil
}

// Lerp moves w towards x.
func (e *Engine) Lerp(w, x *tensor.Dense, t float32) error {
	e.worker.do(func() { C.rn_lerp(f32(w), f32(x), size(w), C.float(t)) })
	return nil
}
