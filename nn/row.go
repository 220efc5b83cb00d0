package nn

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// row is one row of a matrix, without a copy: [R,C] -> [C].
type row struct{ i int }

func (*row) Name() string { return "Row" }

func (r *row) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 2); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1]}, nil
}

func (r *row) Offset(in tensor.Shape) int { return r.i * in[1] }

func (r *row) Forward(engine.Engine, *tensor.Dense, []*tensor.Dense) error {
	panic("nn: a view computes nothing")
}
