package engine

import (
	"errors"

	"gorgonia.org/tensor"
)

// HostMemory is an engine whose tensors the host reads where they lie.
type HostMemory interface {
	// Floats are the values of a float32 tensor.
	Floats(t *tensor.Dense) []float32
}

// Limited is an engine with memory of its own, beside the host's.
type Limited interface {
	// Memory returns the bytes that are free for tensors, and all.
	Memory() (free, total int64, err error)
	// Held is the bytes that the engine holds.
	Held() int64
}

// ErrMemory is in the error of what does not fit into the memory of a Limited, or into the host's for an engine that computes there.
var ErrMemory = errors.New("out of memory")
