//go:build gpu && linux && amd64

package cuda

// #include <stdlib.h>
// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

type planKey struct {
	kind  C.int
	shape C.retinago_shape
}

// mostWorkspace bounds the scratch memory of cuDNN and cuBLASLt for one convolution, in bytes.
const mostWorkspace = 256 << 20

// plan returns cuDNN's choice for a shape, with its scratch memory.
func (e *Engine) plan(kind C.int, s C.retinago_shape) (*C.retinago_plan, uint64, error) {
	k := planKey{kind, s}
	p, ok := e.plans.get(k)
	if !ok {
		p = (*C.retinago_plan)(C.calloc(1, C.size_t(unsafe.Sizeof(*p))))
		math := C.int(3)
		switch {
		case s._type != C.FLOAT:
			math = 1
		case e.precision == engine.TF32:
			math = 0
		}
		if r := C.retinago_plan_make(p, e.context(), e.cudnn, kind, &s, math, mostWorkspace); r != 0 {
			freePlan(p)
			what := [...]string{"forward", "by data", "by weights"}[kind]
			return nil, 0, cudnnError(fmt.Sprintf("convolution %s of %dx%dx%dx%d by %d filters of %dx%d, stride %d, %d groups", what, s.n, s.h, s.w, s.c, s.k, s.r, s.s, s.stride, s.groups), r)
		}
		if err := makeRoom(e, &e.plans, freePlan); err != nil {
			freePlan(p)
			return nil, 0, err
		}
		e.plans.put(k, p)
	}
	space, err := e.space(workspaceOf, max(int64(p.workspace), 1))
	return p, space, err
}

func freePlan(p *C.retinago_plan) {
	C.retinago_plan_free(p)
	C.free(unsafe.Pointer(p))
}

// makeRoom frees the least recently used plan if as many plans exist as are kept, after the work that needs it is complete. Recordings
// that may need it become invalid; while a recording is being made, nothing is freed.
func makeRoom[K comparable, V any](e *Engine, plans *bounded[K, V], free func(V)) error {
	if e.recording.Load() {
		return nil
	}
	old, full := plans.oldest(mostPlans)
	if !full {
		return nil
	}
	e.moves.Add(1)
	err := e.Wait()
	free(old)
	return err
}

func (e *Engine) convShape(x, w, y *tensor.Dense, p engine.ConvParams) C.retinago_shape {
	xs, ws, ys := x.Shape(), w.Shape(), y.Shape()
	return C.retinago_shape{n: C.int(xs[0]), h: C.int(xs[1]), w: C.int(xs[2]), c: C.int(xs[3]), k: C.int(ws[0]), r: C.int(ws[2]), s: C.int(ws[3]),
		oh: C.int(ys[1]), ow: C.int(ys[2]), stride: C.int(p.Stride), pad: C.int(p.Pad), groups: C.int(max(p.Groups, 1)), _type: e.cudnnType(x)}
}

// cudnnType is a tensor's type by cuDNN's number.
func (e *Engine) cudnnType(t *tensor.Dense) C.int {
	switch {
	case t.Dtype() != engine.Half:
		return C.FLOAT
	case e.precision == engine.BF16:
		return C.BFLOAT16
	}
	return C.HALF
}

func ptr(p uint64) C.CUdeviceptr { return C.CUdeviceptr(p) }

// Conv computes a convolution with fused scale, bias, residual and ReLU. If cuDNN cannot fuse them, a kernel applies them afterwards.
func (e *Engine) Conv(y, x, w, scale, b, res *tensor.Dense, p engine.ConvParams) error {
	if depthwise(x, w, p) {
		if err := e.depthwiseForward(y, x, w, scale, p); err != nil {
			return err
		}
		return e.finish(y, b, res, p)
	}
	filters, err := e.filters(w, scale, x.Dtype())
	if err != nil {
		return err
	}
	if pointwise(w, p) {
		if done, err := e.pointwiseForward(y, x, w, filters, b, res, p); done || err != nil {
			return err
		}
	}
	plan, space, err := e.plan(C.FORWARD, e.convShape(x, w, y, p))
	if err != nil {
		return err
	}
	if b != nil && plan.unfused == 0 && p.Activation.Plain() {
		bias, err := e.filters(b, nil, x.Dtype())
		if err != nil {
			return err
		}
		r := C.retinago_conv_fused(e.context(), e.cudnn, plan, ptr(at(y)), ptr(at(x)), ptr(filters), ptr(bias), ptr(maybe(res)), C.int(flag(p.Activation == engine.ReLU)), ptr(space), plan.workspace)
		if r == 0 {
			return nil
		}
		plan.unfused = 1
	}
	if err := cudnnError("Conv", C.retinago_conv(e.context(), e.cudnn, plan, ptr(at(y)), ptr(at(x)), ptr(filters), ptr(space), plan.workspace)); err != nil {
		return err
	}
	return e.finish(y, b, res, p)
}

// finish adds bias and residual to a convolution's sums and rectifies them.
func (e *Engine) finish(y, b, res *tensor.Dense, p engine.ConvParams) error {
	if b == nil && res == nil && p.Activation == engine.None {
		return nil
	}
	return e.each(e.of("finish", y), size(y), at(y), maybe(b), maybe(res), long(size(y)), long(y.Shape()[3]), long(int(p.Activation.Kind)), float(p.Activation.Slope), float(p.Activation.Cap))
}

