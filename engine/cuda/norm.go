//go:build gpu && linux && amd64

package cuda

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// pixels is a tensor seen by a norm: images of pixels of c channels in groups. Batch norm sees one image with a group per channel.
type pixels struct{ images, pixels, c, groups int }

func batch(x *tensor.Dense) pixels {
	c := x.Shape()[3]
	return pixels{1, size(x) / c, c, c}
}

func byImage(x *tensor.Dense, p engine.NormParams) pixels {
	s := x.Shape()
	return pixels{s[0], s[1] * s[2], s[3], p.Groups}
}

// BatchNorm normalises by the batch's statistics and moves the running ones.
func (e *Engine) BatchNorm(y, stats, runMean, runVar, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	v := batch(x)
	variance, err := e.space(channelsOf, int64(4*v.c))
	if err != nil {
		return err
	}
	if err := e.norm(y, stats, variance, x, gamma, beta, v, p); err != nil {
		return err
	}
	unbiased := float32(1)
	if v.pixels > 1 {
		unbiased = float32(v.pixels) / float32(v.pixels-1)
	}
	return e.each("norm_move", v.c, at(runMean), at(runVar), at(stats), variance, long(v.c), float(p.Momentum), float(unbiased))
}

// GroupNorm normalises groups of channels of each image.
func (e *Engine) GroupNorm(y, stats, x, gamma, beta *tensor.Dense, p engine.NormParams) error {
	return e.norm(y, stats, 0, x, gamma, beta, byImage(x, p), p)
}

func (e *Engine) norm(y, stats *tensor.Dense, variance uint64, x, gamma, beta *tensor.Dense, v pixels, p engine.NormParams) error {
	wide, chunks, per, threads := columns(v.pixels, v.c)
	part, err := e.space(partsOf, int64(8*v.images*chunks*v.c))
	if err != nil {
		return err
	}
	grid, groups := [3]int{wide, chunks, v.images}, v.images*v.groups
	sizes := []uint64{long(v.images), long(v.pixels), long(v.c), long(v.groups), long(chunks)}
	if err := e.launch(e.of("norm_sums", x), grid, threads, part, at(x), 0, long(v.pixels), long(v.c), long(v.groups), long(per)); err != nil {
		return err
	}
	if err := e.each("norm_mean", groups, append([]uint64{at(stats), part}, sizes...)...); err != nil {
		return err
	}
	if err := e.launch(e.of("norm_sums", x), grid, threads, part, at(x), at(stats), long(v.pixels), long(v.c), long(v.groups), long(per)); err != nil {
		return err
	}
	if err := e.each("norm_spread", groups, append(append([]uint64{at(stats), variance, part}, sizes...), float(p.Eps))...); err != nil {
		return err
	}
	return e.each(e.of("norm_apply", x), size(x), at(y), at(x), at(stats), at(gamma), at(beta), long(v.images), long(v.pixels), long(v.c), long(v.groups), flag(p.Activation == engine.ReLU))
}

// BatchNormParamGrad computes the gradient by gamma and beta.
func (e *Engine) BatchNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	return e.normParamGrad(dp, dy, y, x, stats, batch(x), p)
}

// GroupNormParamGrad computes the gradient by gamma and beta.
func (e *Engine) GroupNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p engine.NormParams) error {
	return e.normParamGrad(dp, dy, y, x, stats, byImage(x, p), p)
}

func (e *Engine) normParamGrad(dp, dy, y, x, stats *tensor.Dense, v pixels, p engine.NormParams) error {
	part, chunks, err := e.normDots(dy, y, x, stats, v, p)
	if err != nil {
		return err
	}
	return e.each("norm_param_grad", v.c, at(dp), part, long(v.images), long(v.c), long(chunks))
}

// normDots sums dy, and dy times the normalised x, by channel.
func (e *Engine) normDots(dy, y, x, stats *tensor.Dense, v pixels, p engine.NormParams) (part uint64, chunks int, err error) {
	wide, chunks, per, threads := columns(v.pixels, v.c)
	if part, err = e.space(partsOf, int64(16*v.images*chunks*v.c)); err != nil {
		return 0, 0, err
	}
	err = e.launch(e.of("norm_dots", x), [3]int{wide, chunks, v.images}, threads, part, at(dy), counted(y, p), at(x), at(stats), long(v.images), long(v.pixels), long(v.c), long(v.groups), long(per))
	return part, chunks, err
}

// counted is y where gradients count only above 0.
func counted(y *tensor.Dense, p engine.NormParams) uint64 {
	if p.Activation == engine.None {
		return 0
	}
	return at(y)
}

// BatchNormGrad computes the gradient by the input.
func (e *Engine) BatchNormGrad(dx, dy, y, x, gamma, stats, _ *tensor.Dense, p engine.NormParams) error {
	return e.normGrad(dx, dy, y, x, gamma, stats, batch(x), p)
}

// GroupNormGrad computes the gradient by the input.
func (e *Engine) GroupNormGrad(dx, dy, y, x, gamma, stats *tensor.Dense, p engine.NormParams) error {
	return e.normGrad(dx, dy, y, x, gamma, stats, byImage(x, p), p)
}

func (e *Engine) normGrad(dx, dy, y, x, gamma, stats *tensor.Dense, v pixels, p engine.NormParams) error {
	part, chunks, err := e.normDots(dy, y, x, stats, v, p)
	if err != nil {
		return err
	}
	groups := v.images * v.groups
	coef, err := e.space(channelsOf, int64(8*groups))
	if err != nil {
		return err
	}
	if err := e.each("norm_coef", groups, coef, part, at(gamma), at(stats), long(v.images), long(v.pixels), long(v.c), long(v.groups), long(chunks)); err != nil {
		return err
	}
	return e.each(e.of("norm_grad", x), size(x), at(dx), at(dy), counted(y, p), at(x), at(gamma), at(stats), coef, long(v.images), long(v.pixels), long(v.c), long(v.groups))
}

// Fold derives a norm with fixed statistics.
func (e *Engine) Fold(scale, shift, gamma, beta, mean, variance *tensor.Dense, eps float32) error {
	return e.each("fold", size(scale), at(scale), at(shift), at(gamma), at(beta), at(mean), at(variance), long(size(scale)), float(eps))
}
