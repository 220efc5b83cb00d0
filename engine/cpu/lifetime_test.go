package cpu

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/tensor"

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

// Memory that the kernels of norms and sums cannot have is an error. The tensors are larger than the address space and none of their
// memory is read.
func TestKernelsOutOfMemory(t *testing.T) {
	e := start(t, Options{Threads: 1})
	mem, err := e.Alloc(64)
	must(t, err)
	const c, rows = 512, 1 << 45
	big := func(shape ...int) *tensor.Dense { return e.At(mem, 0, tensor.Float32, shape...) }
	x, few := big(1, rows, 1, c), put(t, e, nil, 2, c)
	p := engine.NormParams{Eps: 1e-3, Groups: 1}
	for name, err := range map[string]error{
		"BiasGrad":           e.BiasGrad(big(c), x),
		"BatchNorm":          e.BatchNorm(x, few, few, few, x, few, few, p),
		"GroupNorm":          e.GroupNorm(x, few, x, few, few, p),
		"BatchNormParamGrad": e.BatchNormParamGrad(few, x, x, x, few, p),
		"GroupNormGrad":      e.GroupNormGrad(x, x, x, x, few, few, p),
		"FocalLoss":          e.FocalLoss(few, big(1, 1<<54), big(1, 1<<54), few, engine.FocalParams{Gamma: 2}),
	} {
		if !errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
