package nn

import (
	G "gorgonia.org/gorgonia"

	"retinago/engine"
)

// What Plan.Walk calls operations by. Inputs are in the order of the operation's own function; those
// that are optional are there where the description says so.
type (
	// ConvLayer: x, weights, then scale, bias and residual.
	ConvLayer struct {
		engine.ConvParams
		Scale, Bias, Residual bool
	}
	// PoolLayer is MaxPool's: x.
	PoolLayer struct{ engine.PoolParams }
	// UpsampleAddLayer: top, lateral.
	UpsampleAddLayer struct{}
	// ActivationLayer: x.
	ActivationLayer struct{ engine.Activation }
	// AddLayer: two summands.
	AddLayer struct{ engine.Activation }
	// GroupNormLayer: x, gamma, beta.
	GroupNormLayer struct{ engine.NormParams }
	// BatchNormLayer is a norm by the batch's statistics: x, gamma, beta.
	BatchNormLayer struct{ engine.NormParams }
)

// described is a Kernel that describes itself.
type described interface{ describe() any }

func (c *conv) describe() any     { return ConvLayer{c.p, c.scale, c.bias, c.residual} }
func (m *maxPool) describe() any  { return PoolLayer{m.p} }
func (upsampleAdd) describe() any { return UpsampleAddLayer{} }
func (a activate) describe() any  { return ActivationLayer{a.a} }
func (s *sum) describe() any      { return AddLayer{s.act} }

func (n *norm) describe() any {
	if n.batch {
		return BatchNormLayer{n.p}
	}
	return GroupNormLayer{n.p}
}

// Walk calls f with every operation in the order of the plan, its inputs and one of the Layer types, nil for an operation
// that is none of them.
func (p *Plan) Walk(f func(n *G.Node, in []*G.Node, layer any) error) error {
	for _, n := range p.order {
		var layer any
		if o, ok := n.Op().(*op); ok {
			if d, ok := o.k.(described); ok {
				layer = d.describe()
			}
		}
		if err := f(n, children(n), layer); err != nil {
			return err
		}
	}
	return nil
}
