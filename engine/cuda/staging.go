//go:build gpu && linux && amd64

package cuda

// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"retinago/engine"
)

// staging uploads host memory in pages. The host fills a page of pinned memory, and the copy stream copies it to a page on the GPU. From
// there the engine's stream copies it to its destination, after the work that was queued before. Copies over the bus therefore overlap
// with that work, which may still read the destination.
type staging struct {
	mu     sync.Mutex
	copies cu.Stream
	pages  []*page // in the order of their turns
	turn   int     // the page that is filled now
	full   bool    // there is no memory for more pages
}

type page struct {
	host    unsafe.Pointer // pinned
	gpu     cu.DevicePtr   // not among the engine's blocks: a run without what it holds needs it too
	used    int
	arrived cu.Event // the stream of copies has read host
	taken   cu.Event // the engine's stream has read gpu
}

const (
	pageBytes = 4 << 20 // large enough that a copy's cost is its bytes
	pageAlign = 256
	mostPages = 16 // room for two batches of 30 MB; when all are in use, send waits
)

func (s *staging) start() (err error) {
	s.copies, err = cu.MakeStream(cu.NonBlocking)
	return err
}

// send queues a copy of b; b may be written to afterwards. The engine's context is current.
func (s *staging) send(e *Engine, to cu.DevicePtr, b []byte) error {
	if e.recording.Load() {
		return errRecording
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		p, err := s.page(e)
		if err != nil {
			return fmt.Errorf("cuda: pinned memory: %w", err)
		}
		n := min(len(b), pageBytes-p.used)
		if err := p.send(e.stream, s.copies, to, b[:n]); err != nil {
			return fmt.Errorf("cuda: writing %d bytes: %w", n, err)
		}
		to, b = to+cu.DevicePtr(n), b[n:]
	}
	return nil
}

// send queues both copies of b, which fits.
func (p *page) send(work, copies cu.Stream, to cu.DevicePtr, b []byte) error {
	n := int64(len(b))
	host, gpu := unsafe.Add(p.host, p.used), p.gpu+cu.DevicePtr(p.used)
	copy(unsafe.Slice((*byte)(host), n), b)
	p.used += (len(b) + pageAlign - 1) &^ (pageAlign - 1)
	if err := cu.MemcpyHtoDAsync(gpu, host, n, copies); err != nil {
		return err
	}
	if err := p.arrived.Record(copies); err != nil {
		return err
	}
	if err := work.Wait(p.arrived, 0); err != nil {
		return err
	}
	if err := cu.MemcpyDtoDAsync(to, gpu, n, work); err != nil {
		return err
	}
	return p.taken.Record(work)
}

// page returns a page with room. If the next page in turn is still being copied, page adds one, or waits if there are mostPages.
func (s *staging) page(e *Engine) (*page, error) {
	n := len(s.pages)
	if n > 0 && s.pages[s.turn].used < pageBytes {
		return s.pages[s.turn], nil
	}
	if n > 0 {
		s.turn++
	}
	if n == 0 || n < mostPages && !s.full && errors.Is(s.pages[s.turn%n].arrived.Query(), cu.NotReady) {
		p, err := newPage(e)
		switch {
		case err == nil:
			s.pages = slices.Insert(s.pages, s.turn, p)
			return p, nil
		case n == 0:
			return nil, err
		}
		s.full = true
	}
	s.turn %= n
	p := s.pages[s.turn]
	if err := p.arrived.Synchronize(); err != nil {
		return nil, err
	}
	p.used = 0
	return p, s.copies.Wait(p.taken, 0)
}

// newPage allocates a page.
func newPage(e *Engine) (p *page, err error) {
	p = &page{}
	if p.gpu, err = cu.MemAlloc(pageBytes); err != nil {
		return nil, fmt.Errorf("%w for %d MB of input on %v: %w", engine.ErrMemory, pageBytes>>20, e.device, err)
	}
	p.host, err = e.pin(pageBytes)
	for _, v := range []*cu.Event{&p.arrived, &p.taken} {
		if err == nil {
			*v, err = cu.MakeEvent(cu.DisableTiming)
		}
	}
	if err != nil {
		return nil, errors.Join(err, p.free())
	}
	return p, nil
}

// pin returns pinned memory of the host.
func (e *Engine) pin(bytes int) (p unsafe.Pointer, err error) {
	if r := C.retinago_pinned(e.context(), &p, C.size_t(bytes)); r != C.CUDA_SUCCESS {
		return nil, fmt.Errorf("CUDA error %d for %d bytes of pinned memory", int(r), bytes)
	}
	return p, nil
}

// free frees the pages when all work with them is complete.
func (s *staging) free() error {
	var errs []error
	for _, p := range s.pages {
		errs = append(errs, p.free())
	}
	s.pages = nil
	if s.copies != (cu.Stream{}) {
		errs = append(errs, s.copies.Destroy())
	}
	return errors.Join(errs...)
}

func (p *page) free() error {
	errs := []error{cu.MemFree(p.gpu)}
	if p.host != nil {
		errs = append(errs, cu.MemFreeHost(p.host))
	}
	for _, v := range []*cu.Event{&p.arrived, &p.taken} {
		if *v != (cu.Event{}) {
			errs = append(errs, cu.DestroyEvent(v))
		}
	}
	return errors.Join(errs...)
}
