//go:build gpu && linux && amd64

package cuda

import (
	"fmt"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Precision is what New was asked for.
func (e *Engine) Precision() engine.Precision { return e.precision }

// Convert copies x to y, which may be of another type: float32 or engine.Half.
func (e *Engine) Convert(y, x *tensor.Dense) error {
	to, from := y.Dtype(), x.Dtype()
	switch {
	case to == from:
		return e.Memcpy(y, x)
	case to == engine.Half && from == tensor.Float32:
		return e.each(e.of("narrow", y), size(y), at(y), at(x), long(size(y)))
	case to == tensor.Float32 && from == engine.Half:
		return e.each(e.of("widen", x), size(y), at(y), at(x), long(size(y)))
	}
	return fmt.Errorf("cuda: no conversion of %v to %v", from, to)
}

// of is the name of a kernel for activations that are stored as t is.
func (e *Engine) of(kernel string, t *tensor.Dense) string { return e.form(kernel, t.Dtype()) }

func (e *Engine) form(kernel string, dt tensor.Dtype) string {
	if dt != engine.Half {
		return kernel
	}
	return kernel + "_" + e.precision.String()
}
