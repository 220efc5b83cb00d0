//go:build gpu && linux && amd64

package cuda

// #cgo CPPFLAGS: -I${SRCDIR}/driver/include
// #include "cudnn.h"
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"retinago/engine/cuda/driver"
)

var library struct {
	sync.Mutex
	open bool
	err  error
}

// openCuDNN opens the machine's cuDNN 9, once.
func openCuDNN() error {
	library.Lock()
	defer library.Unlock()
	if library.open {
		return library.err
	}
	library.open = true
	l, err := driver.Load("libcudnn.so.9", "libcudnn.so")
	if err != nil {
		library.err = fmt.Errorf("cuda: cuDNN 9 is not on this machine: %w", err)
		return library.err
	}
	library.err = useCuDNN(l)
	return library.err
}

// ReplaceCuDNN makes another library the source of convolutions from now on. Tests give one of their own.
func ReplaceCuDNN(l *driver.Library) error {
	library.Lock()
	defer library.Unlock()
	library.open, library.err = true, useCuDNN(l)
	return library.err
}

func useCuDNN(l *driver.Library) error {
	functions := unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(&C.retinago_cudnn_functions)), 64)
	names := unsafe.Slice((**C.char)(unsafe.Pointer(&C.retinago_cudnn_names)), 64)
	for i := 0; names[i] != nil; i++ {
		name := C.GoString(names[i])
		f := l.Symbol(name)
		if f == nil {
			return fmt.Errorf("cuda: this cuDNN has no %s; version 9 has", name)
		}
		functions[i] = f
	}
	return nil
}

// cudnnError is the error of a status, nil for 0.
func cudnnError(what string, status C.int) error {
	if status == 0 {
		return nil
	}
	return fmt.Errorf("cuda: %s: cuDNN: %s (%d)", what, C.GoString(C.retinago_cudnn_message(status)), int(status))
}
