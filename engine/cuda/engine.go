//go:build gpu && linux && amd64

package cuda

// #include "cublaslt.h"
// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cuda/driver"
)

// Options configures an Engine.
type Options struct {
	Device    int // its number, from 0
	Precision engine.Precision
}

// Engine computes on one GPU.
type Engine struct {
	device    Device
	precision engine.Precision
	dev       cu.Device
	ctx       cu.CUContext
	stream    cu.Stream
	module    cu.Module
	functions map[string]cu.Function
	cudnn     unsafe.Pointer
	plans     bounded[planKey, *C.retinago_plan]
	cublaslt  unsafe.Pointer // nil where the library is absent
	products  bounded[C.retinago_product_shape, *C.retinago_product]
	packed    map[packedKey]*packedWeights
	scratch   [scratches]region
	staging   staging
	counts    []*countBuffer    // room for counts of Assign
	assigned  int               // images of the last Assign
	updaters  map[*updater]bool // not released
	moves     atomic.Int64      // memory was given back so often: recordings that may read it are void
	recording atomic.Bool
	labels    region // [place, label] of a label that is no class
	unjudged  bool   // labels may have been written
	sums      []*tensor.Dense
	next      int
	mu        sync.Mutex
	blocks    map[uintptr]int64 // live memory by address
	used      int64             // bytes of blocks
	most      int64             // that used was
}

// New starts an engine on a GPU. Close frees it with all its tensors.
func New(o Options) (*Engine, error) {
	d, err := find(o.Device)
	if err != nil {
		return nil, err
	}
	if err := cudnn.open(); err != nil {
		return nil, err
	}
	e := &Engine{device: d, precision: o.Precision, dev: cu.Device(o.Device), functions: map[string]cu.Function{}, plans: newBounded[planKey, *C.retinago_plan](),
		products: newBounded[C.retinago_product_shape, *C.retinago_product](),
		packed:   map[packedKey]*packedWeights{}, updaters: map[*updater]bool{}, blocks: map[uintptr]int64{}}
	if e.ctx, err = e.dev.RetainPrimaryCtx(); err != nil {
		return nil, fmt.Errorf("cuda: %v: %w", d, err)
	}
	if err := e.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("cuda: %v: %w", d, err), e.Close())
	}
	return e, nil
}

func (e *Engine) start() error {
	err := e.do(func() (err error) {
		if e.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
			return err
		}
		if err := e.staging.start(); err != nil {
			return err
		}
		e.module, err = cu.LoadData(ptx)
		return err
	})
	if err != nil {
		return err
	}
	if err := cudnnError("start", C.retinago_cudnn_open(e.context(), e.queue(), &e.cudnn)); err != nil {
		return err
	}
	if cublaslt.open() == nil {
		if err := cublasltError("start", C.retinago_cublaslt_open(e.context(), &e.cublaslt)); err != nil {
			return err
		}
	}
	if e.labels, err = e.region(16); err != nil {
		return err
	}
	return e.forgive()
}

// Close frees all memory of the engine, its tensors included.
func (e *Engine) Close() error {
	if e.blocks == nil {
		return nil
	}
	for _, p := range e.plans.values {
		freePlan(p.value)
	}
	for _, p := range e.products.values {
		freeProduct(p.value)
	}
	if e.cublaslt != nil {
		C.retinago_cublaslt_close(e.context(), e.cublaslt)
	}
	if e.cudnn != nil {
		C.retinago_cudnn_close(e.context(), e.cudnn)
	}
	err := e.do(func() error {
		var errs []error
		if e.stream != (cu.Stream{}) {
			errs = append(errs, e.stream.Synchronize())
		}
		for p := range e.blocks {
			errs = append(errs, cu.MemFree(cu.DevicePtr(p)))
		}
		errs = append(errs, e.staging.free(), e.freeTallies())
		for u := range e.updaters {
			errs = append(errs, u.told.free())
		}
		if e.module != (cu.Module{}) {
			errs = append(errs, e.module.Unload())
		}
		if e.stream != (cu.Stream{}) {
			errs = append(errs, e.stream.Destroy())
		}
		return errors.Join(errs...)
	})
	e.blocks = nil
	return errors.Join(err, e.dev.ReleasePrimaryCtx())
}

