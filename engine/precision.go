package engine

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"
)

// Precision is how an engine multiplies and what it keeps activations in. Parameters, their gradients, statistics and sums are float32
// with all of them.
type Precision int

const (
	Float32 Precision = iota // everything
	TF32                     // convolutions multiply with 10 bits of fraction; everything is stored in float32
	BF16                     // activations and their gradients have 8 bits of exponent and 7 of fraction
	FP16                     // 5 and 10: gradients are scaled, so that fewer of them are rounded to 0
)

var precisions = []string{"float32", "tf32", "bf16", "fp16"}

func (p Precision) String() string { return precisions[p] }

// ParsePrecision is the precision of a name.
func ParsePrecision(name string) (Precision, error) {
	for i, n := range precisions {
		if n == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("engine: unknown precision %q; there are %s", name, strings.Join(precisions, ", "))
}

// Activations is the type of activations and their gradients.
func (p Precision) Activations() tensor.Dtype {
	if p == BF16 || p == FP16 {
		return Half
	}
	return tensor.Float32
}

// Half is the type of tensors of 16 bits. Their form, bf16 or fp16, is the engine's.
var Half = tensor.Uint16

// Mixed is an engine that may keep activations in 16 bits. Where it does, the activations of a call (x, y, res, top, lateral, and their
// gradients) are all Half; what is per channel, per image or of a parameter is float32, and losses take float32.
type Mixed interface {
	Precision() Precision
	// Convert copies between float32 and Half. Values are rounded to the nearest, ties to even; what is too large is infinite.
	Convert(y, x *tensor.Dense) error
}

// PrecisionOf is an engine's precision.
func PrecisionOf(e Engine) Precision {
	if m, ok := As[Mixed](e, HalfPrecision); ok {
		return m.Precision()
	}
	return Float32
}
