package picture

// #cgo CXXFLAGS: -O3 -std=c++17
// #include "scene.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"retinago/engine"
	_ "retinago/engine/formula" // scene.cpp includes its headers
)

// bandPixels is the least of a canvas that is worth a thread.
const bandPixels = 64 << 10

// draw draws a canvas of w x h px to dst, by in.Threads.
func (in Input) draw(dst []float32, w, h int, c engine.Canvas) {
	if w < 1 || h < 1 || len(dst) < 3*w*h {
		panic(fmt.Sprintf("picture: a canvas of %dx%d in %d floats", w, h, len(dst)))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	layers := make([]C.rn_layer, len(c.Layers))
	wide := 0
	for i, l := range c.Layers {
		layers[i] = forC(l, &pin)
		wide = max(wide, int(layers[i].used))
	}
	fill := make([]C.rn_area, len(c.Fill))
	for i, a := range c.Fill {
		fill[i] = areaForC(a)
	}
	band := func(from, to int) {
		buffer := make([]float32, wide+1+3*w+4)
		C.rn_picture_draw((*C.float)(unsafe.Pointer(&dst[0])), C.int64_t(w), C.int64_t(from), C.int64_t(to), unsafe.SliceData(layers), C.int64_t(len(layers)),
			unsafe.SliceData(fill), C.int64_t(len(fill)), (*C.float)(unsafe.Pointer(&c.Scale[0])), (*C.float)(unsafe.Pointer(&c.Shift[0])),
			(*C.float)(unsafe.Pointer(&buffer[0])), (*C.float)(unsafe.Pointer(&buffer[wide+1])))
	}
	n := max(min(in.Threads, w*h/bandPixels, runtime.GOMAXPROCS(0)), 1)
	var wg sync.WaitGroup
	for i := range n - 1 {
		wg.Go(func() { band(i*h/n, (i+1)*h/n) })
	}
	band((n-1)*h/n, h)
	wg.Wait()
}

func areaForC(a engine.Area) C.rn_area {
	return C.rn_area{x1: C.int32_t(a.X1), y1: C.int32_t(a.Y1), x2: C.int32_t(a.X2), y2: C.int32_t(a.Y2)}
}

// forC returns a layer as scene.cpp reads it. Its memory is pinned.
func forC(l engine.Layer, pin *runtime.Pinner) C.rn_layer {
	out := C.rn_layer{w: C.int64_t(l.W), h: C.int64_t(l.H), area: areaForC(l.Area), gamma: 1, weight: C.float(l.Weight)}
	pin.Pin(&l.Pix[0])
	out.pix = (*C.uint8_t)(unsafe.Pointer(&l.Pix[0]))
	if l.Colour != ([12]float32{}) {
		out.recoloured, out.gamma = 1, C.float(l.Gamma)
		for i, v := range l.Colour {
			out.colour[i] = C.float(v)
		}
	}
	if l.Map != (engine.Map{}) {
		for i, v := range l.Map {
			out._map[i] = C.int64_t(v)
		}
		return out
	}
	xs, ys := taps(l.X, l.Area.X1, l.Area.X2, l.W), taps(l.Y, l.Area.Y1, l.Area.Y2, l.H)
	first, last := xs[0].a, xs[0].b
	for _, v := range xs {
		first, last = min(first, v.a, v.b), max(last, v.a, v.b)
	}
	for i, v := range xs {
		xs[i].a, xs[i].b = 3*(v.a-first), 3*(v.b-first)
	}
	out.first, out.used = C.int64_t(3*first), C.int64_t(3*(last-first+1))
	pin.Pin(&xs[0])
	pin.Pin(&ys[0])
	out.xs, out.ys = &xs[0], &ys[0]
	return out
}

// taps are the sources of the canvas's columns, or rows, from..to among the m of an image.
func taps(a engine.Axis, from, to, m int) []C.rn_tap {
	out := make([]C.rn_tap, to-from)
	for i := range out {
		x := max((float64(from+i)+.5)*a.Step+a.Start, 0)
		p := min(int(x), m-1)
		q := min(p+1, m-1)
		t := min(x-float64(p), 1)
		if a.Mirror {
			p, q = m-1-p, m-1-q
		}
		out[i] = C.rn_tap{a: C.int32_t(p), b: C.int32_t(q), t: C.float(t)}
	}
	return out
}
