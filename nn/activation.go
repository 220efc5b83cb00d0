package nn

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Activate adds y = a(x); x itself for None.
func Activate(x *G.Node, a engine.Activation) (*G.Node, error) {
	if a == engine.None {
		return x, nil
	}
	return Apply(activate{a}, x)
}

// Add adds y = act(a + b): the end of a residual block.
func Add(a, b *G.Node, act engine.Activation) (*G.Node, error) {
	if act.Plain() {
		return Apply(&sum{act}, a, b)
	}
	y, err := Apply(&sum{}, a, b)
	if err != nil {
		return nil, err
	}
	return Activate(y, act)
}

type activate struct{ a engine.Activation }

func (activate) Name() string                                  { return "Activate" }
func (activate) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }
func (activate) WRT(n int) []bool                              { return all(n) }
func (a activate) Repeat() Kernel                              { return a }
func (a activate) describe(l *Layer)                           { l.Activation = a.a }
func (a activate) Int8() Int8Form                              { return Int8Form{Suffix: "relu", Bytes: Lookup(a.a.Value)} }

func (a activate) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.Activate(out, in[0], a.a)
}

func (a activate) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	at := in[0]
	if a.a.ByOutput() {
		at = out
	}
	dx, err := Apply(activateGrad(a), dout, at)
	return G.Nodes{dx}, err
}

func (a activate) Export(x Exporter, in []Operand) (string, error) {
	return exportActivation(x, in[0].Name, a.a), nil
}

// exportActivation adds the operators of an activation of a value, none for None.
func exportActivation(x Exporter, value string, a engine.Activation) string {
	switch a.Kind {
	case engine.Identity:
		return value
	case engine.Swish:
		return x.Op("Mul", []string{value, x.Op("Sigmoid", []string{value})})
	}
	low := float32(0)
	if a.Slope > 0 {
		value, low = x.Op("LeakyRelu", []string{value}, Attr("alpha", a.Slope)), -math.MaxFloat32
	}
	switch {
	case a.Cap > 0:
		return x.Clip(value, low, a.Cap)
	case a.Slope > 0:
		return value
	}
	return x.Op("Relu", []string{value})
}

// activateGrad is the gradient of an activation: (dy, v) -> dx, where v is the output, or the input.
type activateGrad struct{ a engine.Activation }

func (activateGrad) Name() string { return "ActivateGrad" }

func (activateGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("shapes differ")
	}
	return in[0].Clone(), nil
}

func (a activateGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ActivateGrad(out, in[0], in[1], a.a)
}

// sum is a + b with a Plain activation.
type sum struct{ act engine.Activation }

func (*sum) Name() string        { return "Add" }
func (*sum) WRT(n int) []bool    { return all(n) }
func (s *sum) describe(l *Layer) { l.Activation = s.act }
func (*sum) Int8() Int8Form      { return Int8Form{Suffix: "sum"} }

func (s *sum) Export(x Exporter, in []Operand) (string, error) {
	return exportActivation(x, x.Op("Add", []string{in[0].Name, in[1].Name}), s.act), nil
}

func (*sum) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("shapes differ")
	}
	return in[0].Clone(), nil
}

func (s *sum) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.Sum(out, in[0], in[1], s.act)
}

func (s *sum) Gradient(_ G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	if s.act == engine.None {
		return G.Nodes{dout, dout}, nil
	}
	m, err := Apply(activateGrad{s.act}, dout, out)
	return G.Nodes{m, m}, err
}
