//go:build gpu && linux && amd64

package driver

// #include "load.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
)

var (
	mu     sync.Mutex
	opened bool
	failed error
)

// Open opens the machine's driver; later calls return what the first found.
func Open() error {
	mu.Lock()
	defer mu.Unlock()
	if opened {
		return failed
	}
	opened = true
	l, err := Load("libcuda.so.1")
	if err != nil {
		failed = fmt.Errorf("driver: no NVIDIA driver on this machine: %w", err)
		return failed
	}
	failed = start(l)
	return failed
}

// Replace makes another library the driver from now on, such as a device for tests.
func Replace(l *Library) error {
	mu.Lock()
	defer mu.Unlock()
	opened, failed = true, start(l)
	return failed
}

func start(l *Library) error {
	switch r := C.retinago_cuda_open(l.find, l.handle); r {
	case C.CUDA_SUCCESS:
		return nil
	case C.CUDA_ERROR_NO_DEVICE:
		return errors.New("driver: the NVIDIA driver finds no GPU")
	default:
		return fmt.Errorf("driver: the NVIDIA driver does not start: CUDA error %d", int(r))
	}
}
