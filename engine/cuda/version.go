//go:build gpu && linux && amd64

package cuda

// #include "cublaslt.h"
// #include "cudnn.h"
import "C"

import (
	"fmt"
	"os"
	"regexp"

	"gorgonia.org/cu"

	"retinago/engine/cuda/driver"
)

// Libraries returns the versions of the driver, of cuDNN and of cuBLASLt, or why there is none.
func Libraries() (text []string) {
	if err := driver.Open(); err != nil {
		return []string{err.Error()}
	}
	v := cu.Version()
	text = append(text, fmt.Sprintf("driver %sfor CUDA %d.%d", driverVersion("/proc/driver/nvidia/version"), v/1000, v%1000/10))
	if err := cudnn.open(); err != nil {
		text = append(text, err.Error())
	} else {
		text = append(text, "cuDNN "+versionOf(C.retinago_cudnn_version()))
	}
	if err := cublaslt.open(); err != nil {
		return append(text, err.Error()+"; cuDNN computes 1x1 convolutions too")
	}
	return append(text, "cuBLASLt "+versionOf(C.retinago_cublaslt_version()))
}

// versionOf is 1.2.3 for 10203.
func versionOf(n C.size_t) string { return fmt.Sprintf("%d.%d.%d", n/10000, n%10000/100, n%100) }

var versionOfDriver = regexp.MustCompile(`Kernel Module[^\n]*?\s(\d+\.\d+(\.\d+)?)\s`)

// driverVersion returns a version such as "580.65.06 " from the file of the kernel module, since libcuda does not report it; empty if there
// is none.
func driverVersion(file string) string {
	text, _ := os.ReadFile(file)
	if m := versionOfDriver.FindSubmatch(text); m != nil {
		return string(m[1]) + " "
	}
	return ""
}
