//go:build opencv

package picture

// #cgo pkg-config: libwebp
// #include "vp8.h"
import "C"

import (
	"context"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// decodeVP8 decodes a lossy WebP file of w x h pixels by libwebp, piece by piece: a context that ends ends it after a piece. OpenCV would
// decode it in one call, which takes seconds for the largest images.
func decodeVP8(ctx context.Context, b []byte, w, h int) (*Picture, error) {
	return filled(w, h, func(p *Picture) error {
		var stop atomic.Int32 // that C reads while it decodes
		defer context.AfterFunc(ctx, func() { stop.Store(1) })()
		var status C.int
		switch C.rn_vp8_decode((*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.int(w), C.int(h), (*C.uint8_t)(unsafe.Pointer(&b[0])),
			C.size_t(len(b)), (*C.int32_t)(unsafe.Pointer(&stop)), &status) {
		case C.RN_VP8_OK:
			return nil
		case C.RN_VP8_STOPPED:
			return context.Cause(ctx)
		}
		if status >= 0 && int(status) < len(vp8Faults) {
			return fmt.Errorf("libwebp: %s", vp8Faults[status])
		}
		return fmt.Errorf("libwebp: status %d", status)
	})
}

// vp8Faults are the meanings of libwebp's VP8StatusCode.
var vp8Faults = []string{"no fault", "out of memory", "invalid parameter", "the data are damaged", "a feature that it lacks", "the data are cut",
	"stopped by the caller", "the data are cut"}
