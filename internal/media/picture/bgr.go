package picture

// #include "bgr.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// FromBGR copies pixels in OpenCV's order: B, G, R of each, row by row.
func FromBGR(w, h int, bgr []uint8) *Picture {
	p := lease(w, h)
	turn(p.Pix, bgr)
	return p
}

// BGR writes the pixels in OpenCV's order; dst has room for as many bytes.
func (p *Picture) BGR(dst []uint8) { turn(dst, p.Pix) }

func turn(dst, src []uint8) {
	if len(dst) != len(src) || len(src)%3 != 0 {
		panic(fmt.Sprintf("picture: %d bytes of pixels into %d", len(src), len(dst)))
	}
	if len(src) > 0 {
		C.rn_picture_turn((*C.uint8_t)(unsafe.Pointer(&dst[0])), (*C.uint8_t)(unsafe.Pointer(&src[0])), C.int64_t(len(src)/3))
	}
}

// swap changes the first and third byte of each pixel over.
func swap(pix []uint8) {
	C.rn_picture_swap((*C.uint8_t)(unsafe.Pointer(&pix[0])), C.int64_t(len(pix)/3))
}

// Crop copies the part of w x h pixels with its corner at x, y. It must lie inside.
func (p *Picture) Crop(x, y, w, h int) *Picture {
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > p.W || y+h > p.H {
		panic(fmt.Sprintf("picture: %dx%d pixels at %d,%d of an image of %dx%d", w, h, x, y, p.W, p.H))
	}
	q := lease(w, h)
	for j := range h {
		copy(q.Pix[3*j*w:3*(j+1)*w], p.Pix[3*((y+j)*p.W+x):])
	}
	return q
}
