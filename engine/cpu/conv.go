package cpu

// #include <stdlib.h>
// #include "kernels.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Conv computes a convolution with fused scale, bias, residual and ReLU.
func (e *Engine) Conv(y, x, w, scale, b, res *tensor.Dense, p engine.ConvParams) error {
	s := convShape(x, w, y, p)
	own := e.own(forward, &s)
	return e.convolve("Conv", func() *C.char {
		return C.rn_conv_forward(e.conv, own, &s, f32(y), f32(x), f32(w), f32(scale), f32(b), f32(res))
	})
}

// SumsInPlace makes Engine an engine.Summing.
func (e *Engine) SumsInPlace() {}

// ConvData computes the gradient of a convolution by its input.
func (e *Engine) ConvData(dx, dy, w, scale *tensor.Dense, p engine.ConvParams) error {
	s := convShape(dx, w, dy, p)
	own := e.own(byData, &s)
	return e.convolve("ConvData", func() *C.char { return C.rn_conv_data(e.conv, own, &s, f32(dx), f32(dy), f32(w), f32(scale)) })
}

// ConvWeights computes the gradient of a convolution by its weights.
func (e *Engine) ConvWeights(dw, dy, x, scale *tensor.Dense, p engine.ConvParams) error {
	s := convShape(x, dw, dy, p)
	own := e.own(byWeights, &s)
	return e.convolve("ConvWeights", func() *C.char { return C.rn_conv_dweights(e.conv, own, &s, f32(dw), f32(dy), f32(x), f32(scale)) })
}

func (e *Engine) convolve(name string, f func() *C.char) error {
	var msg *C.char
	e.worker.do(func() { msg = f() })
	if msg == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(msg))
	return fmt.Errorf("cpu: %s: %s", name, C.GoString(msg))
}

func convShape(x, w, y *tensor.Dense, p engine.ConvParams) C.rn_conv {
	xs, ws, ys := x.Shape(), w.Shape(), y.Shape()
	s := C.rn_conv{n: C.int(xs[0]), h: C.int(xs[1]), w: C.int(xs[2]), c: C.int(xs[3]), k: C.int(ws[0]), r: C.int(ws[2]), s: C.int(ws[3]),
		oh: C.int(ys[1]), ow: C.int(ys[2]), stride: C.int(p.Stride), pad: C.int(p.Pad), groups: C.int(max(p.Groups, 1))}
	if p.ReLU {
		s.relu, s.slope, s.cap = 1, C.float(p.Rectifier.Slope), C.float(p.Rectifier.Cap)
	}
	return s
}

// f32 is the address of a tensor's data, nil for no tensor.
func f32(t *tensor.Dense) *C.float {
	if t == nil {
		return nil
	}
	return (*C.float)(pointer(t))
}

func i32(t *tensor.Dense) *C.int32_t { return (*C.int32_t)(pointer(t)) }

func size(t *tensor.Dense) C.int64_t { return C.int64_t(t.Shape().TotalSize()) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
