package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// ReLU adds y = max(x, 0).
func ReLU(x *G.Node) (*G.Node, error) { return Apply(relu{}, x) }

// Add adds y = a + b, or max(a + b, 0) with relu: the end of a residual block.
func Add(a, b *G.Node, relu bool) (*G.Node, error) { return Apply(&addReLU{relu}, a, b) }

type relu struct{}

func (relu) Name() string                                  { return "ReLU" }
func (relu) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }
func (relu) WRT(n int) []bool                              { return all(n) }

func (relu) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ReLU(out, in[0])
}

func (relu) Gradient(_ G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(reluGrad{}, dout, out)
	return G.Nodes{dx}, err
}

// reluGrad is dy where y > 0: (dy, y) -> dx.
type reluGrad struct{}

func (reluGrad) Name() string { return "ReLUGrad" }

func (reluGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("shapes differ")
	}
	return in[0].Clone(), nil
}

func (reluGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ReLUGrad(out, in[0], in[1])
}

type addReLU struct{ relu bool }

func (*addReLU) Name() string     { return "Add" }
func (*addReLU) WRT(n int) []bool { return all(n) }

func (*addReLU) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("shapes differ")
	}
	return in[0].Clone(), nil
}

func (a *addReLU) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.AddReLU(out, in[0], in[1], a.relu)
}

func (a *addReLU) Gradient(_ G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	if !a.relu {
		return G.Nodes{dout, dout}, nil
	}
	m, err := Apply(reluGrad{}, dout, out)
	return G.Nodes{m, m}, err
}
