package cpu

// #cgo CXXFLAGS: -O3 -std=c++17 -fopenmp -Wno-maybe-uninitialized -Wno-uninitialized
// #cgo LDFLAGS: -ldnnl -lgomp -lstdc++ -lm
// #include <stdlib.h>
// #include "kernels.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/processors"
)

// Options configures an Engine.
type Options struct {
	Threads   int // 0 takes what the process may keep busy: processors.Count
	Algorithm Algorithm
	Warn      func(error) // as Use's, for Measured
	Int8      string      // kernels of 8-bit sums, one of Int8Paths; empty takes the best
}

// Engine computes on the host's cores.
type Engine struct {
	threads int
	chosen  Algorithm
	choices *choices // of Measured
	timer   timer    // of Measured
	worker  *worker
	sharing *sharing
	conv    *C.rn_conv_context
	int8    C.int           // number of the kernels of 8-bit sums
	sums    []*tensor.Dense // results of gorgonia's additions in this run, nil outside of one
	next    int
	mu      sync.Mutex
	blocks  map[uintptr]block // live memory by address
}

// New starts an engine. Close frees it with all its tensors.
func New(o Options) (*Engine, error) {
	n := o.Threads
	if n == 0 {
		n = processors.Count()
	}
	if n < 0 || n > 1024 {
		return nil, fmt.Errorf("cpu: %d threads; give 1 to 1024, or 0 for all that the process may keep busy", o.Threads)
	}
	if _, err := ISA(); err != nil {
		return nil, err
	}
	path, err := int8Path(o.Int8)
	if err != nil {
		return nil, err
	}
	e := &Engine{threads: n, int8: path, worker: newWorker(), blocks: map[uintptr]block{}}
	e.worker.do(func() {
		C.rn_threads(C.int(n))
		e.conv = C.rn_conv_new(C.int(n))
	})
	if e.conv == nil {
		e.worker.stop()
		return nil, errors.New("cpu: oneDNN does not start on this machine")
	}
	e.sharing = &sharing{threads: n}
	e.Use(o.Algorithm, o.Warn)
	return e, nil
}

// Name returns "cpu".
func (e *Engine) Name() string { return "cpu" }

// Threads is the number of threads that kernels use.
func (e *Engine) Threads() int { return e.threads }

// Close frees all memory of the engine, its tensors included.
func (e *Engine) Close() error {
	if e.conv == nil {
		return nil
	}
	e.worker.do(func() {
		C.rn_conv_delete(e.conv)
		for _, b := range e.blocks {
			C.rn_free(b.p, C.int64_t(b.n))
		}
	})
	e.conv, e.blocks = nil, nil
	e.sharing.set(false)
	e.worker.stop()
	return nil
}

// WeightsChanged makes the next convolutions pack their weights again.
func (e *Engine) WeightsChanged() { e.worker.do(func() { C.rn_conv_weights_changed(e.conv) }) }

// CacheBytes returns the memory of packed weights and scratch space in bytes.
func (e *Engine) CacheBytes() (n int64) {
	e.worker.do(func() { n = int64(C.rn_conv_bytes(e.conv)) })
	return n
}

// primitives is the number of oneDNN's compiled convolutions in the cache.
func (e *Engine) primitives() (n int) {
	e.worker.do(func() { n = int(C.rn_conv_primitives(e.conv)) })
	return n
}

// BeginRun sets the tensors to which the graph's own additions write in this run; nil ends the run.
func (e *Engine) BeginRun(sums []*tensor.Dense) {
	e.sums, e.next = sums, 0
	if now := time.Now(); e.sharing.due(now) {
		e.worker.do(func() { e.sharing.look(now) })
	}
}

// Add adds gradients for gorgonia. It writes to the next tensor of BeginRun and ignores hints to reuse an operand: the machine does
// not know which results are read after the run.
func (e *Engine) Add(a, b tensor.Tensor, _ ...tensor.FuncOpt) (tensor.Tensor, error) {
	x, y := a.(*tensor.Dense), b.(*tensor.Dense)
	if !x.Shape().Eq(y.Shape()) {
		return nil, fmt.Errorf("cpu: sum of %v and %v", x.Shape(), y.Shape())
	}
	if e.next >= len(e.sums) {
		return nil, errors.New("cpu: the graph adds more often than planned")
	}
	out := e.sums[e.next]
	e.next++
	if !out.Shape().Eq(x.Shape()) {
		return nil, fmt.Errorf("cpu: sum of %v is planned as %v", x.Shape(), out.Shape())
	}
	if x.Uintptr() == out.Uintptr() && y.Uintptr() == out.Uintptr() {
		return out, nil
	}
	return out, e.Sum(out, x, y, engine.None)
}

// AddScalar returns an error: no operation of the detector needs it.
func (e *Engine) AddScalar(a tensor.Tensor, _ any, _ bool, _ ...tensor.FuncOpt) (tensor.Tensor, error) {
	return nil, fmt.Errorf("cpu: no sum of %v and a scalar", a.Shape())
}

// worker runs closures on one operating system thread.
type worker struct {
	jobs chan func()
	done chan struct{}
}

func newWorker() *worker {
	w := &worker{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		for f := range w.jobs {
			f()
			w.done <- struct{}{}
		}
	}()
	return w
}

func (w *worker) do(f func()) {
	w.jobs <- f
	<-w.done
}

// stop ends the thread and OpenMP's pool with it, since the goroutine ends while it is locked to the thread.
func (w *worker) stop() { close(w.jobs) }

// LibraryVersion returns the version of oneDNN.
func LibraryVersion() string { return C.GoString(C.rn_library_version()) }
