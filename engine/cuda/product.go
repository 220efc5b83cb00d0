//go:build gpu && linux && amd64

package cuda

// #include <stdlib.h>
// #include "cublaslt.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Numbers of types, cudaDataType's.
const (
	typeFloat32  = 0
	typeFloat16  = 2
	typeBFloat16 = 14
)

// Numbers of arithmetic, cublasComputeType_t's.
const (
	computeFloat32 = 68
	computeTF32    = 77
)

// productShape is a product of matrices of the type of of, with the engine's arithmetic.
func (e *Engine) productShape(m, n, k int, of *tensor.Dense) C.retinago_product_shape {
	s := C.retinago_product_shape{m: C.longlong(m), n: C.longlong(n), k: C.longlong(k), _type: typeFloat32, compute: computeFloat32}
	switch {
	case of.Dtype() == engine.Half && e.precision == engine.BF16:
		s._type = typeBFloat16
	case of.Dtype() == engine.Half:
		s._type = typeFloat16
	case e.precision == engine.TF32:
		s.compute = computeTF32
	}
	s.result = s._type
	return s
}

// multiply queues d = op(a) op(b) + c + bias through cuBLASLt; c and bias may be 0. It does nothing where cuBLASLt is absent or has
// no kernel for it.
func (e *Engine) multiply(s C.retinago_product_shape, d, a, b, c, bias uint64) (done bool, err error) {
	if e.cublaslt == nil || (d|a|b|c|bias)%C.ALIGNMENT != 0 {
		return false, nil
	}
	p, ok := e.products.get(s)
	if !ok {
		if p, err = e.makeProduct(s); err != nil {
			return false, err
		}
		if err := makeRoom(e, &e.products, freeProduct); err != nil {
			freeProduct(p)
			return false, err
		}
		e.products.put(s, p)
	}
	if p == nil {
		return false, nil
	}
	space, err := e.space(workspaceOf, max(int64(p.workspace), 1))
	if err != nil {
		return false, err
	}
	r := C.retinago_product_run(e.context(), e.cublaslt, p, e.queue(), ptr(d), ptr(a), ptr(b), ptr(c), ptr(bias), ptr(space))
	return true, cublasltError(productName(s), r)
}

// makeProduct is the library's choice for a shape, nil where it has none.
func (e *Engine) makeProduct(s C.retinago_product_shape) (*C.retinago_product, error) {
	p := (*C.retinago_product)(C.calloc(1, C.size_t(unsafe.Sizeof(C.retinago_product{}))))
	r := C.retinago_product_make(p, e.context(), e.cublaslt, &s, mostWorkspace)
	if r == 0 {
		return p, nil
	}
	freeProduct(p)
	if r == C.NO_SUCH_PRODUCT {
		return nil, nil
	}
	return nil, cublasltError(productName(s), r)
}

func productName(s C.retinago_product_shape) string {
	return fmt.Sprintf("product of %dx%d by %dx%d", s.m, s.k, s.k, s.n)
}

func freeProduct(p *C.retinago_product) {
	if p != nil {
		C.retinago_product_free(p)
		C.free(unsafe.Pointer(p))
	}
}

// pointwise recognises a convolution that is a product of pixels [N*H*W,C] and filters [K,C].
func pointwise(w *tensor.Dense, p engine.ConvParams) bool {
	s := w.Shape()
	return s[2]*s[3] == 1 && p.Stride == 1 && p.Pad == 0 && max(p.Groups, 1) == 1
}

// A matrix by rows is its transpose by columns, so that filters [K,C] are C x K here and pixels [N*H*W,C] are C x N*H*W.

func (e *Engine) pointwiseForward(y, x, w *tensor.Dense, filters uint64, b, res *tensor.Dense, p engine.ConvParams) (done bool, err error) {
	k, c := w.Shape()[0], w.Shape()[1]
	s := e.productShape(k, size(y)/k, c, x)
	s.transpose_a = 1
	var bias uint64
	if b != nil {
		if bias, err = e.filters(b, nil, x.Dtype()); err != nil {
			return false, err
		}
		s.epilogue |= C.BIAS_EPILOGUE
	}
	other := !p.Activation.Plain() // than what the library has
	if p.Activation == engine.ReLU {
		s.epilogue |= C.RELU_EPILOGUE
	}
	done, err = e.multiply(s, at(y), filters, at(x), maybe(res), bias)
	if !done || err != nil || !other {
		return done, err
	}
	return true, e.finish(y, nil, nil, p)
}

func (e *Engine) pointwiseData(dx, dy, w *tensor.Dense, filters uint64) (done bool, err error) {
	k, c := w.Shape()[0], w.Shape()[1]
	return e.multiply(e.productShape(c, size(dy)/k, k, dy), at(dx), filters, at(dy), 0, 0)
}

// pointwiseWeights keeps the sums in float32.
func (e *Engine) pointwiseWeights(dw, dy, x, scale *tensor.Dense) (done bool, err error) {
	k, c := dw.Shape()[0], dw.Shape()[1]
	s := e.productShape(c, k, size(dy)/k, x)
	s.transpose_b, s.result = 1, typeFloat32
	to := at(dw)
	if scale != nil {
		if to, err = e.space(weightsOf, bytes(dw, tensor.Float32)); err != nil {
			return false, err
		}
	}
	if done, err = e.multiply(s, to, at(x), at(dy), 0, 0); !done || err != nil || scale == nil {
		return done, err
	}
	return true, e.unpack(dw, to, tensor.Float32, scale)
}
