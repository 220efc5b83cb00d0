package nn

import (
	"cmp"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
)

// Repeatable is a Kernel that may run twice in a run with the same result.
type Repeatable interface {
	Kernel
	// Repeat returns the kernel for a second node; nil if running twice would change a result.
	Repeat() Kernel
}

// Recompute makes gradients that are added later compute the results between xs and ys again, instead of keeping them from
// the forward pass (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", section 3). The gradients are the same to
// the bit. xs and ys themselves are kept; beside xs, ys must depend only on inputs of the graph. All results are computed again in one
// go, in the original order.
//
// Operations run in the order in which they were added, and gradients are added from the last operation to the first. The
// copies are added with the first gradient that reads one, so that they run after the backward pass of whatever was added
// after ys, and those of two segments live together only where their gradients alternate.
func Recompute(xs, ys G.Nodes) error {
	s := &segment{again: map[*G.Node]*G.Node{}}
	seen := map[*G.Node]bool{}
	for _, x := range xs {
		seen[x] = true
	}
	var collect func(n *G.Node) error
	collect = func(n *G.Node) error {
		if seen[n] || n.Op() == nil {
			return nil
		}
		seen[n] = true
		for _, c := range children(n) {
			if err := collect(c); err != nil {
				return err
			}
		}
		if slices.Contains(ys, n) {
			return nil
		}
		if o, ok := n.Op().(*op); !ok || o.repeat() == nil {
			return fmt.Errorf("nn: %v cannot be computed a second time", n.Op())
		}
		s.nodes = append(s.nodes, n)
		return nil
	}
	for _, y := range ys {
		if err := collect(y); err != nil {
			return err
		}
	}
	slices.SortFunc(s.nodes, func(a, b *G.Node) int { return cmp.Compare(a.Op().(*op).id, b.Op().(*op).id) })
	for _, n := range slices.Concat(s.nodes, ys) {
		if o, ok := n.Op().(*op); ok {
			o.segment = s
		}
	}
	return nil
}

// segment is what lies between nodes of the forward pass.
type segment struct {
	nodes G.Nodes             // without them, first to run first
	again map[*G.Node]*G.Node // their copies in the backward pass, empty until a gradient wants one
}

// second gives the copies of an operation's inputs and output, themselves where they have none.
func (s *segment) second(in G.Nodes, out *G.Node) (G.Nodes, *G.Node, error) {
	if len(s.again) == 0 {
		for _, n := range s.nodes {
			o := n.Op().(*op)
			c, err := Apply(o.repeat(), s.copies(children(n))...)
			if err != nil {
				return nil, nil, err
			}
			c.Op().(*op).back = true
			s.again[n] = c
		}
	}
	return s.copies(in), s.copies(G.Nodes{out})[0], nil
}

func (s *segment) copies(nodes G.Nodes) G.Nodes {
	out := make(G.Nodes, len(nodes))
	for i, n := range nodes {
		out[i] = n
		if c, ok := s.again[n]; ok {
			out[i] = c
		}
	}
	return out
}

// repeat is the kernel of a copy, nil where there can be none.
func (o *op) repeat() Kernel {
	if r, ok := o.k.(Repeatable); ok {
		return r.Repeat()
	}
	return nil
}
