//go:build opencv || libjpeg

package picture

// #cgo LDFLAGS: -ljpeg
// #include <stdlib.h>
// #include "jpeg.h"
// #include <stdio.h>
// #include <jpeglib.h>
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unsafe"
)

// jpegCodec names what decodes and encodes JPEGs.
var jpegCodec = fmt.Sprintf("libjpeg-turbo %d.%d.%d", C.LIBJPEG_TURBO_VERSION_NUMBER/1000000, C.LIBJPEG_TURBO_VERSION_NUMBER/1000%1000, C.LIBJPEG_TURBO_VERSION_NUMBER%1000)

// decodeJPEG decodes a JPEG upright with its sides divided by denom, 1, 2, 4 or 8, and rounded up: from fewer coefficients, not by
// dropping pixels; one of four components is decoded whole and reduced afterwards.
func decodeJPEG(ctx context.Context, b []byte, h Header, denom int) (*Picture, error) {
	if h.jpeg.components != 4 {
		return decodeLibjpeg(ctx, b, h, denom)
	}
	p, err := decodeLibjpeg(ctx, b, h, 1)
	if err != nil {
		return nil, err
	}
	return p.reduced(denom), nil
}

// jpegBesides is what decoding a JPEG takes besides the file and the pixels, in bytes.
func (h Header) jpegBesides(denom int64) int64 {
	some := 1<<20 + 256*int64(h.w) // rows on the way
	if h.jpeg.many {
		some += 128 * h.jpeg.blocks
	}
	if h.jpeg.components == 4 && denom > 1 {
		some += 3 * int64(h.w) * int64(h.h)
	}
	return some
}

// decodeLibjpeg decodes with libjpeg, which writes into Go's memory, which is used again; OpenCV takes new memory for each image, and that costs
// as much as decoding. A context that ends ends it within a row of blocks.
func decodeLibjpeg(ctx context.Context, b []byte, h Header, denom int) (*Picture, error) {
	w, rows := (h.w+denom-1)/denom, (h.h+denom-1)/denom
	upright := [2]int{w, rows}
	if h.turn >= 5 {
		upright = [2]int{rows, w}
	}
	return filled(upright[0], upright[1], func(p *Picture) error {
		var stop atomic.Int32 // that C reads while it decodes
		defer context.AfterFunc(ctx, func() { stop.Store(1) })()
		o := C.rn_jpeg_options{denom: C.int(denom), turn: C.int(h.turn), most_memory: C.int64_t(maxMemory), most_work: maxWork}
		var message [C.RN_JPEG_MESSAGE]C.char
		switch C.rn_jpeg_decode((*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.uint32_t(w), C.uint32_t(rows), (*C.uint8_t)(unsafe.Pointer(&b[0])),
			C.size_t(len(b)), &o, (*C.int32_t)(unsafe.Pointer(&stop)), &message[0]) {
		case C.RN_JPEG_OK:
			return nil
		case C.RN_JPEG_STOPPED:
			return context.Cause(ctx)
		}
		return errors.New("libjpeg: " + C.GoString(&message[0]))
	})
}

func encodeJPEG(w io.Writer, p *Picture, quality int) error {
	var file *C.uint8_t
	var n C.ulong
	var message [C.RN_JPEG_MESSAGE]C.char
	state := C.rn_jpeg_encode(&file, &n, (*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.uint32_t(p.W), C.uint32_t(p.H), C.int(quality), &message[0])
	defer C.free(unsafe.Pointer(file))
	if state != C.RN_JPEG_OK {
		return errors.New("libjpeg: " + C.GoString(&message[0]))
	}
	_, err := w.Write(unsafe.Slice((*byte)(file), int(n)))
	return err
}
