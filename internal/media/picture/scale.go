package picture

// #cgo CXXFLAGS: -O3 -std=c++17
// #include "scale.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// Input describes the input of a network: a picture resized to W x H pixels at the top left of a canvas
// [CanvasH,CanvasW,3], (value/255 - Mean)/Std, 0 in the rest of the canvas.
type Input struct {
	W, H             int
	CanvasW, CanvasH int
	Mean, Std        [3]float32
	Flip             bool // mirrored from left to right, before it is scaled
	Threads          int  // that share the rows; 0 is one
}

// Factors returns, for each channel, the factor of a byte and the constant to add.
func (in Input) Factors() (scale, shift [3]float32) {
	for c := range scale {
		scale[c] = 1 / (255 * in.Std[c])
		shift[c] = -in.Mean[c] / in.Std[c]
	}
	return scale, shift
}

// bandPixels is the least of a canvas that is worth a thread.
const bandPixels = 64 << 10

// Fill writes the canvas of a picture to dst: bilinear without antialiasing, as torchvision's
// GeneralizedRCNNTransform scales, with its rounding.
func (in Input) Fill(dst []float32, p *Picture) {
	size := 3 * in.CanvasW * in.CanvasH
	if in.W < 1 || in.H < 1 || in.W > in.CanvasW || in.H > in.CanvasH || len(dst) < size {
		panic(fmt.Sprintf("picture: %dx%d pixels on a canvas of %dx%d in %d floats", in.W, in.H, in.CanvasW, in.CanvasH, len(dst)))
	}
	if p.W < 1 || p.H < 1 || len(p.Pix) != 3*p.W*p.H {
		panic(fmt.Sprintf("picture: a picture of %dx%d with %d values", p.W, p.H, len(p.Pix)))
	}
	scale, shift := in.Factors()
	xs, ys := ratioTaps(in.W, p.W), ratioTaps(in.H, p.H)
	for i, v := range xs {
		if in.Flip {
			v.a, v.b = C.int32_t(p.W-1)-v.a, C.int32_t(p.W-1)-v.b
		}
		xs[i].a, xs[i].b = 3*v.a, 3*v.b
	}
	band := func(from, to int) {
		row := make([]float32, 3*p.W+1)
		C.rn_picture_rows((*C.float)(unsafe.Pointer(&dst[0])), C.int64_t(in.CanvasW), (*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.int64_t(p.W),
			&xs[0], C.int64_t(in.W), &ys[0], C.int64_t(in.H), C.int64_t(from), C.int64_t(to),
			(*C.float)(unsafe.Pointer(&scale[0])), (*C.float)(unsafe.Pointer(&shift[0])), (*C.float)(unsafe.Pointer(&row[0])))
	}
	n := max(min(in.Threads, in.CanvasW*in.CanvasH/bandPixels, runtime.GOMAXPROCS(0)), 1)
	var wg sync.WaitGroup
	for i := range n - 1 {
		wg.Go(func() { band(i*in.CanvasH/n, (i+1)*in.CanvasH/n) })
	}
	band((n-1)*in.CanvasH/n, in.CanvasH)
	wg.Wait()
}

// ratioTaps are the sources of n target pixels among m: bilinear, pixel centres at .5, no antialiasing.
func ratioTaps(n, m int) []C.rn_tap {
	out := make([]C.rn_tap, n)
	ratio := float64(float32(m) / float32(n))
	for i := range out {
		x := max((float64(i)+.5)*ratio-.5, 0)
		a := min(int(x), m-1)
		out[i] = C.rn_tap{a: C.int32_t(a), b: C.int32_t(min(a+1, m-1)), t: C.float(min(x-float64(a), 1))}
	}
	return out
}

// Scaled returns the picture at w x h pixels, bilinear without antialiasing.
func (p *Picture) Scaled(w, h int) *Picture {
	v := make([]float32, 3*w*h)
	Input{W: w, H: h, CanvasW: w, CanvasH: h, Std: [3]float32{1, 1, 1}}.Fill(v, p)
	out := New(w, h)
	for i, x := range v {
		out.Pix[i] = uint8(x*255 + .5)
	}
	return out
}
