package quant

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/nn"
)

// forms are the forms in which a result is there, or wanted. A result that is made in one form and wanted in the other
// is converted once, right after it was made.
type forms struct{ bytes, floats bool }

// compiler turns operations into steps.
type compiler struct {
	*Net
	int8    engine.Int8
	graph   Graph
	weights *Weights
	made    map[*G.Node]bool // whether as bytes
	wanted  map[*G.Node]*forms
	bytes   map[*G.Node]*value
	floats  map[*G.Node]*value
}

func (n *Net) compile(g Graph, w *Weights) error {
	ops, err := g.operations()
	if err != nil {
		return err
	}
	c := &compiler{Net: n, graph: g, weights: w, made: map[*G.Node]bool{}, wanted: map[*G.Node]*forms{},
		bytes: map[*G.Node]*value{}, floats: map[*G.Node]*value{}}
	if w != nil {
		var ok bool
		if c.int8, ok = engine.As[engine.Int8](n.engine, engine.EightBit); !ok {
			return errNoInt8
		}
	}
	c.forms(ops)
	images, ok := g.Images.Value().(*tensor.Dense)
	if !ok {
		return fmt.Errorf("quant: the pictures have no place")
	}
	n.images = &value{shape: g.Images.Shape(), t: images}
	c.floats[g.Images] = n.images
	if err := c.convert(g.Images, imagesName); err != nil {
		return err
	}
	for _, o := range ops {
		if err := c.operation(o); err != nil {
			return fmt.Errorf("quant: %s: %w", o.name, err)
		}
		if err := c.convert(o.node, o.name); err != nil {
			return err
		}
	}
	for _, level := range g.Heads {
		for _, h := range level {
			c.outputs[h] = c.floats[h]
			c.floats[h].span.To = len(n.steps)
		}
	}
	n.place()
	return nil
}

// forms decides in which form each result is made, and in which it is wanted. An int8 convolution whose readers are all
// float gives floats itself.
func (c *compiler) forms(ops []*operation) {
	want := func(n *G.Node) *forms {
		if c.wanted[n] == nil {
			c.wanted[n] = &forms{}
		}
		return c.wanted[n]
	}
	for _, o := range ops {
		switch o.layer.(type) {
		case nn.ConvLayer:
			c.made[o.node] = c.isInt8(o)
		case nn.PoolLayer, nn.ActivationLayer:
			c.made[o.node] = c.made[o.in[0]]
		case nn.UpsampleAddLayer:
			c.made[o.node] = c.made[o.in[0]] && c.made[o.in[1]]
		}
		if c.graph.isHead(o.node) {
			want(o.node).floats = true
		}
	}
	for i := len(ops) - 1; i >= 0; i-- {
		o := ops[i]
		bytes := c.made[o.node]
		if _, ok := o.layer.(nn.ConvLayer); ok && !want(o.node).bytes {
			c.made[o.node] = false
		}
		for _, in := range activations(o) {
			f := want(in)
			f.bytes, f.floats = f.bytes || bytes, f.floats || !bytes
		}
	}
}

// activations are the inputs of an operation that are not parameters.
func activations(o *operation) []*G.Node {
	switch l := o.layer.(type) {
	case nn.ConvLayer:
		if l.Residual {
			return []*G.Node{o.in[0], o.in[len(o.in)-1]}
		}
		return o.in[:1]
	case nn.GroupNormLayer:
		return o.in[:1]
	}
	return o.in
}

func (c *compiler) isInt8(o *operation) bool {
	return c.weights != nil && c.weights.Has(o.conv)
}

// convert makes the other form of a result where it is wanted.
func (c *compiler) convert(n *G.Node, name string) error {
	w := c.wanted[n]
	switch {
	case w == nil:
	case w.bytes && c.bytes[n] == nil:
		x := c.floats[n]
		y, err := c.byteValue(name, x.shape)
		if err != nil {
			return err
		}
		c.add(step{name, conversion(quantize, name, y), y, func() error { return c.int8.Quantize(y.t, x.t, y.affine) }}, x)
		c.bytes[n] = y
	case w.floats && c.floats[n] == nil:
		x := c.bytes[n]
		y := &value{shape: x.shape}
		c.add(step{name, conversion(dequantize, name, y), y, func() error { return c.int8.Dequantize(y.t, x.t, x.affine) }}, x)
		c.floats[n] = y
	}
	return nil
}

