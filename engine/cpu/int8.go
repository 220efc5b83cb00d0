package cpu

// #include "kernels.h"
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Int8Paths lists the instruction sets for sums of 8-bit products that this processor has within ISA, the best first.
func Int8Paths() []string {
	if _, err := ISA(); err != nil {
		return nil
	}
	var s []string
	for i := C.int(0); C.rn_int8_path(i) != nil; i++ {
		if C.rn_int8_available(i) != 0 {
			s = append(s, C.GoString(C.rn_int8_path(i)))
		}
	}
	return s
}

// int8Path is the number of the instruction set of that name, the best for none.
func int8Path(name string) (C.int, error) {
	for i := C.int(0); C.rn_int8_path(i) != nil; i++ {
		if have := C.GoString(C.rn_int8_path(i)); (name == "" || name == have) && C.rn_int8_available(i) != 0 {
			return i, nil
		}
	}
	return 0, fmt.Errorf("cpu: no int8 kernels %q on this processor; there are %s", name, strings.Join(Int8Paths(), ", "))
}

// PackInt8 lays weights out for ConvInt8.
func (e *Engine) PackInt8(w []int8, s engine.Int8Shape) (*tensor.Dense, error) {
	if n := s.K * s.C / s.Groups * s.R * s.S; n != len(w) {
		return nil, fmt.Errorf("cpu: %d weights for %+v", len(w), s)
	}
	shape := int8Shape(s)
	t, err := e.New(tensor.Int8, int(C.rn_int8_packed(&shape)))
	if err != nil {
		return nil, err
	}
	e.worker.do(func() { C.rn_int8_pack((*C.int8_t)(pointer(t)), (*C.int8_t)(unsafe.SliceData(w)), &shape) })
	return t, nil
}

// ConvInt8 computes a convolution of bytes.
func (e *Engine) ConvInt8(y, x, packed, init, scale, bias, res *tensor.Dense, p engine.Int8Params) error {
	xs, ys := x.Shape(), y.Shape()
	s := int8Shape(p.Int8Shape)
	s.n, s.h, s.w, s.oh, s.ow = C.int(xs[0]), C.int(xs[1]), C.int(xs[2]), C.int(ys[1]), C.int(ys[2])
	s.stride, s.pad = C.int(p.Stride), C.int(p.Pad)
	o := C.rn_int8_output{lo: C.float(p.Least), hi: C.float(p.Most), slope: C.float(p.Slope), res_scale: C.float(p.Residual), zero: C.int(p.Zero)}
	bytes, reals := u8(y), (*C.float)(nil)
	if y.Dtype() == tensor.Float32 {
		bytes, reals = nil, f32(y)
	}
	return e.guarded("ConvInt8", func() *C.char {
		return C.rn_int8_conv(e.int8, &s, &o, bytes, reals, u8(x), C.int(p.Border), (*C.int8_t)(pointer(packed)), i32(init), f32(scale), f32(bias), u8(res))
	})
}

// Quantize rounds to bytes.
func (e *Engine) Quantize(y, x *tensor.Dense, a engine.Affine) error {
	e.worker.do(func() { C.rn_int8_quantize(u8(y), f32(x), size(x), C.float(1/a.Scale), C.int(a.Zero)) })
	return nil
}

// Dequantize is what bytes stand for.
func (e *Engine) Dequantize(y, x *tensor.Dense, a engine.Affine) error {
	e.worker.do(func() { C.rn_int8_dequantize(f32(y), u8(x), size(x), C.float(a.Scale), C.int(a.Zero)) })
	return nil
}

// LookupInt8 maps bytes.
func (e *Engine) LookupInt8(y, x *tensor.Dense, table *[256]uint8) error {
	e.worker.do(func() { C.rn_int8_lookup(u8(y), u8(x), size(x), (*C.uint8_t)(&table[0])) })
	return nil
}

// MaxPoolInt8 computes the maximum over windows.
func (e *Engine) MaxPoolInt8(y, x *tensor.Dense, p engine.PoolParams) error {
	xs, ys := x.Shape(), y.Shape()
	e.worker.do(func() {
		C.rn_int8_max_pool(u8(y), u8(x), C.int(xs[0]), C.int(xs[1]), C.int(xs[2]), C.int(xs[3]), C.int(ys[1]), C.int(ys[2]), C.int(p.Kernel), C.int(p.Stride), C.int(p.Pad))
	})
	return nil
}

// UpsampleAddInt8 adds the nearest-neighbour upsampling of top to lateral.
func (e *Engine) UpsampleAddInt8(y, top, lateral *tensor.Dense, ya, ta, la engine.Affine) error {
	ys, ts := y.Shape(), top.Shape()
	t, l := ta.Scale/ya.Scale, la.Scale/ya.Scale
	offset := float32(ya.Zero) - t*float32(ta.Zero) - l*float32(la.Zero)
	e.worker.do(func() {
		C.rn_int8_upsample_add(u8(y), u8(top), u8(lateral), C.int(ys[0]), C.int(ys[1]), C.int(ys[2]), C.int(ts[1]), C.int(ts[2]), C.int(ys[3]), C.float(t), C.float(l), C.float(offset))
	})
	return nil
}

func int8Shape(s engine.Int8Shape) C.rn_conv {
	return C.rn_conv{c: C.int(s.C), k: C.int(s.K), r: C.int(s.R), s: C.int(s.S), groups: C.int(s.Groups)}
}

// u8 is the address of a tensor's data, nil for no tensor.
func u8(t *tensor.Dense) *C.uint8_t {
	if t == nil {
		return nil
	}
	return (*C.uint8_t)(pointer(t))
}
