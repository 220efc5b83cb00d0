//go:build gpu && linux && amd64

package cuda

// #include "../formula/constants.h"
// #include "cudnn.h"
import "C"

import (
	_ "embed"
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/tensor"
)

// ptx is the kernels' module, made by scripts/ptx.
//
//go:embed kernels.ptx
var ptx string

const (
	threads   = C.MOST_THREADS // of a block
	mostSums  = 1024           // blocks of a sum: each leaves a part
	mostRows  = 512            // blocks along the rows of sums by channel
	mostGrids = 1 << 16
)

// Arguments of kernels are values of 8 bytes.
func at(mem tensor.Memory) uint64 { return uint64(mem.Uintptr()) }
func long(n int) uint64           { return uint64(n) }
func float(v float32) uint64      { return uint64(math.Float32bits(v)) }

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// maybe is the address of a tensor's data, 0 for no tensor.
func maybe(t *tensor.Dense) uint64 {
	if t == nil {
		return 0
	}
	return at(t)
}

func size(t *tensor.Dense) int { return t.Shape().TotalSize() }

// launch queues a kernel.
func (e *Engine) launch(name string, grid [3]int, threads int, args ...uint64) error {
	f, ok := e.functions[name]
	if !ok {
		err := e.do(func() (err error) {
			f, err = e.module.Function(name)
			return err
		})
		if err != nil {
			return fmt.Errorf("cuda: kernel %s: %w", name, err)
		}
		e.functions[name] = f
	}
	r := C.retinago_launch(e.context(), *(*C.CUfunction)(unsafe.Pointer(&f)), C.uint(grid[0]), C.uint(grid[1]), C.uint(grid[2]), C.uint(threads),
		e.queue(), (*C.ulonglong)(unsafe.Pointer(&args[0])), C.int(len(args)))
	if r != C.CUDA_SUCCESS {
		return fmt.Errorf("cuda: kernel %s on %v: CUDA error %d", name, grid, int(r))
	}
	return nil
}

// each queues a kernel of n independent elements.
func (e *Engine) each(name string, n int, args ...uint64) error {
	if n == 0 {
		return nil
	}
	return e.launch(name, [3]int{min(blocks(n), mostGrids), 1, 1}, threads, args...)
}

func blocks(n int) int { return (n + threads - 1) / threads }

// sumBlocks is the grid of a sum over n elements.
func sumBlocks(n int) int { return max(1, min(blocks(n), mostSums)) }

// columns is how sums by channel are spread: blocks of channels, chunks of rows, rows of each chunk, threads of a block.
func columns(rows, c int) (wide, chunks, per, threadCount int) {
	threadCount = 32
	for threadCount < c && threadCount < threads {
		threadCount *= 2
	}
	chunks = max(1, min((rows+31)/32, mostRows))
	per = max(1, (rows+chunks-1)/chunks)
	return (c + threadCount - 1) / threadCount, max(1, (rows+per-1)/per), per, threadCount
}
