package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Graph describes a plan without gorgonia's types, for packages that write a network to a file or run it in another form.
type Graph struct {
	// Values are numbered by their place: first what the plan's operations read, then their results in the order in which
	// they run. An operation reads values of lower numbers only.
	Values []Value

	numbers map[*G.Node]int
}

// Value is a tensor of a Graph: data, a parameter, or the result of an operation.
type Value struct {
	Shape  tensor.Shape
	Name   string        // of data or a parameter
	Tensor *tensor.Dense // of data or a parameter, nil of a result
	Kernel Kernel        // of a result: what computes it; nil where gorgonia sums gradients
	In     []int         // of a result: the numbers of the kernel's inputs
	Layer  Layer         // of a result: its entry in listings
}

// Graph describes the plan.
func (p *Plan) Graph() *Graph {
	g := &Graph{numbers: map[*G.Node]int{}}
	for _, n := range p.inputs {
		t, _ := n.Value().(*tensor.Dense)
		g.add(n, Value{Name: n.Name(), Tensor: t})
	}
	for _, n := range p.order {
		v := Value{Kernel: kernel(n), Layer: LayerOf(n)}
		for _, c := range children(n) {
			v.In = append(v.In, g.numbers[c])
		}
		g.add(n, v)
	}
	return g
}

func (g *Graph) add(n *G.Node, v Value) {
	v.Shape = n.Shape()
	g.numbers[n] = len(g.Values)
	g.Values = append(g.Values, v)
}

// Numbers returns the numbers of nodes, -1 for one that the plan neither reads nor computes.
func (g *Graph) Numbers(nodes ...*G.Node) []int {
	out := make([]int, len(nodes))
	for i, n := range nodes {
		number, ok := g.numbers[n]
		if !ok {
			number = -1
		}
		out[i] = number
	}
	return out
}

// Op names an operation in errors: its kernel and its layer.
func (v Value) Op() string {
	if v.Layer.Name == "" {
		return v.Layer.Op
	}
	return fmt.Sprintf("%s of %s", v.Layer.Op, v.Layer.Name)
}

// Instance returns a kernel that computes a result apart from the plan's machine. A Stateful one is a copy with state on e, which free
// releases.
func (g *Graph) Instance(e engine.Engine, number int) (k Kernel, free func(), err error) {
	v := g.Values[number]
	if _, ok := v.Kernel.(Stateful); !ok {
		return v.Kernel, func() {}, nil
	}
	if r, ok := v.Kernel.(Repeatable); ok {
		k = r.Repeat()
	}
	s, ok := k.(Stateful)
	if !ok {
		return nil, nil, fmt.Errorf("nn: %s cannot run apart from its machine", v.Op())
	}
	var in []tensor.Shape
	for _, i := range v.In {
		in = append(in, g.Values[i].Shape)
	}
	if _, err := s.Shape(in); err != nil {
		return nil, nil, fmt.Errorf("nn: %s: %w", v.Op(), err)
	}
	if err := s.MakeState(e); err != nil {
		return nil, nil, fmt.Errorf("nn: %s: %w", v.Op(), err)
	}
	return s, func() { s.FreeState(e) }, nil
}
