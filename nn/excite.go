package nn

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Excite adds squeeze-and-excitation (Hu et al. 2018, "Squeeze-and-Excitation Networks", section 3): y = x * sigmoid(fc2(relu(fc1(m)))),
// where m [N,1,1,C] are the means of x [N,H,W,C] over H and W. fc1 and fc2 are 1x1 convolutions to so many channels and back, with biases:
// name.fc1 and name.fc2. Means and products are float32 on every engine.
func (b *Builder) Excite(x *G.Node, name string, channels int, init Init) *G.Node {
	if x = b.Widen(x); b.err != nil {
		return nil
	}
	c := x.Shape()[3]
	m := b.Narrow(b.Check(Squeeze(x)))
	z := b.Conv(m, ConvSpec{Name: name + ".fc1", In: c, Out: channels, Kernel: 1, Bias: true, Activation: engine.ReLU, Init: init})
	z = b.Conv(z, ConvSpec{Name: name + ".fc2", In: channels, Out: c, Kernel: 1, Bias: true, Init: init})
	if z = b.Widen(z); b.err != nil {
		return nil
	}
	b.host = true
	return b.Narrow(b.Check(Gate(x, z)))
}

// Squeeze adds the means of x [N,H,W,C] over H and W: [N,1,1,C], float32.
func Squeeze(x *G.Node) (*G.Node, error) { return Apply(squeeze{}, x) }

type squeeze struct{}

func (squeeze) Name() string     { return "Squeeze" }
func (squeeze) WRT(n int) []bool { return all(n) }
func (squeeze) Repeat() Kernel   { return squeeze{} }
func (squeeze) Int8() Int8Form   { return Int8Form{Suffix: "squeeze"} }

func (squeeze) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 4); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][0], 1, 1, in[0][3]}, nil
}

// Forward sums with the kernel of biases' gradients, image by image.
func (squeeze) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	s := in[0].Shape()
	n, pixels, c := s[0], s[1]*s[2], s[3]
	for i := range n {
		sum := e.At(out, int64(4*i*c), tensor.Float32, c)
		if err := e.BiasGrad(sum, e.At(in[0], int64(4*i*pixels*c), tensor.Float32, pixels, c)); err != nil {
			return err
		}
	}
	m, err := hostFloats(e, out)
	if err != nil {
		return err
	}
	for i := range m {
		m[i] /= float32(pixels)
	}
	return engineFloats(e, out, m)
}

func (squeeze) Export(x Exporter, in []Operand) (string, error) {
	return x.Op("GlobalAveragePool", []string{in[0].Name}), nil
}

func (squeeze) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(squeezeGrad{in[0].Shape()}, dout)
	return G.Nodes{dx}, err
}

// squeezeGrad spreads dm [N,1,1,C] over an image: dx [N,H,W,C] = dm/(H*W).
type squeezeGrad struct{ x tensor.Shape }

func (squeezeGrad) Name() string                                 { return "SqueezeGrad" }
func (g squeezeGrad) Shape([]tensor.Shape) (tensor.Shape, error) { return g.x.Clone(), nil }

func (g squeezeGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	dm, err := hostFloats(e, in[0])
	if err != nil {
		return err
	}
	part := make([]float32, len(dm))
	for i, v := range dm {
		part[i] = v / float32(g.x[1]*g.x[2])
	}
	return rows(e, out, nil, func(y, _ []float32, image, c int) {
		for ; len(y) > 0; y = y[c:] {
			copy(y[:c], part[image*c:])
		}
	})
}

// Gate adds y = x * sigmoid(z): x and y [N,H,W,C], z [N,1,1,C], all float32. The host computes it, on all cores. The tensors of an engine
// without engine.HostMemory are copied there and back.
func Gate(x, z *G.Node) (*G.Node, error) { return Apply(gate{}, x, z) }

type gate struct{}

func (gate) Name() string     { return "Gate" }
func (gate) WRT(n int) []bool { return all(n) }
func (gate) Repeat() Kernel   { return gate{} }
func (gate) Int8() Int8Form   { return Int8Form{Suffix: "gate"} }

func (gate) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 4, 4); err != nil {
		return nil, err
	}
	if x, z := in[0], in[1]; !z.Eq(tensor.Shape{x[0], 1, 1, x[3]}) {
		return nil, fmt.Errorf("the gates are %v, want (%d, 1, 1, %d)", z, x[0], x[3])
	}
	return in[0].Clone(), nil
}

func (gate) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	g, err := sigmoids(e, in[1])
	if err != nil {
		return err
	}
	return rows(e, out, in[0], func(y, x []float32, image, c int) {
		g := g[image*c : (image+1)*c]
		for ; len(y) > 0; y, x = y[c:], x[c:] {
			x, y := x[:len(g)], y[:len(g)]
			for i, v := range g {
				y[i] = v * x[i]
			}
		}
	})
}

func (gate) Export(x Exporter, in []Operand) (string, error) {
	return x.Op("Mul", []string{in[0].Name, x.Op("Sigmoid", []string{in[1].Name})}), nil
}

func (gate) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dx, err := Apply(gate{}, dout, in[1])
	if err != nil {
		return nil, err
	}
	dz, err := Apply(gateGrad{}, dout, in[0], in[1])
	return G.Nodes{dx, dz}, err
}

// gateGrad is the gradient by the gates' logits: (dy, x, z) -> dz [N,1,1,C] = s (1-s) times the sum of dy * x over H and W, s = sigmoid(z).
type gateGrad struct{}

func (gateGrad) Name() string                                  { return "GateGrad" }
func (gateGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[2].Clone(), nil }

func (gateGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	g, err := sigmoids(e, in[2])
	if err != nil {
		return err
	}
	dy, err := hostFloats(e, in[0])
	if err != nil {
		return err
	}
	x, err := hostFloats(e, in[1])
	if err != nil {
		return err
	}
	s := in[1].Shape()
	dz := columnDots(dy, x, s[0], s[1]*s[2], s[3], e.Threads())
	for i, v := range g {
		dz[i] *= v * (1 - v)
	}
	return engineFloats(e, out, dz)
}

// sigmoids are those of the values of z.
func sigmoids(e engine.Engine, z *tensor.Dense) ([]float32, error) {
	v, err := hostFloats(e, z)
	if err != nil {
		return nil, err
	}
	g := make([]float32, len(v))
	for i, x := range v {
		g[i] = float32(1 / (1 + math.Exp(-float64(x))))
	}
	return g, nil
}
