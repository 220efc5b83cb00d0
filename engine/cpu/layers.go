package cpu

// #include <stdlib.h>
// #include "kernels.h"
import "C"

import (
	"math"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// BiasGrad sums dy [...,C] to db [C].
func (e *Engine) BiasGrad(db, dy *tensor.Dense) error {
	c := db.Shape()[0]
	return e.guarded("BiasGrad", func() *C.char { return C.rn_bias_grad(f32(db), f32(dy), size(dy)/C.int64_t(c), C.int(c)) })
}

// Activate computes an activation.
func (e *Engine) Activate(y, x *tensor.Dense, a engine.Activation) error {
	e.worker.do(func() { C.rn_activate(f32(y), f32(x), size(x), C.int(a.Kind), C.float(a.Slope), C.float(a.Cap)) })
	return nil
}

// ActivateGrad computes an activation's gradient.
func (e *Engine) ActivateGrad(dx, dy, v *tensor.Dense, a engine.Activation) error {
	e.worker.do(func() {
		C.rn_activate_grad(f32(dx), f32(dy), f32(v), size(v), C.int(a.Kind), C.float(a.Slope), C.float(a.Cap))
	})
	return nil
}

// Sum computes a + b, with an optional ReLU.
func (e *Engine) Sum(y, a, b *tensor.Dense, act engine.Activation) error {
	e.worker.do(func() { C.rn_add(f32(y), f32(a), f32(b), size(y), flag(act == engine.ReLU)) })
	return nil
}

// MaxPool computes the maximum over windows.
func (e *Engine) MaxPool(y, x *tensor.Dense, p engine.PoolParams) error {
	xs, ys := x.Shape(), y.Shape()
	e.worker.do(func() {
		C.rn_max_pool(f32(y), f32(x), C.int(xs[0]), C.int(xs[1]), C.int(xs[2]), C.int(xs[3]), C.int(ys[1]), C.int(ys[2]), C.int(p.Kernel), C.int(p.Stride), C.int(p.Pad))
	})
	return nil
}

// MaxPoolGrad sends dy to each window's first maximum.
func (e *Engine) MaxPoolGrad(dx, dy, x, y *tensor.Dense, p engine.PoolParams) error {
	xs, ys := x.Shape(), y.Shape()
	return e.guarded("MaxPoolGrad", func() *C.char {
		return C.rn_max_pool_grad(f32(dx), f32(dy), f32(x), f32(y), C.int(xs[0]), C.int(xs[1]), C.int(xs[2]), C.int(xs[3]), C.int(ys[1]), C.int(ys[2]), C.int(p.Kernel), C.int(p.Stride), C.int(p.Pad))
	})
}

// UpsampleAdd adds the nearest-neighbour upsampling of top to lateral.
func (e *Engine) UpsampleAdd(y, top, lateral *tensor.Dense) error {
	ys, ts := y.Shape(), top.Shape()
	e.worker.do(func() {
		C.rn_upsample_add(f32(y), f32(top), f32(lateral), C.int(ys[0]), C.int(ys[1]), C.int(ys[2]), C.int(ts[1]), C.int(ts[2]), C.int(ys[3]))
	})
	return nil
}

// UpsampleGrad sums dy over the pixels that read one pixel of top.
func (e *Engine) UpsampleGrad(dtop, dy *tensor.Dense) error {
	ys, ts := dy.Shape(), dtop.Shape()
	e.worker.do(func() {
		C.rn_upsample_grad(f32(dtop), f32(dy), C.int(ys[0]), C.int(ys[1]), C.int(ys[2]), C.int(ts[1]), C.int(ts[2]), C.int(ys[3]))
	})
	return nil
}

// BatchNorm normalises by the batch's statistics and moves the running ones.
func (e *Engine) BatchNorm(y, stats, runMean, runVar, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	rows, c := rowsOf(x)
	variance := make([]float32, c)
	err := e.guarded("BatchNorm", func() *C.char {
		return C.rn_norm(f32(y), f32(stats), (*C.float)(unsafe.SliceData(variance)), f32(x), f32(gamma), f32(beta), 1, rows, C.int(c), C.int(c), C.float(p.Eps), flag(p.Activation == engine.ReLU))
	})
	if err != nil {
		return err
	}
	mean, m, v := floats(stats)[:c], floats(runMean), floats(runVar)
	unbiased := float32(1)
	if rows > 1 {
		unbiased = float32(rows) / float32(rows-1)
	}
	for i := range m {
		m[i] += p.Momentum * (mean[i] - m[i])
		v[i] += p.Momentum * (variance[i]*unbiased - v[i])
	}
	return nil
}

// GroupNorm normalises groups of channels of each image.
func (e *Engine) GroupNorm(y, stats, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	n, pixels, c := imagesOf(x)
	return e.guarded("GroupNorm", func() *C.char {
		return C.rn_norm(f32(y), f32(stats), nil, f32(x), f32(gamma), f32(beta), n, pixels, c, C.int(p.Groups), C.float(p.Eps), flag(p.Activation == engine.ReLU))
	})
}

// BatchNormParamGrad computes the gradient by gamma and beta.
func (e *Engine) BatchNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	rows, c := rowsOf(x)
	return e.guarded("BatchNormParamGrad", func() *C.char {
		return C.rn_norm_param_grad(f32(dp), f32(dy), f32(y), f32(x), f32(stats), 1, rows, C.int(c), C.int(c), flag(p.Activation == engine.ReLU))
	})
}

