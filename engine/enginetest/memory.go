package enginetest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

func uploadMismatch(t *testing.T, open Open) {
	e := open(t)
	d := Put(t, e, nil, 2, 3)
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
func newIsZero(t *testing.T, open Open) {
	e := open(t)
	for range 3 {
		d := Put(t, e, nil, 1000)
		for _, v := range Get(t, e, d) {
			if v != 0 {
				t.Fatal("not zero")
			}
		}
		Must(t, e.Upload(d, Filled(1000, 9)))
		e.Release(d)
	}
}

// A tensor laid over memory shows that memory.
func at(t *testing.T, open Open) {
	e := open(t)
	mem, err := e.Alloc(256)
	Must(t, err)
	a, b := e.At(mem, 0, tensor.Float32, 4), e.At(mem, 64, tensor.Float32, 2, 2)
	Must(t, e.Upload(a, []float32{1, 2, 3, 4}))
	Must(t, e.Upload(b, []float32{5, 6, 7, 8}))
	AlmostEqual(t, "a", Get(t, e, a), []float64{1, 2, 3, 4}, 0)
	AlmostEqual(t, "b", Get(t, e, b), []float64{5, 6, 7, 8}, 0)
	Must(t, e.Free(mem, 256))
	if err := e.Free(mem, 256); err == nil {
		t.Error("freed twice")
	}
}

// What was packed of weights goes with their memory: new weights at the same address are packed anew, also without WeightsChanged. So
// does what was made of a scale.
func packedGoesWithWeights(t *testing.T, open Open) {
	const c = 128
	for _, scaled := range []bool{false, true} {
		t.Run(fmt.Sprint("scale ", scaled), func(t *testing.T) {
			e := open(t)
			x, y := Put(t, e, Filled(12*12*c, 1), 1, 12, 12, c), Put(t, e, nil, 1, 12, 12, c)
			weights := Put(t, e, Filled(c*c*9, 1), c, c, 3, 3)
			fresh := func(v float32) *tensor.Dense {
				if scaled {
					return Put(t, e, Filled(c, v), c)
				}
				return Put(t, e, Filled(c*c*9, v), c, c, 3, 3)
			}
			value := func(d *tensor.Dense) float32 {
				w, scale := d, (*tensor.Dense)(nil)
				if scaled {
					w, scale = weights, d
				}
				Must(t, e.Conv(y, x, w, scale, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
				return Get(t, e, y)[(6*12+6)*c]
			}
			again := false
			for range 20 { // until new memory lies where the old was
				first := fresh(1)
				for range 3 { // from the second time on, an engine may keep more
					if v := value(first); math.Abs(float64(v)-1152) > .1 {
						t.Fatalf("%g, want 1152", v)
					}
				}
				at := first.Uintptr()
				e.Release(first)
				second := fresh(1.5)
				again = again || second.Uintptr() == at
				if v := value(second); math.Abs(float64(v)-1728) > .1 {
					t.Fatalf("%g with new values after others were released, want 1728", v)
				}
				e.Release(second)
			}
			if !again {
				t.Skip("new memory never lies where the old was")
			}
		})
	}
}

// Weights that come and go leave no packed copies behind.
func packedIsFreed(t *testing.T, open Open) {
	e := open(t)
	x, y := Put(t, e, nil, 1, 12, 12, 64), Put(t, e, nil, 1, 12, 12, 64)
	var bytes int64
	for i := range 20 {
		w := Put(t, e, nil, 64, 64, 3, 3)
		for range 2 {
			Must(t, e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
		}
		e.Release(w)
		switch now := e.CacheBytes(); {
		case i == 0:
			bytes = now
		case now > bytes:
			t.Fatalf("%d bytes after %d weights, %d after the first", now, i+1, bytes)
		}
	}
}
