//go:build gpu && linux && amd64

package cuda

// #cgo CPPFLAGS: -I${SRCDIR}/driver/include
// #include "cudnn.h"
import "C"

import (
	"fmt"
	"unsafe"

	"retinago/engine/cuda/driver"
)

var cudnn = library{title: "cuDNN 9", files: func() []string { return []string{"libcudnn.so.9"} },
	names: unsafe.Pointer(&C.retinago_cudnn_names), functions: unsafe.Pointer(&C.retinago_cudnn_functions),
	before: func() { // cuDNN asks the linker for these two when it needs them, and takes what is open wherever it was
		cublaslt.open()
		driver.Load(driver.Places(ofCUDA("libnvrtc.so")...)...)
	}}

// ReplaceCuDNN makes another library the source of convolutions from now on. Tests give one of their own.
func ReplaceCuDNN(l *driver.Library) error { return cudnn.replace(l) }

// cudnnError is the error of a status, nil for 0.
func cudnnError(what string, status C.int) error {
	if status == 0 {
		return nil
	}
	return fmt.Errorf("cuda: %s: cuDNN: %s (%d)", what, C.GoString(C.retinago_cudnn_message(status)), int(status))
}
