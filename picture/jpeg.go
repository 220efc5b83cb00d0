//go:build !nocv

package picture

// #cgo LDFLAGS: -ljpeg
// #include <stdlib.h>
// #include "jpeg.h"
// #include <stdio.h>
// #include <jpeglib.h>
import "C"

import (
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// jpegVersion is libjpeg-turbo's.
var jpegVersion = fmt.Sprintf("%d.%d.%d", C.LIBJPEG_TURBO_VERSION_NUMBER/1000000, C.LIBJPEG_TURBO_VERSION_NUMBER/1000%1000, C.LIBJPEG_TURBO_VERSION_NUMBER%1000)

// errColours says that a JPEG is neither grey nor RGB.
var errColours = errors.New("its colours are not known to libjpeg")

// decodeJPEG decodes a JPEG of w x h pixels with its sides divided by denom, 1, 2, 4 or 8, and rounded up: from fewer
// coefficients, not by dropping pixels. libjpeg writes into Go's memory, which is used again; OpenCV takes new memory
// for each picture, and that costs as much as decoding.
func decodeJPEG(b []byte, w, h, denom int) (*Picture, error) {
	p := lease((w+denom-1)/denom, (h+denom-1)/denom)
	var message [C.RN_JPEG_MESSAGE]C.char
	switch C.rn_jpeg_decode((*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.uint32_t(p.W), C.uint32_t(p.H), (*C.uint8_t)(unsafe.Pointer(&b[0])),
		C.size_t(len(b)), C.int(denom), &message[0]) {
	case C.RN_JPEG_OK:
		return p, nil
	case C.RN_JPEG_COLOURS:
		p.Release()
		return nil, errColours
	}
	p.Release()
	return nil, errors.New("libjpeg: " + C.GoString(&message[0]))
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
