package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// ReLU adds y = x > 0 ? min(x, r.Cap) : r.Slope*x, which for the zero value is max(x, 0).
func ReLU(x *G.Node, r engine.Rectifier) (*G.Node, error) { return Apply(relu{r}, x) }

// Add adds y = a + b, or max(a + b, 0) with relu: the end of a residual block.
func Add(a, b *G.Node, relu bool) (*G.Node, error) { return Apply(&addReLU{relu}, a, b) }

type relu struct{ r engine.Rectifier }

func (relu) Name() string                                  { return "ReLU" }
func (relu) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }
func (relu) WRT(n int) []bool                              { return all(n) }

func (r relu) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ReLU(out, in[0], r.r)
}

func (r relu) Gradient(_ G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(reluGrad{r.r}, dout, out)
	return G.Nodes{dx}, err
}

// reluGrad is the gradient of a ReLU by its output: (dy, y) -> dx.
type reluGrad struct{ r engine.Rectifier }

func (reluGrad) Name() string { return "ReLUGrad" }

func (reluGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("shapes differ")
	}
	return in[0].Clone(), nil
}

func (r reluGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ReLUGrad(out, in[0], in[1], r.r)
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
