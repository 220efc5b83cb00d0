package nn

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"sync/atomic"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Kernel is what an operation adds to the graph: a shape rule and a forward pass. A Kernel value belongs to one node.
type Kernel interface {
	// Name is the operation's name in errors and summaries.
	Name() string
	// Shape returns the output shape for the given input shapes. An error means that the network is composed wrongly.
	Shape(in []tensor.Shape) (tensor.Shape, error)
	// Forward writes the whole of out.
	Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error
}

// Differentiable is a Kernel with a gradient.
type Differentiable interface {
	Kernel
	// WRT reports for each of n inputs whether the operation can be differentiated by it.
	WRT(n int) []bool
	// Gradient adds the gradient's nodes: one per input, nil where WRT is false. dout is the gradient of out.
	Gradient(in G.Nodes, out, dout *G.Node) (G.Nodes, error)
}

// View is a Kernel whose output is a part of its first input; it computes nothing.
type View interface {
	Kernel
	// Offset is where the output starts in the input, in elements.
	Offset(in tensor.Shape) int
}

// Typed is a Kernel whose result has a type of its own. Other results have that of their first input.
type Typed interface {
	Kernel
	Dtype() tensor.Dtype
}

// InPlace is a Kernel whose output may lie over one of its inputs, on an engine with the feature engine.ResidualInPlace.
type InPlace interface {
	Kernel
	// Over is the position of that input, -1 for none.
	Over() int
}

// Stateful is a Kernel that keeps small tensors between forward and backward, made once when a machine is built.
type Stateful interface {
	Kernel
	MakeState(e engine.Engine) error
	FreeState(e engine.Engine)
}

// Counted is a Kernel that knows its cost, in floating point operations (2 per multiply-add).
type Counted interface {
	Kernel
	FLOPs(in []tensor.Shape, out tensor.Shape) int64
}

// Apply adds k to the graph of its inputs.
func Apply(k Kernel, in ...*G.Node) (*G.Node, error) {
	o := &op{k: k, id: opID.Add(1), layer: layerOf(in)}
	shapes := make([]tensor.Shape, len(in))
	types := make([]hm.Type, 0, len(in)+1)
	for i, n := range in {
		if n == nil {
			return nil, fmt.Errorf("nn: %s: input %d is nil", k.Name(), i)
		}
		shapes[i] = n.Shape()
		types = append(types, G.TensorType{Dims: n.Shape().Dims(), Of: n.Dtype()})
	}
	shape, err := k.Shape(shapes)
	if err != nil {
		return nil, fmt.Errorf("nn: %s of %v: %w", k.Name(), shapes, err)
	}
	o.in, o.shape = shapes, shape
	of := in[0].Dtype()
	if t, ok := k.(Typed); ok {
		of = t.Dtype()
	}
	o.typ = hm.NewFnType(append(types, G.TensorType{Dims: shape.Dims(), Of: of})...)
	o.arity = len(in)
	return G.ApplyOp(o, in...)
}

var opID atomic.Uint32

// op carries a Kernel through gorgonia. It owns its output, which the machine places in its arena, and has a unique
// hash, so that common subexpression elimination never merges two layers.
type op struct {
	k       Kernel
	id      uint32
	layer   string // see Layer.Name
	back    bool   // made by the gradient of another
	arity   int
	typ     hm.Type
	in      []tensor.Shape
	shape   tensor.Shape
	out     *tensor.Dense
	run     *Machine
	order   int      // position among the operations of the machine's plan
	joint   *joint   // that computes it, nil where it does so itself
	segment *segment // that gradients compute anew, see Recompute
}

var (
	_ G.Op   = (*op)(nil)
	_ G.SDOp = (*op)(nil)
)

func (o *op) Arity() int                                     { return o.arity }
func (o *op) Type() hm.Type                                  { return o.typ }
func (o *op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape, nil }
func (o *op) ReturnsPtr() bool                               { return true }
func (o *op) CallsExtern() bool                              { return false }
func (o *op) OverwritesInput() int                           { return -1 }
func (o *op) WriteHash(h hash.Hash)                          { fmt.Fprintf(h, "%s#%d", o.k.Name(), o.id) }
func (o *op) Hashcode() uint32                               { h := fnv.New32a(); o.WriteHash(h); return h.Sum32() }
func (o *op) String() string                                 { return fmt.Sprintf("%s#%d", o.k.Name(), o.id) }

// Do runs the forward pass into the tensor that the machine gave to the operation.
func (o *op) Do(vs ...G.Value) (G.Value, error) {
	if o.run == nil {
		return nil, fmt.Errorf("nn: %v runs outside of a Machine", o)
	}
	if err := o.run.enter(o); err != nil {
		return nil, err
	}
	in := make([]*tensor.Dense, len(vs))
	for i, v := range vs {
		d, ok := v.(*tensor.Dense)
		if !ok {
			return nil, fmt.Errorf("nn: %v: input %d is a %T, not a dense tensor", o, i, v)
		}
		in[i] = d
	}
	if err := o.compute(in); err != nil {
		return nil, fmt.Errorf("nn: %v: %w", o, err)
	}
	return o.out, o.run.leave(o)
}

func (o *op) compute(in []*tensor.Dense) error {
	if _, ok := o.k.(View); ok {
		return nil
	}
	if o.joint != nil {
		return o.joint.gather(o, in)
	}
	return o.k.Forward(o.run.engine, o.out, in)
}

func (o *op) DiffWRT(n int) []bool {
	if d, ok := o.k.(Differentiable); ok {
		return d.WRT(n)
	}
	return make([]bool, n)
}

func (o *op) SymDiff(in G.Nodes, out, dout *G.Node) (G.Nodes, error) {
	if o.segment != nil {
		var err error
		if in, out, err = o.segment.second(in, out); err != nil {
			return nil, err
		}
		o = out.Op().(*op)
	}
	d, ok := o.k.(Differentiable)
	if !ok {
		return nil, fmt.Errorf("nn: %v has no gradient", o)
	}
	before := opID.Load()
	grads, err := d.Gradient(in, out, dout)
	for _, g := range grads {
		o.claim(g, before)
	}
	return grads, err
}

// all is the answer of operations that can be differentiated by each of their inputs.
func all(n int) []bool {
	w := make([]bool, n)
	for i := range w {
		w[i] = true
	}
	return w
}

// want checks the ranks of the inputs.
func want(in []tensor.Shape, dims ...int) error {
	if len(in) != len(dims) {
		return fmt.Errorf("%d inputs, wants %d", len(in), len(dims))
	}
	for i, d := range dims {
		if in[i].Dims() != d {
			return fmt.Errorf("input %d has %d axes, wants %d", i, in[i].Dims(), d)
		}
	}
	return nil
}

var errChannels = errors.New("channel counts disagree")
