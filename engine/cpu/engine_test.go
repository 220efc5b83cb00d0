package cpu

import (
	"testing"

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
