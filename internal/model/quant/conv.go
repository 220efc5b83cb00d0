package quant

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Weights holds a model's int8 weights as its engine's kernels want them, one copy for the networks of all canvases.
type Weights struct {
	engine engine.Engine
	scheme *Scheme
	packed map[string]*packed
}

type packed struct {
	t    *tensor.Dense
	sums []int32 // of each output channel's weights
}

// NewWeights is the weights of a scheme, which are rounded and packed when a network first needs them.
func NewWeights(e engine.Engine, s *Scheme) *Weights {
	return &Weights{engine: e, scheme: s, packed: map[string]*packed{}}
}

// has reports whether a convolution is int8.
func (w *Weights) has(conv string) bool { return w.scheme.Weights[conv] != nil }

// Close frees the weights, after the networks that read them.
func (w *Weights) Close() {
	for _, p := range w.packed {
		w.engine.Release(p.t)
	}
	clear(w.packed)
}

// get returns a convolution's weights, from its parameter [K,C/G,R,S].
func (w *Weights) get(e engine.Int8, conv string, param *tensor.Dense, s engine.Int8Shape) (*packed, error) {
	if p := w.packed[conv]; p != nil {
		return p, nil
	}
	scales := w.scheme.Weights[conv]
	if len(scales) != s.K {
		return nil, fmt.Errorf("%d scales for %d channels", len(scales), s.K)
	}
	host := make([]float32, param.Shape().TotalSize())
	if err := w.engine.Download(host, param); err != nil {
		return nil, err
	}
	q := Round(host, scales)
	p := &packed{sums: make([]int32, s.K)}
	for i, v := range q {
		p.sums[i*s.K/len(q)] += int32(v)
	}
	var err error
	if p.t, err = e.PackInt8(q, s); err != nil {
		return nil, err
	}
	w.packed[conv] = p
	return p, nil
}

// parameters of a convolution, nil where it has none.
type parameters struct{ weights, scale, bias *tensor.Dense }

func (g Graph) parameters(o *operation) (p parameters, err error) {
	l := o.form.Conv
	for _, i := range []struct {
		at int
		to **tensor.Dense
	}{{1, &p.weights}, {l.Scale, &p.scale}, {l.Bias, &p.bias}} {
		if i.at == 0 {
			continue
		}
		if *i.to, err = g.param(o, i.at); err != nil {
			return p, err
		}
	}
	return p, nil
}

// conv adds an int8 convolution. With x = sx (qx - zx), w = sw qw and the norm's scale sn,
//
//	y = sx sw sn (sum of qx qw - zx sum of qw) + b + sr (qr - zr)
//
// of which the kernel gets everything in units of y, and the second sum as where the first begins.
func (c *compiler) conv(o *operation) error {
	l, x := o.form.Conv, c.bytes[o.In[0]]
	p, err := c.graph.parameters(o)
	if err != nil {
		return err
	}
	ws := p.weights.Shape()
	shape := engine.Int8Shape{K: ws[0], C: x.shape[3], R: ws[2], S: ws[3], Groups: max(l.Groups, 1)}
	w, err := c.weights.get(c.int8, o.conv, p.weights, shape)
	if err != nil {
		return err
	}
	y, unit := &value{shape: o.Shape}, float32(1)
	if c.made[o.number] {
		if y, err = c.byteValue(o.name, o.Shape); err != nil {
			return err
		}
		unit = y.affine.Scale
	}
	var res *value
	if l.Residual > 0 {
		res = c.bytes[o.In[l.Residual]]
	}
	f, err := c.fold(p, c.weights.scheme.Weights[o.conv], w.sums, x, res, unit)
	if err != nil {
		return err
	}
	q := engine.Int8Params{ConvParams: l.ConvParams, Int8Shape: shape, Border: x.affine.Zero, Zero: y.affine.Zero}
	q.Slope, q.Least, q.Most = rectifier(l.ConvParams, y, unit)
	in := []*value{x}
	residual := func() *tensor.Dense { return nil }
	if res != nil {
		q.Residual = res.affine.Scale / unit
		in = append(in, res)
		residual = func() *tensor.Dense { return res.t }
	}
	run := func() error { return c.int8.ConvInt8(y.t, x.t, w.t, f.init, f.scale, f.bias, residual(), q) }
	layer := o.Layer
	layer.Op += "Int8"
	c.add(step{o.name, layer, y, run}, in...)
	c.counts.Int8++
	if y.bytes {
		c.bytes[o.number] = y
	} else {
		c.floats[o.number] = y
	}
	return nil
}

// folded is what a kernel needs per output channel.
type folded struct{ init, scale, bias *tensor.Dense }

func (c *compiler) fold(p parameters, scales []float32, sums []int32, x, res *value, unit float32) (f folded, err error) {
	k := len(scales)
	norm, err := c.read(p.scale, k, 1)
	if err != nil {
		return f, err
	}
	bias, err := c.read(p.bias, k, 0)
	if err != nil {
		return f, err
	}
	init, scale := make([]int32, k), make([]float32, k)
	for i := range init {
		init[i] = -int32(x.affine.Zero) * sums[i]
		scale[i] = float32(float64(x.affine.Scale) * float64(scales[i]) * float64(norm[i]) / float64(unit))
		b := float64(bias[i])
		if res != nil {
			b -= float64(res.affine.Scale) * float64(res.affine.Zero)
		}
		bias[i] = float32(b / float64(unit))
	}
	if f.init, err = c.constant(tensor.Int32, init, k); err != nil {
		return f, err
	}
	if f.scale, err = c.constant(tensor.Float32, scale, k); err != nil {
		return f, err
	}
	f.bias, err = c.constant(tensor.Float32, bias, k)
	return f, err
}

// read copies a parameter, or so many times a default.
func (c *compiler) read(t *tensor.Dense, k int, otherwise float32) ([]float32, error) {
	v := make([]float32, k)
	if t != nil {
		return v, c.engine.Download(v, t)
	}
	for i := range v {
		v[i] = otherwise
	}
	return v, nil
}

// rectifier is a convolution's activation with the bounds of its output, in units of it.
func rectifier(p engine.ConvParams, y *value, unit float32) (slope, least, most float32) {
	slope, least, most = 1, -math.MaxFloat32, math.MaxFloat32
	if y.bytes {
		least, most = -float32(y.affine.Zero), 255-float32(y.affine.Zero)
	}
	if a := p.Activation; a.Kind == engine.Rectified {
		slope = a.Slope
		if a.Cap > 0 {
			most = min(most, a.Cap/unit)
		}
	}
	return slope, least, most
}
