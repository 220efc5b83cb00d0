package quant

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"retinago/engine"
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
	made    map[int]bool // whether as bytes; by number, as all of these
	wanted  map[int]*forms
	bytes   map[int]*value
	floats  map[int]*value
}

func (n *Net) compile(g Graph, w *Weights) error {
	ops, err := g.operations()
	if err != nil {
		return err
	}
	c := &compiler{Net: n, graph: g, weights: w, made: map[int]bool{}, wanted: map[int]*forms{},
		bytes: map[int]*value{}, floats: map[int]*value{}}
	if w != nil {
		var ok bool
		if c.int8, ok = engine.As[engine.Int8](n.engine, engine.EightBit); !ok {
			return errNoInt8
		}
	}
	c.forms(ops)
	images := g.Values[g.Images]
	if images.Tensor == nil {
		return fmt.Errorf("quant: the images have no place")
	}
	n.images = &value{shape: images.Shape, t: images.Tensor}
	c.floats[g.Images] = n.images
	if err := c.convert(g.Images, imagesName); err != nil {
		return err
	}
	for _, o := range ops {
		if err := c.operation(o); err != nil {
			return fmt.Errorf("quant: %s: %w", o.name, err)
		}
		if err := c.convert(o.number, o.name); err != nil {
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
	want := func(n int) *forms {
		if c.wanted[n] == nil {
			c.wanted[n] = &forms{}
		}
		return c.wanted[n]
	}
	for _, o := range ops {
		switch {
		case o.form.Conv != nil:
			c.made[o.number] = c.isInt8(o)
		case o.form.Bytes != nil:
			c.made[o.number] = !slices.ContainsFunc(o.In, func(n int) bool { return !c.made[n] })
		}
		if c.graph.isHead(o.number) {
			want(o.number).floats = true
		}
	}
	for _, o := range slices.Backward(ops) {
		bytes := c.made[o.number]
		if o.form.Conv != nil && !want(o.number).bytes {
			c.made[o.number] = false
		}
		for _, in := range c.graph.maps(o) {
			f := want(in)
			f.bytes, f.floats = f.bytes || bytes, f.floats || !bytes
		}
	}
}

func (c *compiler) isInt8(o *operation) bool {
	return c.weights != nil && c.weights.has(o.conv)
}

// convert makes the other form of a result where it is wanted.
func (c *compiler) convert(n int, name string) error {
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
	if o.form.Conv != nil {
		if c.isInt8(o) {
			return c.conv(o)
		}
		c.counts.Float++
	}
	if c.made[o.number] {
		return c.byteLayer(o)
	}
	return c.floatLayer(o)
}

// byteLayer adds a layer without parameters on bytes.
func (c *compiler) byteLayer(o *operation) error {
	var in []*value
	var affine []engine.Affine
	for _, n := range o.In {
		in, affine = append(in, c.bytes[n]), append(affine, c.bytes[n].affine)
	}
	y := &value{shape: o.Shape, bytes: true, affine: affine[0]}
	if !o.form.Chooses {
		var err error
		if y, err = c.byteValue(o.name, o.Shape); err != nil {
			return err
		}
	}
	kernel, x := o.form.Bytes(y.affine, affine), make([]*tensor.Dense, len(in))
	c.add(step{o.name, o.Layer, y, func() error {
		for i, v := range in {
			x[i] = v.t
		}
		return kernel(c.int8, y.t, x)
	}}, in...)
	c.bytes[o.number] = y
	return nil
}

// floatLayer adds a layer on float32.
func (c *compiler) floatLayer(o *operation) error {
	kernel, free, err := c.graph.Instance(c.engine, o.number)
	if err != nil {
		return err
	}
	c.free = append(c.free, free)
	var reads []*value // of the arena
	in, x := make([]*value, len(o.In)), make([]*tensor.Dense, len(o.In))
	for i, n := range o.In {
		if in[i] = c.floats[n]; in[i] != nil {
			reads = append(reads, in[i])
		} else if x[i], err = c.graph.param(o, i); err != nil {
			return err
		}
	}
	y := &value{shape: o.Shape}
	c.add(step{o.name, o.Layer, y, func() error {
		for i, v := range in {
			if v != nil {
				x[i] = v.t
			}
		}
		return kernel.Forward(c.engine, y.t, x)
	}}, reads...)
	c.floats[o.number] = y
	return nil
}
