package cpu

import (
	"errors"
	"testing"

	"retinago/engine"
	"retinago/internal/memory"
)

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
