package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// MaxPool adds the maximum over square windows: x [N,H,W,C] -> [N,OH,OW,C], OH = (H + 2*Pad - Kernel)/Stride + 1.
func MaxPool(x *G.Node, p engine.PoolParams) (*G.Node, error) { return Apply(&maxPool{p}, x) }

type maxPool struct{ p engine.PoolParams }

func (*maxPool) Name() string     { return "MaxPool" }
func (*maxPool) WRT(n int) []bool { return all(n) }

func (m *maxPool) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 4); err != nil {
		return nil, err
	}
	x, p := in[0], m.p
	oh, ow := (x[1]+2*p.Pad-p.Kernel)/p.Stride+1, (x[2]+2*p.Pad-p.Kernel)/p.Stride+1
	if oh < 1 || ow < 1 {
		return nil, fmt.Errorf("the %dx%d window does not fit", p.Kernel, p.Kernel)
	}
	return tensor.Shape{x[0], oh, ow, x[3]}, nil
}

func (m *maxPool) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.MaxPool(out, in[0], m.p)
}

func (m *maxPool) Export(x Exporter, in []Operand) (string, error) {
	p := m.p
	return x.Op("MaxPool", []string{in[0].Name}, Attrs("kernel_shape", p.Kernel, p.Kernel), Attrs("strides", p.Stride, p.Stride),
		Attrs("pads", p.Pad, p.Pad, p.Pad, p.Pad)), nil
}

func (m *maxPool) Int8() Int8Form {
	return Int8Form{Suffix: "pool", Chooses: true, Bytes: func(engine.Affine, []engine.Affine) Int8Kernel {
		return func(e engine.Int8, y *tensor.Dense, x []*tensor.Dense) error { return e.MaxPoolInt8(y, x[0], m.p) }
	}}
}

func (m *maxPool) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(&maxPoolGrad{m.p}, dout, in[0], out)
	return G.Nodes{dx}, err
}

// maxPoolGrad finds each window's maximum again instead of remembering it: (dy, x, y) -> dx.
type maxPoolGrad struct{ p engine.PoolParams }

func (*maxPoolGrad) Name() string                                  { return "MaxPoolGrad" }
func (*maxPoolGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[1].Clone(), nil }

func (m *maxPoolGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.MaxPoolGrad(out, in[0], in[1], in[2], m.p)
}
