package cpu

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/memory"
)

func TestOptions(t *testing.T) {
	for _, n := range []int{-1, 5000} {
		if _, err := New(Options{Threads: n}); err == nil {
			t.Errorf("%d threads", n)
		}
	}
	if e := start(t, Options{Threads: 1}); e.Threads() != 1 {
		t.Errorf("%d threads, want 1", e.Threads())
	}
	if e := start(t, Options{}); e.Threads() < 1 {
		t.Errorf("%d threads by default", e.Threads())
	}
}

func TestUploadMismatch(t *testing.T) {
	e := start(t, Options{})
	d := put(t, e, nil, 2, 3)
	for _, v := range []any{make([]float32, 5), make([]int32, 6), []float64{1}} {
		if err := e.Upload(d, v); err == nil {
			t.Errorf("%T of %v was taken", v, v)
		}
	}
	if _, err := e.Alloc(0); err == nil {
		t.Error("an allocation of nothing")
	}
	if _, err := e.Alloc(1 << 60); !errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("a billion gigabytes: %v", err)
	}
}

// New tensors are zero, also where memory is used again.
func TestNewIsZero(t *testing.T) {
	e := start(t, Options{})
	for range 3 {
		d := put(t, e, nil, 1000)
		for _, v := range get(t, e, d) {
			if v != 0 {
				t.Fatal("not zero")
			}
		}
		must(t, e.Upload(d, filled(1000, 9)))
		e.Release(d)
	}
}

// Closing gives everything back: tensors that were not released, packed weights, scratch space.
func TestCloseFrees(t *testing.T) {
	work := func() {
		e, err := New(Options{})
		must(t, err)
		x, w, y := put(t, e, nil, 1, 128, 128, 64), put(t, e, nil, 64, 64, 3, 3), put(t, e, nil, 1, 128, 128, 64)
		must(t, e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
		if e.CacheBytes() == 0 {
			t.Error("no packed weights")
		}
		must(t, e.Close())
		must(t, e.Close()) // twice is once
	}
	for range 5 {
		work()
	}
	before := memory.Resident()
	for range 30 { // 8 MB each at least
		work()
	}
	if grown := memory.Resident() - before; grown > 40<<20 {
		t.Errorf("30 engines left %d MB behind", grown>>20)
	}
}

// A tensor laid over memory shows that memory.
func TestAt(t *testing.T) {
	e := start(t, Options{})
	mem, err := e.Alloc(256)
	must(t, err)
	a, b := e.At(mem, 0, tensor.Float32, 4), e.At(mem, 64, tensor.Float32, 2, 2)
	must(t, e.Upload(a, []float32{1, 2, 3, 4}))
	must(t, e.Upload(b, []float32{5, 6, 7, 8}))
	near(t, "a", get(t, e, a), []float64{1, 2, 3, 4}, 0)
	near(t, "b", get(t, e, b), []float64{5, 6, 7, 8}, 0)
	must(t, e.Free(mem, 256))
	if err := e.Free(mem, 256); err == nil {
		t.Error("freed twice")
	}
}
