package nn

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Mode says what a graph is built for.
type Mode int

const (
	Training  Mode = iota // norms as layers, gradients to be taken
	Inference             // batch norms by their running statistics
)

// Builder adds layers with named parameters to one graph. The first error sticks and makes later calls return nil, so
// that networks compose without a check per layer: ask Err at the end.
type Builder struct {
	Graph  *G.ExprGraph
	Mode   Mode
	params *Params
	folded *Folded
	engine engine.Engine
	nodes  map[string]*G.Node // of parameters and constants, by name
	stage  int                // of the backbone; 0 outside
	frozen bool
	host   bool // see OnHost
	err    error
}

// NewBuilder starts an empty graph over a set of parameters and their folded copies.
func NewBuilder(e engine.Engine, mode Mode, p *Params, f *Folded) *Builder {
	return &Builder{Graph: G.NewGraph(), Mode: mode, params: p, folded: f, engine: e, nodes: map[string]*G.Node{}}
}

// Err is the first error of any layer.
func (b *Builder) Err() error { return b.err }

// OnHost reports whether the host computes a part of the graph on every engine, so that an engine.Recorder cannot repeat it.
func (b *Builder) OnHost() bool { return b.host }

// Stage begins stage n, from 1, of a backbone whose first stages, frozen many, do not train. The parameters that are declared from now on
// belong to it.
func (b *Builder) Stage(n, frozen int) { b.stage, b.frozen = n, n <= frozen }

// EndStages ends the last Stage: the parameters that are declared from now on belong to none, and train.
func (b *Builder) EndStages() { b.stage, b.frozen = 0, false }

// Input adds a tensor of data to the graph.
func (b *Builder) Input(name string, t *tensor.Dense) *G.Node {
	return G.NewTensor(b.Graph, t.Dtype(), t.Dims(), G.WithShape(t.Shape()...), G.WithName(name), G.WithValue(t))
}

// Param returns the node of a parameter, declaring it when it is new.
func (b *Builder) Param(name string, k Kind, init Init, shape ...int) *G.Node {
	p := b.declare(name, k, init, shape...)
	if p == nil {
		return nil
	}
	return b.node(name, p.Value)
}

// Nodes returns the nodes of the trainable parameters in this graph, with the parameters.
func (b *Builder) Nodes() (G.Nodes, []*Param) {
	var nodes G.Nodes
	var params []*Param
	for _, p := range b.params.All() {
		if n, ok := b.nodes[p.Name]; ok && p.Trainable {
			nodes, params = append(nodes, n), append(params, p)
		}
	}
	return nodes, params
}

// Check keeps the first error of a layer and passes its node on.
func (b *Builder) Check(n *G.Node, err error) *G.Node {
	if err != nil && b.err == nil {
		b.err = err
	}
	if b.err != nil {
		return nil
	}
	return n
}

func (b *Builder) declare(name string, k Kind, init Init, shape ...int) *Param {
	if b.err != nil {
		return nil
	}
	p, err := b.params.Declare(name, k, !b.frozen, init, shape...)
	if b.err = err; p != nil {
		p.Stage = b.stage
	}
	return p
}

func (b *Builder) node(name string, t *tensor.Dense) *G.Node {
	if n, ok := b.nodes[name]; ok {
		return n
	}
	n := b.Input(name, t)
	b.nodes[name] = n
	return n
}

// ConvSpec is a convolution by name: its parameters are Name.weight [Out,In/Groups,Kernel,Kernel] and, with Bias,
// Name.bias [Out]. Padding keeps the size at stride 1.
type ConvSpec struct {
	Name            string
	In, Out, Kernel int
	Stride, Groups  int // 0 means 1
	Bias            bool
	Activation      engine.Activation
	Init            Init
	BiasInit        Init // nil is 0
}

func (s ConvSpec) params() engine.ConvParams {
	return engine.ConvParams{Stride: max(s.Stride, 1), Pad: s.Kernel / 2, Groups: max(s.Groups, 1), Activation: s.Activation}
}