// ConvData computes the gradient of a convolution by its input.
func (e *Engine) ConvData(dx, dy, w, scale *tensor.Dense, p engine.ConvParams) error {
	if depthwise(dx, w, p) {
		return e.depthwiseData(dx, dy, w, scale, p)
	}
	filters, err := e.filters(w, scale, dy.Dtype())
	if err != nil {
		return err
	}
	if pointwise(w, p) {
		if done, err := e.pointwiseData(dx, dy, w, filters); done || err != nil {
			return err
		}
	}
	plan, space, err := e.plan(C.BY_DATA, e.convShape(dx, w, dy, p))
	if err != nil {
		return err
	}
	return cudnnError("ConvData", C.retinago_conv_data(e.context(), e.cudnn, plan, ptr(at(dx)), ptr(at(dy)), ptr(filters), ptr(space), plan.workspace))
}

// ConvWeights computes the gradient of a convolution by its weights.
func (e *Engine) ConvWeights(dw, dy, x, scale *tensor.Dense, p engine.ConvParams) error {
	if depthwise(x, dw, p) {
		return e.depthwiseWeights(dw, dy, x, scale, p)
	}
	if pointwise(dw, p) {
		if done, err := e.pointwiseWeights(dw, dy, x, scale); done || err != nil {
			return err
		}
	}
	plan, space, err := e.plan(C.BY_WEIGHTS, e.convShape(x, dw, dy, p))
	if err != nil {
		return err
	}
	to := at(dw)
	if !plain(dw, scale, x.Dtype()) {
		if to, err = e.space(weightsOf, bytes(dw, x.Dtype())); err != nil {
			return err
		}
	}
	if err := cudnnError("ConvWeights", C.retinago_conv_weights(e.context(), e.cudnn, plan, ptr(to), ptr(at(dy)), ptr(at(x)), ptr(space), plan.workspace)); err != nil || to == at(dw) {
		return err
	}
	return e.unpack(dw, to, x.Dtype(), scale)
}

// unpack converts a gradient by weights from K,R,S,C in the type dt and writes it to dw.
func (e *Engine) unpack(dw *tensor.Dense, from uint64, dt tensor.Dtype, scale *tensor.Dense) error {
	k, c, rs := filterSize(dw)
	return e.each(e.form("unpack_weights", dt), size(dw), at(dw), from, maybe(scale), long(k), long(c), long(rs))
}

// plain reports whether parameters are in cuDNN's layout and of type dt as they are.
func plain(w, scale *tensor.Dense, dt tensor.Dtype) bool {
	_, _, rs := filterSize(w)
	return scale == nil && rs == 1 && dt == w.Dtype()
}

// filterSize is the number of filters, their channels and their taps. A bias is K filters of one channel and tap.
func filterSize(w *tensor.Dense) (k, c, rs int) {
	if s := w.Shape(); s.Dims() == 4 {
		return s[0], s[1], s[2] * s[3]
	}
	return size(w), 1, 1
}

// bytes is the size of t's values as dt.
func bytes(t *tensor.Dense, dt tensor.Dtype) int64 { return int64(size(t)) * int64(dt.Size()) }

type packedKey struct {
	w, scale uint64
	dt       tensor.Dtype
}

// packedWeights are weights times scale, as K,R,S,C, in the type of activations.
type packedWeights struct {
	mem   region
	fresh bool
}

// filters returns weights, or a bias, in cuDNN's layout and type dt. They are packed again after WeightsChanged.
func (e *Engine) filters(w, scale *tensor.Dense, dt tensor.Dtype) (uint64, error) {
	if plain(w, scale, dt) {
		return at(w), nil
	}
	k := packedKey{at(w), maybe(scale), dt}
	p := e.packed[k]
	if p != nil && p.mem.n < bytes(w, dt) {
		if err := e.Free(p.mem, 0); err != nil {
			return 0, err
		}
		p = nil
	}
	if p == nil {
		mem, err := e.region(bytes(w, dt))
		if err != nil {
			return 0, err
		}
		p = &packedWeights{mem: mem}
		e.packed[k] = p
	}
	if p.fresh {
		return at(p.mem), nil
	}
	filters, c, rs := filterSize(w)
	p.fresh = true
	return at(p.mem), e.each(e.form("pack_weights", dt), size(w), at(p.mem), at(w), maybe(scale), long(filters), long(c), long(rs))
}

// forget frees the packed copies of weights and scales in memory that was freed, since the next tensor may be placed there.
func (e *Engine) forget(from uint64, bytes int64) error {
	var errs []error
	freed := func(p uint64) bool { return p >= from && p < from+uint64(bytes) }
	for k, p := range e.packed {
		if freed(k.w) || freed(k.scale) {
			delete(e.packed, k)
			errs = append(errs, e.free(p.mem))
		}
	}
	return errors.Join(errs...)
}

// WeightsChanged makes the next convolutions pack their weights again.
func (e *Engine) WeightsChanged() {
	for _, p := range e.packed {
		p.fresh = false
	}
}

// CacheBytes returns the memory of packed weights and scratch space in bytes.
func (e *Engine) CacheBytes() (n int64) {
	for _, p := range e.packed {
		n += p.mem.n
	}
	for _, s := range e.scratch {
		n += s.n
	}
	return n
}
