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
	return e.conv2d(featureMaps{{x, y, res}}, w, scale, b, p)
}

// Batches is true for what the own kernels compute: these take maps like one.
func (e *Engine) Batches(w tensor.Shape, p engine.ConvParams) bool {
	s := convShape(w, p)
	return e.chosen != OneDNN && C.rn_conv_own(&s) != 0
}

// ConvAll computes convolutions with the same weights.
func (e *Engine) ConvAll(y, x []*tensor.Dense, w, scale, b *tensor.Dense, p engine.ConvParams) error {
	return e.conv2d(pairs(x, y), w, scale, b, p)
}

func (e *Engine) conv2d(m featureMaps, w, scale, b *tensor.Dense, p engine.ConvParams) error {
	s := convShape(w.Shape(), p)
	list := m.list(false)
	own := e.own(forward, s, list)
	return e.guarded("Conv", func() *C.char {
		return C.rn_conv_forward(e.conv, own, &s, unsafe.SliceData(list), C.int(len(list)), f32(w), f32(scale), f32(b))
	})
}

// ConvData computes the gradient of a convolution by its input.
func (e *Engine) ConvData(dx, dy, w, scale *tensor.Dense, p engine.ConvParams) error {
	return e.convData(featureMaps{{dy, dx, nil}}, w, scale, p)
}

// ConvDataAll computes those of convolutions with the same weights.
func (e *Engine) ConvDataAll(dx, dy []*tensor.Dense, w, scale *tensor.Dense, p engine.ConvParams) error {
	return e.convData(pairs(dy, dx), w, scale, p)
}

func (e *Engine) convData(m featureMaps, w, scale *tensor.Dense, p engine.ConvParams) error {
	s := convShape(w.Shape(), p)
	list := m.list(true)
	own := e.own(byData, s, list)
	return e.guarded("ConvData", func() *C.char {
		return C.rn_conv_data(e.conv, own, &s, unsafe.SliceData(list), C.int(len(list)), f32(w), f32(scale))
	})
}

// ConvWeights computes the gradient of a convolution by its weights.
func (e *Engine) ConvWeights(dw, dy, x, scale *tensor.Dense, p engine.ConvParams) error {
	return e.convWeights(dw, featureMaps{{x, dy, nil}}, scale, p)
}

// ConvWeightsAll computes that of convolutions with the same weights.
func (e *Engine) ConvWeightsAll(dw *tensor.Dense, dy, x []*tensor.Dense, scale *tensor.Dense, p engine.ConvParams) error {
	return e.convWeights(dw, pairs(x, dy), scale, p)
}

func (e *Engine) convWeights(dw *tensor.Dense, m featureMaps, scale *tensor.Dense, p engine.ConvParams) error {
	s := convShape(dw.Shape(), p)
	list := m.list(false)
	own := e.own(byWeights, s, list)
	return e.guarded("ConvWeights", func() *C.char {
		return C.rn_conv_dweights(e.conv, own, &s, unsafe.SliceData(list), C.int(len(list)), f32(dw), f32(scale))
	})
}

// guarded calls f on the thread that computes; what f returns is the message of an error.
func (e *Engine) guarded(name string, f func() *C.char) error {
	var msg *C.char
	e.worker.do(func() { msg = f() })
	if msg == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(msg))
	if text := C.GoString(msg); text != engine.ErrMemory.Error() {
		return fmt.Errorf("cpu: %s: %s", name, text)
	}
	return fmt.Errorf("cpu: %s: %w", name, engine.ErrMemory)
}

// featureMaps are what the convolutions of one call read and write: x, y as rn_map has them, and a residual.
type featureMaps [][3]*tensor.Dense

func pairs(x, y []*tensor.Dense) featureMaps {
	m := make(featureMaps, len(x))
	for i := range x {
		m[i] = [3]*tensor.Dense{x[i], y[i], nil}
	}
	return m
}

// list is maps for C. Where turned, x is the gradient of an output and y that of an input.
func (m featureMaps) list(turned bool) []C.rn_map {
	l := make([]C.rn_map, len(m))
	for i, t := range m {
		in, out := t[0].Shape(), t[1].Shape()
		if turned {
			in, out = out, in
		}
		l[i] = C.rn_map{x: f32(t[0]), y: f32(t[1]), res: f32(t[2]), n: C.int(in[0]), h: C.int(in[1]), w: C.int(in[2]), oh: C.int(out[1]), ow: C.int(out[2])}
	}
	return l
}

// convShape is a convolution's shape but for the size of its map.
func convShape(ws tensor.Shape, p engine.ConvParams) conv {
	g := max(p.Groups, 1)
	s := conv{c: C.int(ws[1] * g), k: C.int(ws[0]), r: C.int(ws[2]), s: C.int(ws[3]), stride: C.int(p.Stride), pad: C.int(p.Pad), groups: C.int(g)}
	if a := p.Activation; a.Kind == engine.Rectified {
		s.relu, s.slope, s.cap = 1, C.float(a.Slope), C.float(a.Cap)
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
