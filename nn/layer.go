package nn

import (
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Layer is one operation of a plan, for listings.
type Layer struct {
	// Name is the module of the operation's weights, such as "backbone.body.layer1.0.conv1". An operation without any has
	// the name of the layer that feeds it, one of a gradient the name of the layer that it differentiates.
	Name  string
	Op    string // Kernel.Name, or "Sum" for gorgonia's sums of gradients
	Back  bool   // of the backward pass
	Shape tensor.Shape
	FLOPs int64
	// Stride is a convolution's, of the forward pass; 0 of others.
	Stride int
	// Activation is the activation at the end of a layer of the forward pass.
	Activation engine.Activation
}

// describer is a Kernel that sets the fields of its Layer which only some operations have.
type describer interface{ describe(l *Layer) }

// Layers lists the operations in the order in which they run.
func (p *Plan) Layers() []Layer {
	l := make([]Layer, len(p.order))
	for i, n := range p.order {
		l[i] = LayerOf(n)
	}
	return l
}

// LayerOf returns the operation whose result a node is.
func LayerOf(n *G.Node) Layer {
	l := Layer{Name: layerAt(n), Op: "Sum", Back: true, Shape: n.Shape(), FLOPs: flops(n)}
	if o, ok := n.Op().(*op); ok {
		l.Op, l.Back = o.k.Name(), o.back
		if k, ok := o.k.(describer); ok {
			k.describe(&l)
		}
	}
	return l
}

// claim gives the name of o's layer to the operations that o's gradient added: those with numbers after before.
func (o *op) claim(n *G.Node, before uint32) {
	if n == nil {
		return
	}
	if g, ok := n.Op().(*op); ok && g.id > before {
		g.layer, g.back = o.layer, true
		for _, c := range children(n) {
			o.claim(c, before)
		}
	}
}

// layerOf is the layer of an operation on in: the module of its weights or, without any, the layer of the operation that
// was added last among those that feed it.
func layerOf(in []*G.Node) string {
	feeding, last := "", uint32(0)
	for _, n := range in {
		if n == nil {
			continue
		}
		switch o := n.Op().(type) {
		case nil:
			if module, ok := strings.CutSuffix(n.Name(), ".weight"); ok {
				return module
			}
		case *op:
			if o.id > last {
				feeding, last = o.layer, o.id
			}
		default:
			feeding = layerAt(n)
		}
	}
	return feeding
}

// layerAt is the layer of an operation's result, for a sum of gradients that of a summand.
func layerAt(n *G.Node) string {
	if o, ok := n.Op().(*op); ok {
		return o.layer
	}
	return layerOf(children(n))
}
