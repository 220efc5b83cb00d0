package quant

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"retinago/nn"
)

// Graph is what a Net is made of: a network whose inputs are images and parameters.
type Graph struct {
	*nn.Graph
	Images int     // number of the images
	Heads  [][]int // numbers of the outputs, per level of the pyramid
}

// operation is one of the graph's, with the name of its result.
type operation struct {
	number int // of the result
	nn.Value
	form nn.Int8Form
	name string // of the result
	conv string // of a convolution's parameters: levels of the pyramid share them
}

var errNoForm = errors.New("the operation has no 8-bit form; give its kernel in package nn an Int8")

// operations lists those of a graph. A result is called like the layer's parameters, without ".weight", or after its
// input; where levels share a layer, with the level after it: "head.classification_head.conv.0.0@2". Names do not depend
// on the canvas.
func (g Graph) operations() ([]*operation, error) {
	var ops []*operation
	of := map[int]*operation{}
	uses := map[string]int{}
	for i, v := range g.Values {
		if v.In == nil {
			continue
		}
		k, ok := v.Kernel.(nn.Quantizable)
		if !ok {
			return nil, fmt.Errorf("quant: %s: %w", v.Op(), errNoForm)
		}
		o := &operation{number: i, Value: v, form: k.Int8()}
		switch before := of[v.In[o.form.After]]; {
		case o.form.Suffix == "":
			o.name = strings.TrimSuffix(g.Values[v.In[1]].Name, ".weight")
		case before == nil: // of the images
			o.name = o.form.Suffix
		default:
			o.name = before.name + "." + o.form.Suffix
		}
		if o.form.Conv != nil {
			o.conv = o.name
		}
		ops, of[i] = append(ops, o), o
		uses[o.name]++
	}
	for level, outputs := range g.Heads {
		var mark func(n int)
		mark = func(n int) {
			o := of[n]
			if o == nil || uses[o.name] < 2 {
				return
			}
			o.name += "@" + strconv.Itoa(level)
			for _, c := range o.In {
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

// isHead reports whether a value is an output.
func (g Graph) isHead(n int) bool {
	return slices.ContainsFunc(g.Heads, func(l []int) bool { return slices.Contains(l, n) })
}

// maps are the inputs of an operation that are no parameters.
func (g Graph) maps(o *operation) []int {
	return slices.DeleteFunc(slices.Clone(o.In), func(n int) bool { return n != g.Images && g.Values[n].In == nil })
}

// param is the parameter at a position of an operation's inputs.
func (g Graph) param(o *operation, at int) (*tensor.Dense, error) {
	p := g.Values[o.In[at]]
	if p.Tensor == nil {
		return nil, fmt.Errorf("input %d is not a parameter", at)
	}
	return p.Tensor, nil
}
