package quant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	G "gorgonia.org/gorgonia"

	"retinago/nn"
)

// Graph is what a Net is made of: a plan whose inputs are pictures and parameters.
type Graph struct {
	Plan   *nn.Plan
	Images *G.Node
	Heads  [][]*G.Node // outputs, per level of the pyramid
}

// operation is one of the graph's, with the name of its result.
type operation struct {
	node  *G.Node
	in    []*G.Node
	layer any
	name  string // of the result
	conv  string // of a convolution's parameters: levels of the pyramid share them
}

// operations lists those of a graph. A result is called like the layer's parameters, without ".weight", or after its
// input; where levels share a layer, with the level after it: "head.classification_head.conv.0.0@2". Names do not depend
// on the canvas.
func (g Graph) operations() ([]*operation, error) {
	var ops []*operation
	of := map[*G.Node]*operation{}
	uses := map[string]int{}
	err := g.Plan.Walk(func(n *G.Node, in []*G.Node, layer any) error {
		o := &operation{node: n, in: in, layer: layer}
		after := func(n *G.Node, what string) string {
			if p := of[n]; p != nil {
				return p.name + "." + what
			}
			return what
		}
		switch layer.(type) {
		case nn.ConvLayer:
			o.conv = module(in[1])
			o.name = o.conv
		case nn.GroupNormLayer:
			o.name = module(in[1])
		case nn.PoolLayer:
			o.name = after(in[0], "pool")
		case nn.ActivationLayer:
			o.name = after(in[0], "relu")
		case nn.UpsampleAddLayer:
			o.name = after(in[1], "sum")
		case nn.AddLayer:
			o.name = after(in[0], "sum")
		default:
			return fmt.Errorf("quant: the network has an operation that has no counterpart: %v", n.Op())
		}
		ops, of[n] = append(ops, o), o
		uses[o.name]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	for level, outputs := range g.Heads {
		var mark func(n *G.Node)
		mark = func(n *G.Node) {
			o := of[n]
			if o == nil || uses[o.name] < 2 {
				return
			}
			o.name += "@" + strconv.Itoa(level)
			for _, c := range o.in {
				mark(c)
			}
		}
		for _, n := range outputs {
			mark(n)
		}
	}
	seen := map[string]bool{}
	for _, o := range ops {
		if seen[o.name] {
			return nil, fmt.Errorf("quant: two results are called %s", o.name)
		}
		seen[o.name] = true
	}
	return ops, nil
}

// module is a parameter's name without its last part.
func module(n *G.Node) string { return strings.TrimSuffix(n.Name(), ".weight") }

// isHead reports whether a node is an output.
func (g Graph) isHead(n *G.Node) bool {
	return slices.ContainsFunc(g.Heads, func(l []*G.Node) bool { return slices.Contains(l, n) })
}
