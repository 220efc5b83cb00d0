package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// BatchNorm adds batch normalisation (Ioffe and Szegedy 2015, algorithm 1) of x [N,H,W,C] by the batch's statistics,
// with gamma and beta [C] and an optional ReLU. Each run moves the running statistics, tensors [C] outside the graph.
func BatchNorm(x, gamma, beta *G.Node, runMean, runVar *tensor.Dense, p engine.NormParams) (*G.Node, error) {
	return Apply(&norm{p: p, batch: true, runMean: runMean, runVar: runVar}, x, gamma, beta)
}

// GroupNorm adds group normalisation (Wu and He 2018, eq. 1-7) of x [N,H,W,C] over p.Groups groups of channels, with
// gamma and beta [C] and an optional ReLU.
func GroupNorm(x, gamma, beta *G.Node, p engine.NormParams) (*G.Node, error) {
	return Apply(&groupNorm{norm{p: p}}, x, gamma, beta)
}

// norm is either normalisation: they differ in the axes of their statistics, which the engine knows.
type norm struct {
	p               engine.NormParams
	batch           bool
	runMean, runVar *tensor.Dense
	x               tensor.Shape
	stats           *tensor.Dense // what backward needs of forward: mean and 1/std
}

func (n *norm) Name() string {
	if n.batch {
		return "BatchNorm"
	}
	return "GroupNorm"
}

func (n *norm) WRT(k int) []bool  { return all(k) }
func (n *norm) describe(l *Layer) { l.Activation = n.p.Activation }

func (n *norm) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 4, 1, 1); err != nil {
		return nil, err
	}
	c := in[0][3]
	if in[1][0] != c || in[2][0] != c {
		return nil, errChannels
	}
	if !n.batch && (n.p.Groups < 1 || c%n.p.Groups != 0) {
		return nil, fmt.Errorf("%d channels do not split into %d groups", c, n.p.Groups)
	}
	n.x = in[0].Clone()
	return in[0].Clone(), nil
}

func (n *norm) MakeState(e engine.Engine) (err error) {
	if n.batch {
		n.stats, err = e.New(tensor.Float32, 2, n.x[3])
	} else {
		n.stats, err = e.New(tensor.Float32, 2, n.x[0], n.p.Groups)
	}
	return err
}

func (n *norm) FreeState(e engine.Engine) {
	e.Release(n.stats)
	n.stats = nil
}

func (n *norm) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if n.batch {
		return e.BatchNorm(out, n.stats, n.runMean, n.runVar, in[0], in[1], in[2], n.p)
	}
	return e.GroupNorm(out, n.stats, in[0], in[1], in[2], n.p)
}

func (n *norm) Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	x, gamma := in[0], in[1]
	dp, err := Apply(&normParamGrad{n}, dout, out, x)
	if err != nil {
		return nil, err
	}
	dx, err := Apply(&normGrad{n}, dout, out, x, gamma, dp)
	if err != nil {
		return nil, err
	}
	dgamma, err := Apply(&row{0}, dp)
	if err != nil {
		return nil, err
	}
	dbeta, err := Apply(&row{1}, dp)
	return G.Nodes{dx, dgamma, dbeta}, err
}

// groupNorm is a norm by groups. Unlike one by the batch, which moves running statistics, it can run twice and outside of training.
type groupNorm struct{ norm }

// Repeat has statistics of its own, equal to the first's.
func (n *groupNorm) Repeat() Kernel { return &groupNorm{norm{p: n.p}} }

func (n *groupNorm) Int8() Int8Form { return Int8Form{} }

// Export normalises each instance with groups as channels: operator set 13 has no group normalisation.
func (n *groupNorm) Export(x Exporter, in []Operand) (string, error) {
	c, groups := in[0].Shape[3], n.p.Groups
	gamma, err := x.Read(in[1])
	if err != nil {
		return "", err
	}
	beta, err := x.Read(in[2])
	if err != nil {
		return "", err
	}
	one := make([]float32, groups)
	for i := range one {
		one[i] = 1
	}
	shape := x.ShapeOf(in[0])
	y := x.Op("Reshape", []string{in[0].Name, x.Ints(0, groups, -1)})
	y = x.Op("InstanceNormalization", []string{y, x.Floats("one", one, groups), x.Floats("zero", make([]float32, groups), groups)}, Attr("epsilon", n.p.Eps))
	y = x.Op("Reshape", []string{y, shape})
	y = x.Op("Mul", []string{y, x.Floats(in[1].Name, gamma, 1, c, 1, 1)})
	y = x.Op("Add", []string{y, x.Floats(in[2].Name, beta, 1, c, 1, 1)})
	return exportActivation(x, y, n.p.Activation), nil
}

// normParamGrad is the gradient by gamma and beta: (dy, y, x) -> [2,C].
type normParamGrad struct{ of *norm }

func (g *normParamGrad) Name() string { return g.of.Name() + "ParamGrad" }

func (g *normParamGrad) Shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{2, in[2][3]}, nil
}

func (g *normParamGrad) Dtype() tensor.Dtype { return tensor.Float32 }

func (g *normParamGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if g.of.batch {
		return e.BatchNormParamGrad(out, in[0], in[1], in[2], g.of.stats, g.of.p)
	}
	return e.GroupNormParamGrad(out, in[0], in[1], in[2], g.of.stats, g.of.p)
}

// normGrad is the gradient by the input: (dy, y, x, gamma, dp) -> dx.
type normGrad struct{ of *norm }

func (g *normGrad) Name() string                                  { return g.of.Name() + "Grad" }
func (g *normGrad) Shape(in []tensor.Shape) (tensor.Shape, error) { return in[2].Clone(), nil }

func (g *normGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	if g.of.batch {
		return e.BatchNormGrad(out, in[0], in[1], in[2], in[3], g.of.stats, in[4], g.of.p)
	}
	return e.GroupNormGrad(out, in[0], in[1], in[2], in[3], g.of.stats, g.of.p)
}
