package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
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

// Part adds a view of the values of x from offset on, in any shape, without a copy.
func Part(x *G.Node, offset int, shape ...int) (*G.Node, error) {
	return Apply(&part{offset, tensor.Shape(shape)}, x)
}

type part struct {
	offset int
	shape  tensor.Shape
}

func (*part) Name() string { return "Part" }

func (p *part) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 || p.offset < 0 || p.offset+p.shape.TotalSize() > in[0].TotalSize() {
		return nil, fmt.Errorf("%v from %d on is not in it", p.shape, p.offset)
	}
	return p.shape.Clone(), nil
}

func (p *part) Offset(tensor.Shape) int { return p.offset }

func (p *part) Forward(engine.Engine, *tensor.Dense, []*tensor.Dense) error {
	panic("nn: a view computes nothing")
}
