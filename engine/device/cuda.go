//go:build gpu && linux && amd64

package device

import (
	"fmt"

	"retinago/engine"
	"retinago/engine/cuda"
)

// errNoGPU is nil: this program has GPUs.
var errNoGPU error

func openCUDA(n int, p engine.Precision) (Engine, error) {
	e, err := cuda.New(cuda.Options{Device: n, Precision: p})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// GPUs describes what there is for GPUs, line by line.
func GPUs() []string {
	lines := cuda.Libraries()
	all, err := cuda.Devices()
	if err != nil {
		return lines
	}
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%v, compute capability %d.%d, %d MB", d, d.Major, d.Minor, d.Bytes>>20))
	}
	return lines
}
