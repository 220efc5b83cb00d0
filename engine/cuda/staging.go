//go:build gpu && linux && amd64

package cuda

// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

// staging sends host memory through two pinned buffers in turns: one is filled while the GPU reads the other.
type staging struct {
	mu      sync.Mutex
	buffers [2]pinned
	turn    int
}

type pinned struct {
	p    unsafe.Pointer
	read cu.Event // the GPU is done with it
}

// stageBytes is the size of a buffer: large enough that a copy's cost is its bytes.
const stageBytes = 4 << 20

// send queues a copy of b; b may be written to afterwards. The engine's context is current.
func (s *staging) send(e *Engine, to cu.DevicePtr, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		buf := &s.buffers[s.turn]
		s.turn = 1 - s.turn
		if err := buf.ready(e); err != nil {
			return fmt.Errorf("cuda: pinned memory: %w", err)
		}
		n := min(len(b), stageBytes)
		copy(unsafe.Slice((*byte)(buf.p), n), b[:n])
		if err := cu.MemcpyHtoDAsync(to, buf.p, int64(n), e.stream); err != nil {
			return fmt.Errorf("cuda: writing %d bytes: %w", n, err)
		}
		if err := buf.read.Record(e.stream); err != nil {
			return err
		}
		to, b = to+cu.DevicePtr(n), b[n:]
	}
	return nil
}

// ready makes the buffer, or waits until it may be written to.
func (b *pinned) ready(e *Engine) error {
	if b.p != nil {
		return b.read.Synchronize()
	}
	var err error
	if b.p, err = e.pin(stageBytes); err != nil {
		return err
	}
	b.read, err = cu.MakeEvent(cu.DisableTiming)
	return err
}

// pin returns pinned memory of the host.
func (e *Engine) pin(bytes int) (p unsafe.Pointer, err error) {
	if r := C.retinago_pinned(e.context(), &p, C.size_t(bytes)); r != C.CUDA_SUCCESS {
		return nil, fmt.Errorf("CUDA error %d for %d bytes of pinned memory", int(r), bytes)
	}
	return p, nil
}

// free gives the buffers back.
func (s *staging) free() error {
	var errs []error
	for i := range s.buffers {
		b := &s.buffers[i]
		if b.p == nil {
			continue
		}
		errs = append(errs, cu.DestroyEvent(&b.read), cu.MemFreeHost(b.p))
		b.p = nil
	}
	return errors.Join(errs...)
}
