//go:build gpu && linux && amd64

package cuda_test

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/engine/cuda"
)

// rounded is v in 16 bits, by arithmetic: a multiple of the least step of its power of two, or infinite.
func rounded(v float32, p engine.Precision) float32 {
	fraction, least, most := 7, -126, math.Ldexp(2-math.Ldexp(1, -7), 127)
	if p == engine.FP16 {
		fraction, least, most = 10, -14, 65504
	}
	x := float64(v)
	if x == 0 || x != x || math.IsInf(x, 0) {
		return v
	}
	_, exp := math.Frexp(x)
	step := math.Ldexp(1, max(exp-1, least)-fraction)
	r := math.RoundToEven(x/step) * step
	if math.Abs(r) > most {
		r = math.Inf(int(r))
		if x < 0 {
			r = math.Inf(-1)
		}
	}
	return float32(math.Copysign(r, x))
}

// stored is an engine for tests with float32 tensors that computes as one whose activations have 16 bits.
type stored struct {
	engine.Engine
	engine.LevelLosses
	in func(activation *tensor.Dense) *tensor.Dense
	// out is the place of a result, and what brings it to where it was asked for.
	out func(activation *tensor.Dense) (place *tensor.Dense, bring func())
	cap func(float32) float32 // of a ReLU, as gradients compare with it
}

// Supports is the losses', which read and write float32 in any case.
func (s stored) Supports(op engine.Op) bool {
	switch op.(type) {
	case engine.FocalParams, engine.BoxLossParams:
		return s.Engine.Supports(op)
	}
	return false
}

// onGPU converts to 16 bits and back on the device.
func onGPU(t testing.TB, e *cuda.Engine) engine.Engine {
	place := func(x *tensor.Dense) *tensor.Dense {
		h, err := e.New(engine.Half, x.Shape()...)
		must(t, err)
		return h
	}
	return stored{Engine: e, LevelLosses: e, in: func(x *tensor.Dense) *tensor.Dense {
		if x == nil {
			return nil
		}
		h := place(x)
		must(t, e.Convert(h, x))
		return h
	}, out: func(y *tensor.Dense) (*tensor.Dense, func()) {
		h := place(y)
		return h, func() { must(t, e.Convert(y, h)) }
	}, cap: func(v float32) float32 { return v }}
}

// onCPU rounds what kernels read, so that both engines see the same values. Results are not rounded.
func onCPU(t testing.TB, e *cpu.Engine, p engine.Precision) engine.Engine {
	return stored{Engine: e, LevelLosses: e, in: func(x *tensor.Dense) *tensor.Dense {
		if x == nil {
			return nil
		}
		v := get(t, e, x)
		for i := range v {
			v[i] = rounded(v[i], p)
		}
		must(t, e.Upload(x, v))
		return x
	}, out: func(y *tensor.Dense) (*tensor.Dense, func()) { return y, func() {} }, cap: func(v float32) float32 { return rounded(v, p) }}
}

func (s stored) Conv(y, x, w, scale, b, res *tensor.Dense, p engine.ConvParams) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.Conv(to, s.in(x), w, scale, b, s.in(res), p)
}

func (s stored) ConvData(dx, dy, w, scale *tensor.Dense, p engine.ConvParams) error {
	to, bring := s.out(dx)
	defer bring()
	return s.Engine.ConvData(to, s.in(dy), w, scale, p)
}

func (s stored) ConvWeights(dw, dy, x, scale *tensor.Dense, p engine.ConvParams) error {
	return s.Engine.ConvWeights(dw, s.in(dy), s.in(x), scale, p)
}

func (s stored) BiasGrad(db, dy *tensor.Dense) error { return s.Engine.BiasGrad(db, s.in(dy)) }

func (s stored) Activate(y, x *tensor.Dense, a engine.Activation) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.Activate(to, s.in(x), a)
}

func (s stored) ActivateGrad(dx, dy, y *tensor.Dense, a engine.Activation) error {
	to, bring := s.out(dx)
	defer bring()
	a.Cap = s.cap(a.Cap)
	return s.Engine.ActivateGrad(to, s.in(dy), s.in(y), a)
}

func (s stored) Sum(y, a, b *tensor.Dense, act engine.Activation) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.Sum(to, s.in(a), s.in(b), act)
}

func (s stored) MaxPool(y, x *tensor.Dense, p engine.PoolParams) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.MaxPool(to, s.in(x), p)
}

func (s stored) MaxPoolGrad(dx, dy, x, y *tensor.Dense, p engine.PoolParams) error {
	to, bring := s.out(dx)
	defer bring()
	return s.Engine.MaxPoolGrad(to, s.in(dy), s.in(x), s.in(y), p)
}

func (s stored) UpsampleAdd(y, top, lateral *tensor.Dense) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.UpsampleAdd(to, s.in(top), s.in(lateral))
}

func (s stored) UpsampleGrad(dtop, dy *tensor.Dense) error {
	to, bring := s.out(dtop)
	defer bring()
	return s.Engine.UpsampleGrad(to, s.in(dy))
}

func (s stored) BatchNorm(y, stats, runMean, runVar, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.BatchNorm(to, stats, runMean, runVar, s.in(x), gamma, beta, p)
}

func (s stored) GroupNorm(y, stats, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	to, bring := s.out(y)
	defer bring()
	return s.Engine.GroupNorm(to, stats, s.in(x), gamma, beta, p)
}

func (s stored) BatchNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	return s.Engine.BatchNormParamGrad(dp, s.in(dy), s.in(y), s.in(x), stats, p)
}

func (s stored) GroupNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	return s.Engine.GroupNormParamGrad(dp, s.in(dy), s.in(y), s.in(x), stats, p)
}

func (s stored) BatchNormGrad(dx, dy, y, x, gamma, stats, dp *tensor.Dense, p engine.NormParams) error {
	to, bring := s.out(dx)
	defer bring()
	return s.Engine.BatchNormGrad(to, s.in(dy), s.in(y), s.in(x), gamma, stats, dp, p)
}

func (s stored) GroupNormGrad(dx, dy, y, x, gamma, stats *tensor.Dense, p engine.NormParams) error {
	to, bring := s.out(dx)
	defer bring()
	return s.Engine.GroupNormGrad(to, s.in(dy), s.in(y), s.in(x), gamma, stats, p)
}
