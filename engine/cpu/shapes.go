package cpu

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Shapes is an Engine whose tensors have a shape and no memory: graphs are planned on it, and nothing runs. What is uploaded is
// dropped, and what is downloaded is left as it is.
type Shapes struct {
	*Engine
	mu       sync.Mutex
	reserved map[uintptr][]byte
}

// NewShapes starts such an engine. Close it.
func NewShapes(o Options) (*Shapes, error) {
	e, err := New(o)
	if err != nil {
		return nil, err
	}
	return &Shapes{Engine: e, reserved: map[uintptr][]byte{}}, nil
}

// Alloc reserves addresses, which nothing may read or write.
func (s *Shapes) Alloc(size int64) (tensor.Memory, error) {
	if size <= 0 {
		return nil, fmt.Errorf("cpu: %d bytes asked for", size)
	}
	b, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("cpu: %d MB of addresses: %w", size>>20, err)
	}
	mem := block{unsafe.Pointer(unsafe.SliceData(b)), size}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved[mem.Uintptr()] = b
	return mem, nil
}

// Free gives addresses back.
func (s *Shapes) Free(mem tensor.Memory, _ int64) error {
	s.mu.Lock()
	b, ok := s.reserved[mem.Uintptr()]
	delete(s.reserved, mem.Uintptr())
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("cpu: memory at %#x is not the engine's", mem.Uintptr())
	}
	return syscall.Munmap(b)
}

// New returns a tensor without memory.
func (s *Shapes) New(dt tensor.Dtype, shape ...int) (*tensor.Dense, error) {
	mem, err := s.Alloc(max(int64(tensor.Shape(shape).TotalSize())*int64(dt.Size()), 1))
	if err != nil {
		return nil, err
	}
	return s.At(mem, 0, dt, shape...), nil
}

// Release frees tensors of New.
func (s *Shapes) Release(ts ...*tensor.Dense) {
	for _, t := range ts {
		if t == nil {
			continue
		}
		if err := s.Free(t, 0); err != nil {
			panic(err) // released twice, or not made by New
		}
	}
}

// Upload drops src.
func (*Shapes) Upload(*tensor.Dense, any) error { return nil }

// Download leaves dst as it is.
func (*Shapes) Download(any, *tensor.Dense) error { return nil }

// Fold does nothing.
func (*Shapes) Fold(_, _, _, _, _, _ *tensor.Dense, _ float32) error { return nil }

// PackInt8 returns a tensor as large as the weights.
func (s *Shapes) PackInt8(w []int8, _ engine.Int8Shape) (*tensor.Dense, error) {
	return s.New(tensor.Int8, len(w))
}

// Close frees everything.
func (s *Shapes) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, b := range s.reserved {
		if err := syscall.Munmap(b); err != nil {
			return err
		}
		delete(s.reserved, at)
	}
	return s.Engine.Close()
}
