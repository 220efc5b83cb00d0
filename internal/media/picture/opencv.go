//go:build opencv

package picture

// #cgo pkg-config: opencv4
// #include "opencv.h"
import "C"

import (
	"errors"
	"strings"
	"unsafe"

	"gocv.io/x/gocv"
)

// how is the way in which OpenCV reads images: as 8 bits of blue, green and red, and turned as they are stored.
const how = gocv.IMReadColor | gocv.IMReadIgnoreOrientation

// decodeOpenCV decodes an image of w x h pixels, as stored, into memory of ours: OpenCV takes new memory for each otherwise.
func decodeOpenCV(b []byte, w, h int) (*Picture, error) {
	return filled(w, h, func(p *Picture) error {
		var message [C.RN_OPENCV_MESSAGE]C.char
		if C.rn_opencv_decode((*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.int(w), C.int(h), (*C.uint8_t)(unsafe.Pointer(&b[0])),
			C.size_t(len(b)), C.int(how), &message[0]) != 0 {
			return errors.New(strings.Join(strings.Fields(C.GoString(&message[0])), " "))
		}
		swap(p.Pix)
		return nil
	})
}
