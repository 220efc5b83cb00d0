package nn

import (
	"math"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Quantizable is a Kernel that can be a part of a network of 8 bits.
type Quantizable interface {
	Kernel
	Int8() Int8Form
}

// Int8Form is an operation's form in a network of 8 bits. One with neither Conv nor Bytes computes on float32 alone; what it reads is
// converted where it is in bytes.
type Int8Form struct {
	// Suffix and After name the result, whose range a scheme keeps: ".Suffix" follows the name of the input at position After. Without
	// a Suffix the name is that of the module of the parameter at position 1.
	Suffix string
	After  int

	// Conv is set for a convolution whose weights can be s8. It computes on bytes where the scheme has its weights.
	Conv *Int8Conv

	// Bytes is set for an operation that computes on bytes where all its inputs are bytes. It returns the kernel for a result y and
	// inputs x.
	Bytes func(y engine.Affine, x []engine.Affine) Int8Kernel
	// Chooses marks a Bytes whose results are values of input 0, so that they have its range.
	Chooses bool
}

// Int8Kernel writes y [N,H,W,C] from x, all of them in bytes.
type Int8Kernel func(e engine.Int8, y *tensor.Dense, x []*tensor.Dense) error

// Int8Conv is a convolution of input 0 with the weights at position 1. Scale, Bias and Residual are positions too, 0 where it has none.
type Int8Conv struct {
	engine.ConvParams
	Scale, Bias, Residual int
}

// Lookup is a function of every element, on bytes: a table of 256 entries.
func Lookup(f func(x float32) float32) func(y engine.Affine, x []engine.Affine) Int8Kernel {
	return func(y engine.Affine, x []engine.Affine) Int8Kernel {
		table := tableOf(f, y, x[0])
		return func(e engine.Int8, y *tensor.Dense, x []*tensor.Dense) error { return e.LookupInt8(y, x[0], table) }
	}
}

// tableOf is f from bytes to bytes.
func tableOf(f func(x float32) float32, y, x engine.Affine) *[256]uint8 {
	var table [256]uint8
	for q := range table {
		v := f(x.Scale * float32(q-int(x.Zero)))
		table[q] = uint8(min(max(math.RoundToEven(float64(v/y.Scale))+float64(y.Zero), 0), 255))
	}
	return &table
}
