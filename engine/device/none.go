//go:build !(gpu && linux && amd64)

package device

import (
	"errors"

	"retinago/engine"
)

// errNoGPU is why no GPU can be opened.
var errNoGPU = errors.New("device: this program is built without GPUs; make build TAGS=gpu on Linux on amd64 builds one with them")

func openCUDA(int, engine.Precision) (Engine, error) { return nil, errNoGPU }

// GPUs describes what there is for GPUs, line by line.
func GPUs() []string { return []string{"none: built without the tag gpu"} }
