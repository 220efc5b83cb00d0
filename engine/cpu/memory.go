package cpu

// #include "kernels.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// block is memory outside of Go's heap.
type block struct {
	p unsafe.Pointer
	n int64
}

func (b block) Uintptr() uintptr { return uintptr(b.p) }
func (b block) MemSize() uintptr { return uintptr(b.n) }

// Alloc returns zeroed memory, aligned to 64 bytes.
func (e *Engine) Alloc(size int64) (tensor.Memory, error) {
	if size <= 0 {
		return nil, fmt.Errorf("cpu: %d bytes asked for", size)
	}
	p := C.rn_alloc(C.int64_t(size))
	if p == nil {
		return nil, fmt.Errorf("cpu: %w: %d MB asked for, %d MB held", engine.ErrMemory, size>>20, e.held()>>20)
	}
	e.mu.Lock()
	e.blocks[uintptr(p)] = block{p, size}
	e.mu.Unlock()
	return block{p, size}, nil
}

func (e *Engine) held() (n int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.blocks {
		n += b.n
	}
	return n
}

// Free frees memory of Alloc, together with the packed copies of weights in it.
func (e *Engine) Free(mem tensor.Memory, _ int64) error {
	e.mu.Lock()
	b, ok := e.blocks[mem.Uintptr()]
	delete(e.blocks, mem.Uintptr())
	e.mu.Unlock()
	if !ok {
		return fmt.Errorf("cpu: memory at %#x is not the engine's", mem.Uintptr())
	}
	e.worker.do(func() {
		C.rn_conv_forget(e.conv, b.p, C.int64_t(b.n))
		C.rn_free(b.p, C.int64_t(b.n))
	})
	return nil
}

// New returns a zeroed tensor.
func (e *Engine) New(dt tensor.Dtype, shape ...int) (*tensor.Dense, error) {
	mem, err := e.Alloc(max(int64(tensor.Shape(shape).TotalSize())*int64(dt.Size()), 1))
	if err != nil {
		return nil, err
	}
	return e.At(mem, 0, dt, shape...), nil
}

// Release frees tensors of New.
func (e *Engine) Release(ts ...*tensor.Dense) {
	for _, t := range ts {
		if t == nil {
			continue
		}
		if err := e.Free(t, 0); err != nil {
			panic(err) // released twice, or not made by New
		}
	}
}

// At returns a tensor in a part of mem.
func (e *Engine) At(mem tensor.Memory, offset int64, dt tensor.Dtype, shape ...int) *tensor.Dense {
	size := uintptr(tensor.Shape(shape).TotalSize()) * dt.Size()
	return tensor.New(tensor.Of(dt), tensor.WithShape(shape...), tensor.WithEngine(e), tensor.FromMemory(mem.Uintptr()+uintptr(offset), size))
}

// Upload copies src, a []float32 or []int32, to dst.
func (e *Engine) Upload(dst *tensor.Dense, src any) error { return move(dst, src, true) }

// Floats returns the values of a float32 tensor without copying them.
func (e *Engine) Floats(t *tensor.Dense) []float32 { return t.Data().([]float32) }

// Download copies src to dst, a []float32 or []int32.
func (e *Engine) Download(dst any, src *tensor.Dense) error { return move(src, dst, false) }

func move(t *tensor.Dense, host any, up bool) error {
	switch h := host.(type) {
	case []float32:
		d, ok := t.Data().([]float32)
		if !ok || len(d) != len(h) {
			return fmt.Errorf("cpu: %d float32 for a tensor of %d %v", len(h), t.Shape().TotalSize(), t.Dtype())
		}
		copyTo(d, h, up)
	case []int32:
		d, ok := t.Data().([]int32)
		if !ok || len(d) != len(h) {
			return fmt.Errorf("cpu: %d int32 for a tensor of %d %v", len(h), t.Shape().TotalSize(), t.Dtype())
		}
		copyTo(d, h, up)
	default:
		return fmt.Errorf("cpu: cannot copy a %T", host)
	}
	return nil
}

func copyTo[T any](device, host []T, up bool) {
	if up {
		copy(device, host)
	} else {
		copy(host, device)
	}
}

// The other methods of tensor.Engine: Go can read the memory.

// AllocAccessible reports that Go can read the memory.
func (e *Engine) AllocAccessible() bool { return true }

// WorksWith takes row-major tensors only.
func (e *Engine) WorksWith(order tensor.DataOrder) bool { return order == 0 }

// Accessible returns mem itself.
func (e *Engine) Accessible(mem tensor.Memory) (tensor.Memory, error) { return mem, nil }

// Memset fills mem with a float32.
func (e *Engine) Memset(mem tensor.Memory, val any) error {
	v, ok := val.(float32)
	if !ok {
		return fmt.Errorf("cpu: cannot fill with a %T", val)
	}
	for i := range floats(mem) {
		floats(mem)[i] = v
	}
	return nil
}

// Memclr zeroes mem.
func (e *Engine) Memclr(mem tensor.Memory) { clear(floats(mem)) }

// Memcpy copies src to the beginning of dst.
func (e *Engine) Memcpy(dst, src tensor.Memory) error {
	if dst.MemSize() < src.MemSize() {
		return fmt.Errorf("cpu: %d bytes do not fit into %d", src.MemSize(), dst.MemSize())
	}
	copy(floats(dst), floats(src))
	return nil
}

func floats(mem tensor.Memory) []float32 {
	return unsafe.Slice((*float32)(pointer(mem)), mem.MemSize()/4)
}

// pointer is the address of memory outside of Go's heap, which the collector neither moves nor frees.
func pointer(mem tensor.Memory) unsafe.Pointer {
	p := mem.Uintptr()
	return *(*unsafe.Pointer)(unsafe.Pointer(&p))
}
