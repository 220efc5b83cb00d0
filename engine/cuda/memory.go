//go:build gpu && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// region is memory of the GPU.
type region struct {
	p cu.DevicePtr
	n int64
}

func (r region) Uintptr() uintptr { return uintptr(r.p) }
func (r region) MemSize() uintptr { return uintptr(r.n) }

// Alloc returns zeroed memory, aligned to 256 bytes.
func (e *Engine) Alloc(size int64) (tensor.Memory, error) {
	if size <= 0 {
		return nil, fmt.Errorf("cuda: %d bytes asked for", size)
	}
	return e.region(size)
}

func (e *Engine) region(size int64) (r region, err error) {
	if e.recording.Load() {
		return r, errRecording
	}
	err = e.do(func() error {
		if r.p, err = cu.MemAlloc(size); err != nil {
			free, total, _ := cu.MemInfo()
			return fmt.Errorf("cuda: %w on %v: %d MB asked for, %d MB of %d MB are free, %d MB are held here: %w",
				engine.ErrMemory, e.device, size>>20, free>>20, total>>20, e.Held()>>20, err)
		}
		r.n = size
		return cu.MemsetD8Async(r.p, 0, size, e.stream)
	})
	if err != nil {
		return region{}, err
	}
	e.mu.Lock()
	e.blocks[uintptr(r.p)] = size
	e.used += size
	e.most = max(e.most, e.used)
	e.mu.Unlock()
	return r, nil
}

// Held is the memory of tensors, packed weights and scratch space.
func (e *Engine) Held() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.used
}

// PeakBytes is the most memory that the engine held at once; libraries' own and input pages are not counted.
func (e *Engine) PeakBytes() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most
}

// Memory returns the GPU's free and all of its memory, in bytes. What convolutions may take as scratch space is not free.
func (e *Engine) Memory() (free, total int64, err error) {
	err = e.do(func() (err error) {
		free, total, err = cu.MemInfo()
		return err
	})
	return max(free-mostWorkspace, 0), total, err
}

// Free gives memory of Alloc back.
func (e *Engine) Free(mem tensor.Memory, _ int64) error {
	e.moves.Add(1)
	return e.free(mem)
}

// free is Free of what no recording reads. What was packed of weights that lay there goes with them.
func (e *Engine) free(mem tensor.Memory) error {
	if e.recording.Load() {
		return errRecording
	}
	e.mu.Lock()
	size, ok := e.blocks[mem.Uintptr()]
	e.used -= size
	delete(e.blocks, mem.Uintptr())
	e.mu.Unlock()
	if !ok {
		return fmt.Errorf("cuda: memory at %#x is not the engine's", mem.Uintptr())
	}
	err := e.do(func() error { return cu.MemFree(cu.DevicePtr(mem.Uintptr())) })
	return errors.Join(err, e.forget(at(mem), size))
}

// New returns a zeroed tensor.
func (e *Engine) New(dt tensor.Dtype, shape ...int) (*tensor.Dense, error) {
	mem, err := e.Alloc(max(int64(tensor.Shape(shape).TotalSize())*int64(dt.Size()), 1))
	if err != nil {
		return nil, err
	}
	return e.At(mem, 0, dt, shape...), nil
}

// Release frees tensors of New. A recording that uses them must be closed before.
func (e *Engine) Release(ts ...*tensor.Dense) {
	for _, t := range ts {
		if t == nil {
			continue
		}
		if err := e.free(t); err != nil {
			panic(err) // released twice, or not made by New
		}
	}
}

// At returns a tensor over a part of mem.
func (e *Engine) At(mem tensor.Memory, offset int64, dt tensor.Dtype, shape ...int) *tensor.Dense {
	size := uintptr(tensor.Shape(shape).TotalSize()) * dt.Size()
	return tensor.New(tensor.Of(dt), tensor.WithShape(shape...), tensor.WithEngine(e), tensor.FromMemory(mem.Uintptr()+uintptr(offset), size))
}

// Upload copies src, a []float32 or []int32, to dst. It returns before the copy is there.
func (e *Engine) Upload(dst *tensor.Dense, src any) error {
	b, err := hostBytes(dst, src)
	if err != nil || len(b) == 0 {
		return err
	}
	return e.do(func() error { return e.staging.send(e, cu.DevicePtr(dst.Uintptr()), b) })
}

// Download waits for all work and copies src to dst, a []float32 or []int32.
func (e *Engine) Download(dst any, src *tensor.Dense) error {
	b, err := hostBytes(src, dst)
	if err != nil || len(b) == 0 {
		return err
	}
	if err := e.read(b, cu.DevicePtr(src.Uintptr())); err != nil {
		return err
	}
	return e.judge()
}

