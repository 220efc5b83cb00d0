package weights

import (
	"fmt"
	"math/bits"
)

// Tensor is a named array, the last axis varying fastest.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Spec is the name and shape that a model wants.
type Spec struct {
	Name  string
	Shape []int
}

// elements is the product of a shape, 1 for a scalar.
func elements(shape []int) (int, error) {
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<62 {
			return 0, fmt.Errorf("shape %v has more elements than can be", shape)
		}
		n = lo
	}
	return int(n), nil
}
