package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Conv adds y = act(x * (scale . w) + b + res): x [N,H,W,C], w [K,C/G,R,S], scale [K] on the rows of w, b [K], res like
// y [N,OH,OW,K], where OH = (H + 2*Pad - R)/Stride + 1. scale, b and res may be nil; scale gets no gradient.
func Conv(x, w, scale, b, res *G.Node, p engine.ConvParams) (*G.Node, error) {
	in := G.Nodes{x, w}
	for _, n := range []*G.Node{scale, b, res} {
		if n != nil {
			in = append(in, n)
		}
	}
	after := engine.None // what the engine does not compute with the sums
	if !p.Activation.Fused() {
		after, p.Activation = p.Activation, engine.None
	}
	y, err := Apply(&conv{p: p, scale: scale != nil, bias: b != nil, residual: res != nil}, in...)
	if err != nil {
		return nil, err
	}
	return Activate(y, after)
}

type conv struct {
	p                     engine.ConvParams
	scale, bias, residual bool
}

func (c *conv) Name() string { return "Conv" }

func (c *conv) Shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if err := want(in[:2], 4, 4); err != nil {
		return nil, err
	}
	if g := max(c.p.Groups, 1); x[3] != w[1]*g || w[0]%g != 0 {
		return nil, fmt.Errorf("%w: input has %d, weights take %d x %d groups", errChannels, x[3], w[1], g)
	}
	oh, ow := (x[1]+2*c.p.Pad-w[2])/c.p.Stride+1, (x[2]+2*c.p.Pad-w[3])/c.p.Stride+1
	if x[1]+2*c.p.Pad < w[2] || x[2]+2*c.p.Pad < w[3] {
		return nil, fmt.Errorf("the %dx%d window does not fit", w[2], w[3])
	}
	y := tensor.Shape{x[0], oh, ow, w[0]}
	scale, b, res := optional(c, in)
	for _, v := range []tensor.Shape{scale, b} {
		if v != nil && !v.Eq(tensor.Shape{w[0]}) {
			return nil, fmt.Errorf("scale or bias is %v, wants (%d)", v, w[0])
		}
	}
	if res != nil && !res.Eq(y) {
		return nil, fmt.Errorf("residual is %v, wants %v", res, y)
	}
	return y, nil
}

// positions are those of scale, bias and residual among the inputs, 0 where there is none.
func (c *conv) positions() (scale, bias, residual int) {
	next := 2
	for _, o := range []struct {
		have bool
		to   *int
	}{{c.scale, &scale}, {c.bias, &bias}, {c.residual, &residual}} {
		if o.have {
			*o.to, next = next, next+1
		}
	}
	return scale, bias, residual
}

// optional returns scale, bias and residual, nil where there is none.
func optional[T any](c *conv, in []T) (scale, bias, residual T) {
	s, b, r := c.positions()
	for _, o := range []struct {
		at int
		to *T
	}{{s, &scale}, {b, &bias}, {r, &residual}} {
		if o.at > 0 {
			*o.to = in[o.at]
		}
	}
	return scale, bias, residual
}

func (c *conv) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	scale, b, res := optional(c, in)
	return e.Conv(out, in[0], in[1], scale, b, res, c.p)
}

// Over is the residual's position.
func (c *conv) Over() int {
	if _, _, residual := c.positions(); residual > 0 {
		return residual
	}
	return -1
}

// sharing is what convolutions have in common that are computed at once.
type sharing struct {
	kernel         string
	p              engine.ConvParams
	w, scale, bias *G.Node
}

func (c *conv) Key(e engine.BatchedConv, in []*G.Node) any {
	if c.residual || !e.Batches(in[1].Shape(), c.p) {
		return nil
	}
	scale, bias, _ := optional(c, in)
	return sharing{c.Name(), c.p, in[1], scale, bias}
}

func (c *conv) ForwardAll(e engine.BatchedConv, out []*tensor.Dense, in [][]*tensor.Dense) error {
	scale, bias, _ := optional(c, in[0])
	return e.ConvAll(out, column(in, 0), in[0][1], scale, bias, c.p)
}

// column is the input at a position of each of several nodes.
func column(in [][]*tensor.Dense, at int) []*tensor.Dense {
	c := make([]*tensor.Dense, len(in))
	for i := range in {
		c[i] = in[i][at]
	}
	return c
}

func (c *conv) Repeat() Kernel { k := *c; return &k }

func (c *conv) describe(l *Layer) { l.Stride, l.Activation = c.p.Stride, c.p.Activation }