// byteValue is a result in bytes, in the range that was found for its name.
func (c *compiler) byteValue(name string, shape tensor.Shape) (*value, error) {
	r, ok := c.weights.scheme.Ranges[name]
	if !ok {
		return nil, fmt.Errorf("quant: the scheme has no range for %s: it is of another network", name)
	}
	return &value{shape: shape, bytes: true, affine: r.Affine()}, nil
}

// operation adds the steps of one operation.
func (c *compiler) operation(o *operation) error {
	if l, ok := o.layer.(nn.ConvLayer); ok {
		if c.isInt8(o) {
			return c.conv(o, l)
		}
		c.counts.Float++
	}
	if c.made[o.node] {
		return c.byteLayer(o)
	}
	return c.floatLayer(o)
}

// byteLayer adds a layer without parameters on bytes.
func (c *compiler) byteLayer(o *operation) error {
	x := c.bytes[o.in[0]]
	y := &value{shape: o.node.Shape(), bytes: true, affine: x.affine} // a pool only chooses
	if _, ok := o.layer.(nn.PoolLayer); !ok {
		var err error
		if y, err = c.byteValue(o.name, o.node.Shape()); err != nil {
			return err
		}
	}
	in := []*value{x}
	var run func() error
	switch l := o.layer.(type) {
	case nn.PoolLayer:
		run = func() error { return c.int8.MaxPoolInt8(y.t, x.t, l.PoolParams) }
	case nn.ActivationLayer:
		table := tableOf(l.Activation, x.affine, y.affine)
		run = func() error { return c.int8.LookupInt8(y.t, x.t, table) }
	case nn.UpsampleAddLayer:
		lateral := c.bytes[o.in[1]]
		in = append(in, lateral)
		run = func() error { return c.int8.UpsampleAddInt8(y.t, x.t, lateral.t, y.affine, x.affine, lateral.affine) }
	}
	c.add(step{o.name, nn.LayerOf(o.node), y, run}, in...)
	c.bytes[o.node] = y
	return nil
}

// tableOf is an activation as a table from bytes to bytes.
func tableOf(a engine.Activation, x, y engine.Affine) *[256]uint8 {
	var table [256]uint8
	for q := range table {
		table[q] = byteOf(a.Value(x.Scale*float32(q-int(x.Zero))), y)
	}
	return &table
}

// floatLayer adds a layer on float32.
func (c *compiler) floatLayer(o *operation) error {
	var in []*value
	for _, n := range activations(o) {
		in = append(in, c.floats[n])
	}
	x, y := in[0], &value{shape: o.node.Shape()}
	var run func() error
	switch l := o.layer.(type) {
	case nn.ConvLayer:
		p, err := parametersOf(o.in, l)
		if err != nil {
			return err
		}
		res := func() *tensor.Dense {
			if l.Residual {
				return in[1].t
			}
			return nil
		}
		run = func() error { return c.engine.Conv(y.t, x.t, p.weights, p.scale, p.bias, res(), l.ConvParams) }
	case nn.GroupNormLayer:
		gamma, beta := o.in[1].Value().(*tensor.Dense), o.in[2].Value().(*tensor.Dense)
		stats, err := c.engine.New(tensor.Float32, 2, x.shape[0], l.Groups)
		if err != nil {
			return err
		}
		c.constants = append(c.constants, stats)
		run = func() error { return c.engine.GroupNorm(y.t, stats, x.t, gamma, beta, l.NormParams) }
	case nn.PoolLayer:
		run = func() error { return c.engine.MaxPool(y.t, x.t, l.PoolParams) }
	case nn.ActivationLayer:
		run = func() error { return c.engine.Activate(y.t, x.t, l.Activation) }
	case nn.UpsampleAddLayer:
		run = func() error { return c.engine.UpsampleAdd(y.t, x.t, in[1].t) }
	case nn.AddLayer:
		run = func() error { return c.engine.Sum(y.t, x.t, in[1].t, l.Activation) }
	}
	c.add(step{o.name, nn.LayerOf(o.node), y, run}, in...)
	c.floats[o.node] = y
	return nil
}