// GroupNormParamGrad computes the gradient by gamma and beta.
func (e *Engine) GroupNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	n, pixels, c := imagesOf(x)
	return e.guarded("GroupNormParamGrad", func() *C.char {
		return C.rn_norm_param_grad(f32(dp), f32(dy), f32(y), f32(x), f32(stats), n, pixels, c, C.int(p.Groups), flag(p.Activation == engine.ReLU))
	})
}

// BatchNormGrad computes the gradient by the input.
func (e *Engine) BatchNormGrad(dx, dy, y, x, gamma, stats, _ *tensor.Dense, p engine.NormParams) error {
	rows, c := rowsOf(x)
	return e.guarded("BatchNormGrad", func() *C.char {
		return C.rn_norm_grad(f32(dx), f32(dy), f32(y), f32(x), f32(gamma), f32(stats), 1, rows, C.int(c), C.int(c), flag(p.Activation == engine.ReLU))
	})
}

// GroupNormGrad computes the gradient by the input.
func (e *Engine) GroupNormGrad(dx, dy, y, x, gamma, stats *tensor.Dense, p engine.NormParams) error {
	n, pixels, c := imagesOf(x)
	return e.guarded("GroupNormGrad", func() *C.char {
		return C.rn_norm_grad(f32(dx), f32(dy), f32(y), f32(x), f32(gamma), f32(stats), n, pixels, c, C.int(p.Groups), flag(p.Activation == engine.ReLU))
	})
}

// Fold derives a norm with fixed statistics, in float64.
func (e *Engine) Fold(scale, shift, gamma, beta, mean, variance *tensor.Dense, eps float32) error {
	s, t, m := floats(scale), floats(shift), floats(mean)
	g, b, v := floats(gamma), floats(beta), floats(variance)
	for i := range s {
		k := float64(g[i]) / math.Sqrt(float64(v[i])+float64(eps))
		s[i] = float32(k)
		t[i] = float32(float64(b[i]) - float64(m[i])*k)
	}
	return nil
}

func rowsOf(x *tensor.Dense) (C.int64_t, int) {
	c := x.Shape()[3]
	return size(x) / C.int64_t(c), c
}

func imagesOf(x *tensor.Dense) (n, pixels C.int64_t, c C.int) {
	s := x.Shape()
	return C.int64_t(s[0]), C.int64_t(s[1] * s[2]), C.int(s[3])
}