// Wait returns when all work is done.
func (e *Engine) Wait() error {
	if e.recording.Load() {
		return errRecording
	}
	return e.do(func() error {
		if err := e.stream.Synchronize(); err != nil {
			return fmt.Errorf("cuda: work on %v failed: %w", e.device, err)
		}
		return nil
	})
}

// read waits for all work and copies from the GPU.
func (e *Engine) read(b []byte, from cu.DevicePtr) error {
	if e.recording.Load() {
		return errRecording
	}
	defer runtime.KeepAlive(b)
	return e.do(func() error {
		if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&b[0]), from, int64(len(b)), e.stream); err != nil {
			return fmt.Errorf("cuda: reading %d bytes: %w", len(b), err)
		}
		if err := e.stream.Synchronize(); err != nil {
			return fmt.Errorf("cuda: work on %v failed: %w", e.device, err)
		}
		return nil
	})
}

// hostBytes is a slice that goes to or comes from t, as bytes.
func hostBytes(t *tensor.Dense, host any) ([]byte, error) {
	var p unsafe.Pointer
	var n int
	var dt tensor.Dtype
	switch h := host.(type) {
	case []float32:
		p, n, dt = unsafe.Pointer(unsafe.SliceData(h)), len(h), tensor.Float32
	case []int32:
		p, n, dt = unsafe.Pointer(unsafe.SliceData(h)), len(h), tensor.Int32
	default:
		return nil, fmt.Errorf("cuda: cannot copy a %T", host)
	}
	if t.Dtype() != dt || t.Shape().TotalSize() != n {
		return nil, fmt.Errorf("cuda: %d %v for a tensor of %d %v", n, dt, t.Shape().TotalSize(), t.Dtype())
	}
	return unsafe.Slice((*byte)(p), 4*n), nil
}

// The rest of tensor.Engine: memory is the GPU's alone.

// AllocAccessible reports that Go cannot read the memory.
func (e *Engine) AllocAccessible() bool { return false }

// WorksWith takes row-major tensors only.
func (e *Engine) WorksWith(order tensor.DataOrder) bool { return order == 0 }

// Accessible is an error: Download copies.
func (e *Engine) Accessible(mem tensor.Memory) (tensor.Memory, error) {
	return nil, fmt.Errorf("cuda: memory at %#x is on the GPU", mem.Uintptr())
}

// Memset fills mem with a float32.
func (e *Engine) Memset(mem tensor.Memory, val any) error {
	v, ok := val.(float32)
	if !ok {
		return fmt.Errorf("cuda: cannot fill with a %T", val)
	}
	n := int(mem.MemSize() / 4)
	return e.each("fill", n, at(mem), long(n), float(v))
}

// Memclr zeroes mem.
func (e *Engine) Memclr(mem tensor.Memory) {
	err := e.do(func() error { return cu.MemsetD8Async(cu.DevicePtr(mem.Uintptr()), 0, int64(mem.MemSize()), e.stream) })
	if err != nil {
		panic(fmt.Sprintf("cuda: clearing: %v", err)) // memory that is not the engine's
	}
}

// Memcpy copies src to the beginning of dst, both on the GPU.
func (e *Engine) Memcpy(dst, src tensor.Memory) error {
	if dst.MemSize() < src.MemSize() {
		return fmt.Errorf("cuda: %d bytes do not fit into %d", src.MemSize(), dst.MemSize())
	}
	return e.do(func() error {
		return cu.MemcpyDtoDAsync(cu.DevicePtr(dst.Uintptr()), cu.DevicePtr(src.Uintptr()), int64(src.MemSize()), e.stream)
	})
}

// What scratch memory is for. Work of one kind runs after the other in the stream, so that each has one place.
const (
	partsOf      = iota // sums of blocks
	channelsOf          // small tensors per channel
	weightsOf           // gradients by weights in cuDNN's layout
	workspaceOf         // cuDNN's
	detectionsOf        // all that Detect makes on the way
	picturesOf          // bytes of images, and how they lie on canvases
	assignmentOf        // counts, what objects and anchors find of each other, and objects of Assign
	scratches
)

// space returns scratch memory of n bytes or more.
func (e *Engine) space(of int, n int64) (uint64, error) {
	if s := &e.scratch[of]; s.n < n {
		if s.n > 0 {
			if err := e.Free(*s, 0); err != nil {
				return 0, err
			}
			*s = region{}
		}
		r, err := e.region(n)
		if err != nil {
			return 0, err
		}
		*s = r
	}
	return uint64(e.scratch[of].p), nil
}