func (s ConvSpec) shape() []int { return []int{s.Out, s.In / max(s.Groups, 1), s.Kernel, s.Kernel} }

// Conv adds a convolution.
func (b *Builder) Conv(x *G.Node, s ConvSpec) *G.Node { return b.ConvAdd(x, nil, s) }

// ConvAdd adds a convolution and its sum with res, like its output, before an activation. res may be nil.
func (b *Builder) ConvAdd(x, res *G.Node, s ConvSpec) *G.Node {
	w := b.Param(s.Name+".weight", Weight, s.Init, s.shape()...)
	var bias *G.Node
	if s.Bias {
		if s.BiasInit == nil {
			s.BiasInit = Constant(0)
		}
		bias = b.Param(s.Name+".bias", Bias, s.BiasInit, s.Out)
	}
	if b.err != nil {
		return nil
	}
	return b.Check(Conv(x, w, nil, bias, res, s.params()))
}

// NormSpec is a normalisation by name: Name.weight and Name.bias [C], and for Frozen and Batch Name.running_mean and
// Name.running_var [C].
type NormSpec struct {
	Name     string
	Norm     Norm
	Eps      float32
	Momentum float32 // of the running statistics, Batch only
	Groups   int     // Group only
	Zero     bool    // start with weight 0 (Goyal et al. 2017, section 5.1)
}

// Norm is a kind of normalisation.
type Norm int

const (
	Frozen Norm = iota // fixed statistics and affine parameters
	Batch              // by the batch, with running statistics for inference
	Group              // by groups of channels of each image
)

// ConvNorm adds a convolution without bias, its normalisation, an optional residual and an activation:
// y = act(norm(conv(x)) + res). res may be nil.
func (b *Builder) ConvNorm(x *G.Node, s ConvSpec, n NormSpec, res *G.Node) *G.Node {
	w := b.declare(s.Name+".weight", Weight, s.Init, s.shape()...)
	gamma, beta, mean, variance := b.declareNorm(n, s.Out)
	if b.err != nil {
		return nil
	}
	p := s.params()
	switch {
	case n.Norm == Group || n.Norm == Batch && b.Mode == Training:
		p.Activation = engine.None
		y := b.Check(Conv(x, b.node(w.Name, w.Value), nil, nil, nil, p))
		if b.err != nil {
			return nil
		}
		np, after := engine.NormParams{Eps: n.Eps, Momentum: n.Momentum, Groups: n.Groups}, s.Activation
		if res == nil && after.Plain() {
			np.Activation, after = after, engine.None
		}
		g, t := b.node(gamma.Name, gamma.Value), b.node(beta.Name, beta.Value)
		if n.Norm == Group {
			y = b.Check(GroupNorm(y, g, t, np))
		} else {
			y = b.Check(BatchNorm(y, g, t, mean.Value, variance.Value, np))
		}
		if res != nil && b.err == nil {
			return b.Check(Add(y, res, after))
		}
		if b.err != nil {
			return nil
		}
		return b.Check(Activate(y, after))
	}
	f, err := b.folded.get(gamma, beta, mean, variance, n.Eps)
	if err != nil {
		return b.Check(nil, err)
	}
	return b.Check(Conv(x, b.node(w.Name, w.Value), b.node(n.Name+".scale", f.scale), b.node(n.Name+".shift", f.shift), res, p))
}

func (b *Builder) declareNorm(n NormSpec, c int) (gamma, beta, mean, variance *Param) {
	frozen := b.frozen
	b.frozen = frozen || n.Norm == Frozen
	defer func() { b.frozen = frozen }()
	one := float32(1)
	if n.Zero {
		one = 0
	}
	gamma = b.declare(n.Name+".weight", NormWeight, Constant(one), c)
	beta = b.declare(n.Name+".bias", NormBias, Constant(0), c)
	if n.Norm != Group {
		mean = b.declare(n.Name+".running_mean", Buffer, Constant(0), c)
		variance = b.declare(n.Name+".running_var", Buffer, Constant(1), c)
	}
	return gamma, beta, mean, variance
}
