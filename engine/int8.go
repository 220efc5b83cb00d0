package engine

import "gorgonia.org/tensor"

// Int8 is an engine that also computes networks in 8 bits. Activations are uint8 tensors N,H,W,C with one Affine each, weights
// int8 with a scale per output channel; products are summed exactly, in int32.
type Int8 interface {
	// PackInt8 returns weights [K,C/G,R,S] in the layout of ConvInt8's kernels. The tensor is New's.
	PackInt8(w []int8, s Int8Shape) (*tensor.Dense, error)
	// ConvInt8: y [N,OH,OW,K] = act(scale [K] * (init [K] + x [N,H,W,C] * w) + bias [K] + p.Residual * res). y is float32, or
	// uint8 and then rounded to the nearest (ties to even) and moved by p.Zero. scale, bias and p are in units of y, init is
	// int32. res is uint8 like y, or nil. Up to 3 bytes beyond the end of x are read.
	ConvInt8(y, x, packed, init, scale, bias, res *tensor.Dense, p Int8Params) error
	// Quantize rounds float32 to uint8; Dequantize goes back.
	Quantize(y, x *tensor.Dense, a Affine) error
	Dequantize(y, x *tensor.Dense, a Affine) error
	// LookupInt8: y = table[x].
	LookupInt8(y, x *tensor.Dense, table *[256]uint8) error
	MaxPoolInt8(y, x *tensor.Dense, p PoolParams) error
	// UpsampleAddInt8 is UpsampleAdd between tensors of their own Affines.
	UpsampleAddInt8(y, top, lateral *tensor.Dense, ya, ta, la Affine) error
}

// Affine is what a byte stands for: Scale * (q - Zero).
type Affine struct {
	Scale float32
	Zero  uint8
}

// Int8Shape is the shape of a convolution's weights.
type Int8Shape struct{ K, C, R, S, Groups int } // C is of the input: each filter has C/Groups

// Int8Params describes a convolution in 8 bits. Its Activation is not read.
type Int8Params struct {
	ConvParams
	Int8Shape
	Border   uint8   // what padding is: the zero of x
	Residual float32 // scale of res, in units of y
	// The activation is v < 0 ? Slope*v : v, clamped to Least and Most.
	Slope, Least, Most float32
	Zero               uint8 // of y
}
