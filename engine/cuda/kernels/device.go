//go:build gpu && linux && amd64

package kernels

// #cgo CPPFLAGS: -I${SRCDIR}/../driver/include
// #cgo CXXFLAGS: -O3 -std=c++17 -fopenmp-simd
// #cgo LDFLAGS: -lstdc++
// #include "host.h"
import "C"

import (
	"embed"

	"retinago/engine/cuda/driver"
	_ "retinago/engine/formula" // elementary.h includes its header
)

// Sources are the kernels' files; all.cu includes the others. Embedding also makes the build see their changes.
//
//go:embed *.cu boxes.h device.h elementary.h iou.h
var Sources embed.FS

// Driver is the host's libcuda.
func Driver() *driver.Library { return driver.Static(C.retinago_host_cuda) }

// CuDNN is the library of convolutions.
func CuDNN() *driver.Library { return driver.Static(C.retinago_host_cudnn) }

// CuBLASLt is the library of products of matrices.
func CuBLASLt() *driver.Library { return driver.Static(C.retinago_host_cublaslt) }

// SetThreads is the number of threads of every block from now on, a power of two up to 256; 1 to begin with.
func SetThreads(n int) { C.retinago_host_threads(C.int(n)) }

// SetCapacity is the device's memory, 1 GB to begin with.
func SetCapacity(bytes int64) { C.retinago_host_capacity(C.int64_t(bytes)) }

// EarlyCopies has copies from pinned memory run as soon as events allow, which shows that one should have waited for other work; to
// begin with they run as late as that, which shows that other work should have waited for one.
func EarlyCopies(on bool) {
	n := 0
	if on {
		n = 1
	}
	C.retinago_host_early_copies(C.int(n))
}

// MathType is cuDNN's number of the arithmetic that was last asked for: 0 may be TF32, 3 is float32.
func MathType() int { return int(C.retinago_host_math()) }

// Products is how many products of matrices cuBLASLt was asked for, and its number of the arithmetic of the last: 68 is float32, 77
// may be TF32.
func Products() (n int64, compute int) {
	var c C.int
	n = int64(C.retinago_host_products(&c))
	return n, int(c)
}

// Counts are what the device has in use, and what it was asked for since the program began.
type Counts struct {
	Bytes    int64 // allocated now
	Launches int64
	Waits    int64 // of the host, for streams and events that were not done
}

// Count returns the counts.
func Count() Counts {
	var b, l, w C.int64_t
	C.retinago_host_counts(&b, &l, &w)
	return Counts{int64(b), int64(l), int64(w)}
}

// Graphs is how many recordings there are, and how often one was repeated.
func Graphs() (live, replays int64) {
	var l, r C.int64_t
	C.retinago_host_graphs(&l, &r)
	return int64(l), int64(r)
}
