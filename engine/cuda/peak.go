//go:build gpu && linux && amd64

package cuda

// #include "cublaslt.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
	"unsafe"

	"gorgonia.org/cu"

	"retinago/engine"
)

// Peaks measures what products of large square matrices reach through cuBLASLt in each arithmetic that it has, with sums in
// float32; then the bf16 peak of the data sheet, of GPUs whose sheet is known. Without cuBLASLt there is none.
func (e *Engine) Peaks() (all []engine.Peak, err error) {
	if e.cublaslt == nil {
		return nil, nil
	}
	free, _, err := e.Memory()
	if err != nil {
		return nil, err
	}
	n := 8192
	for n > 64 && 12*int64(n)*int64(n) > free/64 {
		n /= 2
	}
	for _, a := range []struct {
		name          string
		kind, compute int
	}{{"float32", typeFloat32, computeFloat32}, {"TF32", typeFloat32, computeTF32}, {"bf16", typeBFloat16, computeFloat32}} {
		rate, err := e.peak(n, a.kind, a.compute)
		if err != nil {
			return nil, fmt.Errorf("cuda: measuring a product in %s: %w", a.name, err)
		}
		if rate > 0 {
			all = append(all, engine.Peak{Name: "a product in " + a.name, FLOPS: rate})
		}
	}
	if sheet := sheetBF16(e.device.Model); sheet > 0 {
		all = append(all, engine.Peak{Name: "bf16 by the data sheet", FLOPS: sheet})
	}
	return all, nil
}

// peak is the best rate of products of n x n matrices in FLOP/s, 0 where the library has no such product.
func (e *Engine) peak(n, kind, compute int) (rate float64, err error) {
	bytes := int64(4 * n * n)
	if kind == typeBFloat16 {
		bytes /= 2
	}
	a, err := e.random(bytes, kind)
	if err != nil {
		return 0, err
	}
	d, err := e.region(bytes)
	if err != nil {
		return 0, errors.Join(err, e.Free(a, 0))
	}
	defer func() { err = errors.Join(err, e.Free(a, 0), e.Free(d, 0)) }()
	s := C.retinago_product_shape{m: C.longlong(n), n: C.longlong(n), k: C.longlong(n), _type: C.int(kind), result: C.int(kind), compute: C.int(compute)}
	for times, tries := 1, 0; tries < 3; {
		begin := time.Now()
		for range times {
			if done, err := e.multiply(s, at(d), at(a), at(a), 0, 0); !done || err != nil {
				return 0, err
			}
		}
		if err := e.Wait(); err != nil {
			return 0, err
		}
		took := time.Since(begin).Seconds()
		if took < .05 {
			times *= 4
			continue
		}
		rate = max(rate, 2*math.Pow(float64(n), 3)*float64(times)/took)
		tries++
	}
	return rate, nil
}

// random is memory with normal deviates: products of zeros take less power, and so less time.
func (e *Engine) random(bytes int64, kind int) (region, error) {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]uint32, min(bytes/4, 1<<18))
	for i := range v {
		v[i] = math.Float32bits(float32(r.NormFloat64()))
		if kind == typeBFloat16 { // the upper halves of two
			v[i] = v[i]>>16 | math.Float32bits(float32(r.NormFloat64()))&0xffff0000
		}
	}
	mem, err := e.region(bytes)
	if err != nil {
		return mem, err
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
	err = e.do(func() error {
		for from := int64(0); from < bytes; from += int64(len(b)) {
			if err := e.staging.send(e, mem.p+cu.DevicePtr(from), b[:min(int64(len(b)), bytes-from)]); err != nil {
				return err
			}
		}
		return nil
	})
	return mem, err
}

// sheetBF16 is NVIDIA's figure for dense products in bf16 in FLOP/s, 0 where it is not known here.
func sheetBF16(model string) float64 {
	for _, s := range []struct {
		name string
		rate float64
	}{{"A100", 312e12}, {"H100 PCIe", 756e12}, {"H100 NVL", 835e12}, {"H100", 989e12}, {"H200 NVL", 0}, {"H200", 989e12}} {
		if strings.Contains(model, s.name) {
			return s.rate
		}
	}
	return 0
}