// Name returns the name of the device.
func (e *Engine) Name() string { return e.device.String() }

// Threads returns 1: one thread of the host queues the work of the GPU.
func (e *Engine) Threads() int { return 1 }

// BeginRun sets the tensors to which the graph's own additions write in this run; nil ends the run.
func (e *Engine) BeginRun(sums []*tensor.Dense) { e.sums, e.next = sums, 0 }

// Add adds gradients for gorgonia. It writes to the next tensor of BeginRun and ignores hints to reuse an operand: the machine does
// not know which results are read after the run.
func (e *Engine) Add(a, b tensor.Tensor, _ ...tensor.FuncOpt) (tensor.Tensor, error) {
	x, y := a.(*tensor.Dense), b.(*tensor.Dense)
	if !x.Shape().Eq(y.Shape()) {
		return nil, fmt.Errorf("cuda: sum of %v and %v", x.Shape(), y.Shape())
	}
	if e.next >= len(e.sums) {
		return nil, errors.New("cuda: the graph adds more often than planned")
	}
	out := e.sums[e.next]
	e.next++
	if !out.Shape().Eq(x.Shape()) {
		return nil, fmt.Errorf("cuda: sum of %v is planned as %v", x.Shape(), out.Shape())
	}
	return out, e.Sum(out, x, y, engine.None)
}

// AddScalar returns an error: no operation of the detector needs it.
func (e *Engine) AddScalar(a tensor.Tensor, _ any, _ bool, _ ...tensor.FuncOpt) (tensor.Tensor, error) {
	return nil, fmt.Errorf("cuda: no sum of %v and a scalar", a.Shape())
}

// do calls f on a thread whose context is the engine's.
func (e *Engine) do(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(e.ctx); err != nil {
		return err
	}
	return f()
}

// gorgonia.org/cu keeps its handles to itself; each of its types is a struct of one.
func (e *Engine) context() C.CUcontext { return *(*C.CUcontext)(unsafe.Pointer(&e.ctx)) }
func (e *Engine) queue() C.CUstream    { return *(*C.CUstream)(unsafe.Pointer(&e.stream)) }

// Device is a GPU of the machine.
type Device struct {
	Number       int
	Model        string
	Major, Minor int // of its compute capability
	Bytes        int64
}

// String is such as "cuda:0 (NVIDIA A100-SXM4-80GB)".
func (d Device) String() string { return fmt.Sprintf("cuda:%d (%s)", d.Number, d.Model) }

// Devices lists the GPUs of the machine.
func Devices() ([]Device, error) {
	if err := driver.Open(); err != nil {
		return nil, fmt.Errorf("cuda: no device: %w", err)
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("cuda: counting devices: %w", err)
	}
	out := make([]Device, n)
	for i := range out {
		if out[i], err = describe(i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func describe(i int) (d Device, err error) {
	dev := cu.Device(i)
	d.Number = i
	if d.Model, err = dev.Name(); err == nil {
		d.Bytes, err = dev.TotalMem()
	}
	if err == nil {
		d.Major, err = dev.Attribute(cu.ComputeCapabilityMajor)
	}
	if err == nil {
		d.Minor, err = dev.Attribute(cu.ComputeCapabilityMinor)
	}
	if err != nil {
		return d, fmt.Errorf("cuda: device %d: %w", i, err)
	}
	return d, nil
}

// Least is the lowest major compute capability on which the kernels run: that of Ampere.
const Least = 8

// find returns device n, if the kernels run on it.
func find(n int) (Device, error) {
	all, err := Devices()
	if err != nil {
		return Device{}, err
	}
	if n < 0 || n >= len(all) {
		return Device{}, fmt.Errorf("cuda: there is no device %d, this machine has %d", n, len(all))
	}
	if d := all[n]; d.Major < Least {
		return d, fmt.Errorf("cuda: %v has compute capability %d.%d, the kernels need %d.0 (Ampere) or newer", d, d.Major, d.Minor, Least)
	}
	return all[n], nil
}
