//go:build gpu && linux && amd64

package cuda

// #cgo CPPFLAGS: -I${SRCDIR}/driver/include
// #include "cublaslt.h"
import "C"

import (
	"fmt"
	"unsafe"

	"retinago/engine/cuda/driver"
)

var cublaslt = library{title: "cuBLASLt", files: func() []string { return ofCUDA("libcublasLt.so") },
	names: unsafe.Pointer(&C.retinago_cublaslt_names), functions: unsafe.Pointer(&C.retinago_cublaslt_functions)}

// ReplaceCuBLASLt makes another library the source of products of matrices for engines that start from now on; with nil there is
// none. Tests give one of their own.
func ReplaceCuBLASLt(l *driver.Library) error { return cublaslt.replace(l) }

// cublasltError is the error of a status, nil for 0.
func cublasltError(what string, status C.int) error {
	if status == 0 {
		return nil
	}
	return fmt.Errorf("cuda: %s: cuBLASLt: %s (%d)", what, C.GoString(C.retinago_cublaslt_message(status)), int(status))
}
