//go:build gpu && linux && amd64

package cuda

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// BiasGrad sums dy [...,C] to db [C].
func (e *Engine) BiasGrad(db, dy *tensor.Dense) error {
	c := db.Shape()[0]
	rows := size(dy) / c
	wide, chunks, per, threads := columns(rows, c)
	part, err := e.space(partsOf, int64(8*chunks*c))
	if err != nil {
		return err
	}
	if err := e.launch(e.of("column_sums", dy), [3]int{wide, chunks, 1}, threads, part, at(dy), long(rows), long(c), long(per)); err != nil {
		return err
	}
	return e.each("column_total", c, at(db), part, long(chunks), long(c))
}

// Activate computes an activation.
func (e *Engine) Activate(y, x *tensor.Dense, a engine.Activation) error {
	return e.each(e.of("activate", y), size(y), at(y), at(x), long(size(y)), long(int(a.Kind)), float(a.Slope), float(a.Cap))
}

// ActivateGrad computes an activation's gradient.
func (e *Engine) ActivateGrad(dx, dy, v *tensor.Dense, a engine.Activation) error {
	return e.each(e.of("activate_grad", v), size(v), at(dx), at(dy), at(v), long(size(v)), long(int(a.Kind)), float(a.Slope), float(a.Cap))
}

// Sum computes a + b, with an optional ReLU.
func (e *Engine) Sum(y, a, b *tensor.Dense, act engine.Activation) error {
	return e.each(e.of("add", y), size(y), at(y), at(a), at(b), long(size(y)), flag(act == engine.ReLU))
}

// MaxPool computes the maximum over windows.
func (e *Engine) MaxPool(y, x *tensor.Dense, p engine.PoolParams) error {
	return e.each(e.of("max_pool", y), size(y), append([]uint64{at(y), at(x)}, poolArgs(x, y, p)...)...)
}

// MaxPoolGrad sends dy to each window's first maximum.
func (e *Engine) MaxPoolGrad(dx, dy, x, y *tensor.Dense, p engine.PoolParams) error {
	return e.each(e.of("max_pool_grad", x), size(x), append([]uint64{at(dx), at(dy), at(x), at(y)}, poolArgs(x, y, p)...)...)
}

func poolArgs(x, y *tensor.Dense, p engine.PoolParams) []uint64 {
	xs, ys := x.Shape(), y.Shape()
	return []uint64{long(xs[0]), long(xs[1]), long(xs[2]), long(xs[3]), long(ys[1]), long(ys[2]), long(p.Kernel), long(p.Stride), long(p.Pad)}
}

// UpsampleAdd adds the nearest-neighbour upsampling of top to lateral.
func (e *Engine) UpsampleAdd(y, top, lateral *tensor.Dense) error {
	return e.each(e.of("upsample_add", y), size(y), append([]uint64{at(y), at(top), at(lateral)}, upsampleArgs(y, top)...)...)
}

// UpsampleGrad sums dy over the pixels that read one pixel of top.
func (e *Engine) UpsampleGrad(dtop, dy *tensor.Dense) error {
	return e.each(e.of("upsample_grad", dtop), size(dtop), append([]uint64{at(dtop), at(dy)}, upsampleArgs(dy, dtop)...)...)
}

func upsampleArgs(y, top *tensor.Dense) []uint64 {
	ys, ts := y.Shape(), top.Shape()
	return []uint64{long(ys[0]), long(ys[1]), long(ys[2]), long(ts[1]), long(ts[2]), long(ys[3])}
}
