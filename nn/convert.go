package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Narrow adds x as the engine keeps activations: x itself where that is its type.
func (b *Builder) Narrow(x *G.Node) *G.Node {
	return b.convert(x, engine.PrecisionOf(b.engine).Activations())
}

// Widen adds x as float32: x itself where it is.
func (b *Builder) Widen(x *G.Node) *G.Node { return b.convert(x, tensor.Float32) }

func (b *Builder) convert(x *G.Node, to tensor.Dtype) *G.Node {
	if b.err != nil || x.Dtype() == to {
		return x
	}
	return b.Check(Apply(&convert{to}, x))
}

// convert changes the type of values.
type convert struct{ to tensor.Dtype }

func (*convert) Name() string                                  { return "Convert" }
func (*convert) WRT(n int) []bool                              { return all(n) }
func (*convert) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }
func (c *convert) Dtype() tensor.Dtype                         { return c.to }
func (c *convert) Repeat() Kernel                              { return &convert{c.to} }

// Export adds nothing: an exported model is float32.
func (*convert) Export(_ Exporter, in []Operand) (string, error) { return in[0].Name, nil }

func (c *convert) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	m, ok := engine.As[engine.Mixed](e, engine.HalfPrecision)
	if !ok {
		return fmt.Errorf("%s converts nothing", e.Name())
	}
	return m.Convert(out, in[0])
}

func (c *convert) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(&convert{in[0].Dtype()}, dout)
	return G.Nodes{dx}, err
}
