package weights

import (
	"fmt"
	"io/fs"
	"math/bits"
)

// Tensor is a named array, the last axis varying fastest.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Spec is the name and shape that a model wants, or that a file gets.
type Spec struct {
	Name  string
	Shape []int
	Int8  bool // stored as I8; else as F32
}

// List is tensors in memory, to be read like those of a file.
type List []Tensor

// Names are the tensors in their order.
func (l List) Names() []string {
	out := make([]string, len(l))
	for i, t := range l {
		out[i] = t.Name
	}
	return out
}

// Tensor returns the tensor of that name. The error of a name that is not there is an fs.ErrNotExist.
func (l List) Tensor(name string) (Tensor, error) {
	for _, t := range l {
		if t.Name == name {
			return t, nil
		}
	}
	return Tensor{}, fmt.Errorf("weights: no tensor %q: %w", name, fs.ErrNotExist)
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
