//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cuda"
	"retinago/engine/cuda/kernels"
)

// onePixel is a case of a 1x1 convolution with stride 1, and how many products of matrices it is.
type onePixel struct {
	n, h, w, c, k int
	ends          string // b bias, s scale, r residual, R ReLU, L leaky ReLU
	products      int64
}

func (o onePixel) run(t *testing.T, e engine.Engine) (out [][]float32) {
	var scale, bias, res *tensor.Dense
	p := engine.ConvParams{Stride: 1}
	pixels := o.n * o.h * o.w
	for _, end := range o.ends {
		switch end {
		case 'b':
			bias = put(t, e, normal(1, o.k), o.k)
		case 's':
			scale = put(t, e, normal(2, o.k), o.k)
		case 'r':
			res = put(t, e, normal(3, pixels*o.k), o.n, o.h, o.w, o.k)
		case 'R':
			p.Activation = engine.ReLU
		case 'L':
			p.Activation = engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: 1}
		}
	}
	x, dy := put(t, e, normal(4, pixels*o.c), o.n, o.h, o.w, o.c), put(t, e, normal(5, pixels*o.k), o.n, o.h, o.w, o.k)
	w, dw := put(t, e, normal(6, o.k*o.c), o.k, o.c, 1, 1), put(t, e, like(o.k*o.c, 7), o.k, o.c, 1, 1)
	y, dx := put(t, e, like(pixels*o.k, 7), o.n, o.h, o.w, o.k), put(t, e, like(pixels*o.c, 7), o.n, o.h, o.w, o.c)
	must(t, e.Conv(y, x, w, scale, bias, res, p))
	must(t, e.ConvData(dx, dy, w, scale, p))
	must(t, e.ConvWeights(dw, dy, x, scale, p))
	return [][]float32{get(t, e, y), get(t, e, dx), get(t, e, dw)}
}

// 1x1 convolutions are products of matrices, with bias, residual and ReLU in them, and give what the CPU engine gives. Where
// cuBLASLt has nothing for a shape, or is absent, they are cuDNN's.
func TestPointwise(t *testing.T) {
	c := startCPU(t)
	for _, o := range []onePixel{{2, 5, 7, 16, 8, "", 3}, {2, 5, 7, 16, 8, "b", 3}, {1, 3, 2, 3, 5, "r", 3}, {1, 4, 4, 8, 24, "bR", 3}, {2, 3, 3, 8, 8, "brR", 3},
		{1, 2, 2, 4, 8, "bsrR", 3}, {1, 5, 3, 8, 8, "R", 3}, {2, 3, 5, 8, 12, "brL", 3}, {2, 3, 5, 8, 12, "sL", 3},
		// The host's library has nothing for results of one row: y with 1 filter, dx and dw with 1 channel.
		{1, 5, 3, 8, 1, "bR", 2}, {1, 5, 3, 1, 8, "bR", 1}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			want := o.run(t, c)
			before, _ := kernels.Products()
			got := o.run(t, start(t))
			after, _ := kernels.Products()
			for i := range want {
				near(t, fmt.Sprint("result ", i), got[i], want[i], closeness())
			}
			if n := after - before; !realDevice() && n != o.products {
				t.Errorf("%d products, want %d", n, o.products)
			}
			if realDevice() {
				return
			}
			must(t, cuda.ReplaceCuBLASLt(nil))
			defer func() { must(t, cuda.ReplaceCuBLASLt(kernels.CuBLASLt())) }()
			got = o.run(t, start(t))
			if n, _ := kernels.Products(); n != after {
				t.Errorf("%d products without cuBLASLt", n-after)
			}
			for i := range want {
				near(t, fmt.Sprint("cuDNN's result ", i), got[i], want[i], closeness())
			}
		})
	}
}

// What there is of libraries is told, and what is missing.
func TestLibraries(t *testing.T) {
	onHost(t)
	text := strings.Join(cuda.Libraries(), "\n")
	for _, want := range []string{"driver for CUDA 12.4", "cuDNN 9.0.0", "cuBLASLt 13.0.0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	must(t, cuda.ReplaceCuBLASLt(nil))
	defer func() { must(t, cuda.ReplaceCuBLASLt(kernels.CuBLASLt())) }()
	if text := strings.Join(cuda.Libraries(), "\n"); !strings.Contains(text, "cuBLASLt is") || !strings.Contains(text, "cuDNN computes 1x1") {
		t.Errorf("without cuBLASLt:\n%s", text)
	}
	if err := cuda.ReplaceCuBLASLt(kernels.CuDNN()); err == nil || !strings.Contains(err.Error(), "has no function cublasLtGetVersion") {
		t.Errorf("a library that is none: %v", err)
	}
}
