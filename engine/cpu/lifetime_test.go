package cpu

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/memory"
)

// What was packed of weights goes with their memory: new weights at the same address are packed anew, also without WeightsChanged. So
// does what was made of a scale.
func TestPackedGoesWithWeights(t *testing.T) {
	const c = 128
	for _, a := range kinds {
		for _, scaled := range []bool{false, true} {
			t.Run(fmt.Sprint(a, " scale ", scaled), func(t *testing.T) {
				e := start(t, Options{Algorithm: a})
				x, y := put(t, e, filled(12*12*c, 1), 1, 12, 12, c), put(t, e, nil, 1, 12, 12, c)
				value := func(w, scale *tensor.Dense) float32 {
					must(t, e.Conv(y, x, w, scale, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
					return get(t, e, y)[(6*12+6)*c]
				}
				weights := put(t, e, filled(c*c*9, 1), c, c, 3, 3)
				var first, second *tensor.Dense
				again := func() float32 { return value(second, nil) }
				if scaled {
					again = func() float32 { return value(weights, second) }
				}
				for range 20 { // until new memory lies where the old was
					first = put(t, e, filled(c*c*9, 1), c, c, 3, 3)
					before := func() float32 { return value(first, nil) }
					if scaled {
						e.Release(first)
						first = put(t, e, filled(c, 1), c)
						before = func() float32 { return value(weights, first) }
					}
					for range 3 { // from the second time on, transformed weights are kept
						if v := before(); math.Abs(float64(v)-1152) > .1 {
							t.Fatalf("%g, want 1152", v)
						}
					}
					at := first.Uintptr()
					e.Release(first)
					if scaled {
						second = put(t, e, filled(c, 1.5), c)
					} else {
						second = put(t, e, filled(c*c*9, 1.5), c, c, 3, 3)
					}
					if second.Uintptr() == at {
						break
					}
					second = nil
				}
				if second == nil {
					t.Skip("new memory never lies where the old was")
				}
				if v := again(); math.Abs(float64(v)-1728) > .1 {
					t.Errorf("%g with new weights at the address of released ones, want 1728", v)
				}
			})
		}
	}
}

// Weights that come and go leave no packed copies behind.
func TestPackedIsFreed(t *testing.T) {
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		x, y := put(t, e, nil, 1, 12, 12, 64), put(t, e, nil, 1, 12, 12, 64)
		var bytes int64
		for i := range 20 {
			w := put(t, e, nil, 64, 64, 3, 3)
			for range 2 {
				must(t, e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
			}
			e.Release(w)
			switch now := e.CacheBytes(); {
			case i == 0:
				bytes = now
			case now > bytes:
				t.Fatalf("%v: %d bytes after %d weights, %d after the first", a, now, i+1, bytes)
			}
		}
	}
}

// The cache of oneDNN's primitives is bounded, and the memory with it.
func TestPrimitivesAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles thousands of convolutions")
	}
	e := start(t, Options{Algorithm: OneDNN})
	w := put(t, e, nil, 16, 16, 1, 1)
	conv := func(h, width int) {
		x, y := put(t, e, nil, 1, h, width, 16), put(t, e, nil, 1, h, width, 16)
		must(t, e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1}))
		e.Release(x, y)
	}
	var before int64
	for i := range 4500 {
		if i == 2500 {
			before = memory.Resident()
		}
		conv(1+i/50, 1+i%50)
	}
	if n := e.primitives(); n > 2048 {
		t.Errorf("%d primitives are kept", n)
	}
	if grown := memory.Resident() - before; grown > 20<<20 {
		t.Errorf("2000 more primitives took %d MB", grown>>20)
	}
}

// Memory that an 8-bit convolution cannot have is an error, not the end of the process.
func TestInt8OutOfMemory(t *testing.T) {
	e := start(t, Options{Threads: 1024}) // whose tables of addresses for such a kernel are larger than the address space
	const size = 46000
	b := put(t, e, nil, 16)
	s := engine.Int8Shape{K: 1, C: 2, R: size, S: size, Groups: 1}
	x, y := bytes(t, e, nil, 1, 1, 1, s.C), bytes(t, e, nil, 1, 1, 1, s.K)
	p := engine.Int8Params{ConvParams: engine.ConvParams{Stride: 1, Pad: size / 2}, Int8Shape: s}
	if err := e.ConvInt8(y, x, b, b, b, b, nil, p); !errors.Is(err, engine.ErrMemory) {
		t.Errorf("a kernel of %dx%d on 1024 threads: %v", size, size, err)
	}
}