// Export multiplies the scale into the weights: an operator of ONNX has none.
func (c *conv) Export(x Exporter, in []Operand) (string, error) {
	scale, bias, residual := c.positions()
	w, err := x.Read(in[1])
	if err != nil {
		return "", err
	}
	if scale > 0 {
		s, err := x.Read(in[scale])
		if err != nil {
			return "", err
		}
		row := len(w) / len(s)
		for i := range w {
			w[i] *= s[i/row]
		}
	}
	shape := in[1].Shape
	inputs := []string{in[0].Name, x.Floats(in[1].Name, w, shape...)}
	if bias > 0 {
		b, err := x.Read(in[bias])
		if err != nil {
			return "", err
		}
		inputs = append(inputs, x.Floats(in[bias].Name, b, len(b)))
	}
	p := c.p
	y := x.Op("Conv", inputs, Attrs("kernel_shape", shape[2], shape[3]), Attrs("strides", p.Stride, p.Stride),
		Attrs("pads", p.Pad, p.Pad, p.Pad, p.Pad), Attr("group", max(p.Groups, 1)))
	if residual > 0 {
		y = x.Op("Add", []string{y, in[residual].Name})
	}
	return exportActivation(x, y, p.Activation), nil
}

func (c *conv) Int8() Int8Form {
	scale, bias, residual := c.positions()
	return Int8Form{Conv: &Int8Conv{c.p, scale, bias, residual}}
}

// FLOPs counts two operations per multiply-add.
func (c *conv) FLOPs(in []tensor.Shape, out tensor.Shape) int64 {
	w := in[1]
	return 2 * int64(out.TotalSize()) * int64(w[1]*w[2]*w[3])
}

func (c *conv) WRT(n int) []bool {
	w := all(n)
	if c.scale {
		w[2] = false
	}
	return w
}

func (c *conv) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	var err error
	if c.p.Activation != engine.None {
		if dout, err = Apply(activateGrad{c.p.Activation}, dout, out); err != nil {
			return nil, err
		}
	}
	dx, dw := G.Nodes{dout, in[1]}, G.Nodes{dout, in[0]}
	grads := make(G.Nodes, 2, len(in))
	if c.scale {
		dx, dw = append(dx, in[2]), append(dw, in[2])
		grads = append(grads, nil)
	}
	if grads[0], err = Apply(&convData{c.p, in[0].Shape()}, dx...); err != nil {
		return nil, err
	}
	if grads[1], err = Apply(&convWeights{c.p, in[1].Shape()}, dw...); err != nil {
		return nil, err
	}
	if c.bias {
		db, err := Apply(biasGrad{}, dout)
		if err != nil {
			return nil, err
		}
		grads = append(grads, db)
	}
	if c.residual {
		grads = append(grads, dout)
	}
	return grads, nil
}

// convData is the gradient by the input: (dy, w, scale if any) -> dx.
type convData struct {
	p engine.ConvParams
	x tensor.Shape
}

func (c *convData) Name() string                               { return "ConvData" }
func (c *convData) Shape([]tensor.Shape) (tensor.Shape, error) { return c.x.Clone(), nil }

func (c *convData) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ConvData(out, in[0], in[1], third(in), c.p)
}

func (c *convData) Key(e engine.BatchedConv, in []*G.Node) any {
	if !e.Batches(in[1].Shape(), c.p) {
		return nil
	}
	return sharing{c.Name(), c.p, in[1], third(in), nil}
}

func (c *convData) ForwardAll(e engine.BatchedConv, out []*tensor.Dense, in [][]*tensor.Dense) error {
	return e.ConvDataAll(out, column(in, 0), in[0][1], third(in[0]), c.p)
}

func (c *convData) FLOPs(in []tensor.Shape, _ tensor.Shape) int64 {
	w := in[1]
	return 2 * int64(in[0].TotalSize()) * int64(w[1]*w[2]*w[3])
}

// convWeights is the gradient by the weights: (dy, x, scale if any) -> dw.
type convWeights struct {
	p engine.ConvParams
	w tensor.Shape
}

func (c *convWeights) Name() string                               { return "ConvWeights" }
func (c *convWeights) Shape([]tensor.Shape) (tensor.Shape, error) { return c.w.Clone(), nil }

// Dtype is that of the weights.
func (c *convWeights) Dtype() tensor.Dtype { return tensor.Float32 }

func (c *convWeights) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.ConvWeights(out, in[0], in[1], third(in), c.p)
}

func (c *convWeights) Key(e engine.BatchedConv, in []*G.Node) any {
	if !e.Batches(c.w, c.p) {
		return nil
	}
	return sharing{c.Name(), c.p, nil, third(in), nil}
}

func (c *convWeights) ForwardAll(e engine.BatchedConv, out []*tensor.Dense, in [][]*tensor.Dense) error {
	return e.ConvWeightsAll(out[0], column(in, 0), column(in, 1), third(in[0]), c.p)
}

// Summed makes convWeights a Summed: one set of weights gets the sum of its gradients.
func (c *convWeights) Summed() {}

func (c *convWeights) FLOPs(in []tensor.Shape, w tensor.Shape) int64 {
	return 2 * int64(in[0].TotalSize()) * int64(w[1]*w[2]*w[3])
}

// third is the optional third input.
func third[T any](in []T) (none T) {
	if len(in) < 3 {
		return none
	}
	return in[2]
}

// biasGrad sums dy [...,C] over all axes but the last.
type biasGrad struct{}

func (biasGrad) Name() string { return "BiasGrad" }

func (biasGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][in[0].Dims()-1]}, nil
}

func (biasGrad) Dtype() tensor.Dtype { return tensor.Float32 }

func (biasGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.BiasGrad(out, in[0])
}
