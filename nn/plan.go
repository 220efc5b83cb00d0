package nn

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
)

// Plan is the order in which a graph's operations run and the place of every result in one arena. A place is free as soon as the last
// reader of its result has run; if that is an InPlace, it may write its own result there. Outputs keep their places after the run.
type Plan struct {
	order  []*G.Node // operations, first to run first
	inputs G.Nodes   // parameters and data that the operations read
	joints joints
	offset map[*G.Node]int64 // bytes into the arena
	bytes  int64
}

// align places results on cache lines, on which vector kernels are fastest.
const align = 64

// NewPlan plans the part of the graph that outputs need, to be run on e. Nothing is allocated.
func NewPlan(e engine.Engine, outputs G.Nodes) (*Plan, error) {
	if len(outputs) == 0 {
		return nil, fmt.Errorf("nn: a plan without outputs")
	}
	sub := outputs[0].Graph().ExactSubgraphRoots(outputs...)
	sorted, err := G.Sort(sub)
	if err != nil {
		return nil, fmt.Errorf("nn: sorting the graph: %w", err)
	}
	slices.Reverse(sorted)

	p := &Plan{offset: map[*G.Node]int64{}}
	at := map[*G.Node]int{}
	for _, n := range sorted {
		if n.Op() == nil {
			p.inputs = append(p.inputs, n)
			continue
		}
		at[n] = len(p.order)
		p.order = append(p.order, n)
	}

	p.joints = join(e, p.order, outputs)
	turns := make([]int, len(p.order)) // when each is computed
	for i, n := range p.order {
		turns[i] = i
		if j := p.joints.of[n]; j != nil {
			turns[i] = j.turn
		}
	}
	last := make([]int, len(p.order)) // the turn of the last reader
	for i, n := range p.order {
		last[i] = max(last[i], turns[i])
		for _, c := range children(n) {
			if j, ok := at[c]; ok {
				last[j] = max(last[j], turns[i])
			}
		}
	}
	for _, n := range outputs {
		if i, ok := at[n]; ok {
			last[i] = len(p.order)
		}
	}
	// A view lives in its source, which therefore lives as long as the view.
	for i := len(p.order) - 1; i >= 0; i-- {
		if src, _, ok := viewOf(p.order[i]); ok {
			if j, ok := at[src]; ok {
				last[j] = max(last[j], last[i])
			}
		}
	}
	over := map[int]int{}
	if e.Supports(engine.ResidualInPlace) {
		over = overwritten(p.order, at, last)
	}
	p.place(turns, last, over)
	for _, n := range p.order {
		if src, elems, ok := viewOf(n); ok {
			p.offset[n] = p.offset[src] + int64(elems)*int64(n.Dtype().Size())
		}
	}
	return p, nil
}

// Bytes returns the size of the arena.
func (p *Plan) Bytes() int64 { return p.bytes }

// FLOPs returns the floating point operations of one run, over the operations that are Counted.
func (p *Plan) FLOPs() int64 {
	var total int64
	for _, n := range p.order {
		total += flops(n)
	}
	return total
}

// Span is a result's place in time (from its operation to its last reader) and memory.
type Span struct {
	From, To    int
	Bytes, Base int64
}

// Place sets the base of each span and returns the memory that all need together, in bytes. It places the largest span first, and each at
// the lowest address that is free during its life (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
// Inference", algorithm 3).
func Place(spans []*Span) (bytes int64) {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b *Span) int { return int(min(max(b.Bytes-a.Bytes, -1), 1)) })
	var placed []*Span // by base
	for _, s := range spans {
		var base int64
		for _, o := range placed {
			if o.To < s.From || s.To < o.From {
				continue
			}
			if o.Base >= base+s.Bytes {
				break // the gap before o is wide enough
			}
			base = max(base, o.Base+o.Bytes)
		}
		s.Base = base
		i, _ := slices.BinarySearchFunc(placed, s, func(a, b *Span) int { return int(min(max(a.Base-b.Base, -1), 1)) })
		placed = slices.Insert(placed, i, s)
		bytes = max(bytes, base+s.Bytes)
	}
	return bytes
}

// overwritten maps the positions of operations to the positions of the results over which they may write: they are the last to read them.
func overwritten(order []*G.Node, at map[*G.Node]int, last []int) map[int]int {
	over := map[int]int{}
	for i, n := range order {
		o, ok := n.Op().(*op)
		if !ok {
			continue
		}
		k, ok := o.k.(InPlace)
		if !ok || k.Over() < 0 {
			continue
		}
		in := children(n)
		src := in[k.Over()]
		j, computed := at[src]
		_, _, view := viewOf(src)
		twice := slices.Contains(in[:k.Over()], src) || slices.Contains(in[k.Over()+1:], src)
		if computed && last[j] == i && !view && !twice {
			over[i] = j
		}
	}
	return over
}

// place sets the offsets of results.
func (p *Plan) place(turns, last []int, over map[int]int) {
	spans := make([]*Span, len(p.order)) // nil for views
	var all []*Span
	sums := map[*joint]*Span{}
	for i, n := range p.order {
		if _, _, ok := viewOf(n); ok {
			continue
		}
		if j, ok := over[i]; ok {
			spans[i] = spans[j]
			spans[i].To = last[i]
			continue
		}
		sum := p.joints.sum(n)
		if s, ok := sums[sum]; ok {
			spans[i] = s
			s.To = max(s.To, last[i])
			continue
		}
		spans[i] = &Span{From: turns[i], To: last[i], Bytes: size(n)}
		if sum != nil {
			sums[sum] = spans[i]
		}
		all = append(all, spans[i])
	}
	p.bytes = Place(all)
	for i, n := range p.order {
		if spans[i] != nil {
			p.offset[n] = spans[i].Base
		}
	}
}

// size is the bytes of a result, rounded up to whole cache lines.
func size(n *G.Node) int64 {
	return (int64(n.Shape().TotalSize())*int64(n.Dtype().Size()) + align - 1) / align * align
}

// children are the nodes that n reads.
func children(n *G.Node) []*G.Node {
	it := n.Graph().From(n.ID())
	var c []*G.Node
	for it.Next() {
		c = append(c, it.Node().(*G.Node))
	}
	return c
}

// viewOf returns the source of a view and where in it the view starts, in elements.
func viewOf(n *G.Node) (src *G.Node, elems int, ok bool) {
	o, isOp := n.Op().(*op)
	if !isOp {
		return nil, 0, false
	}
	v, ok := o.k.(View)
	if !ok {
		return nil, 0, false
	}
	src = children(n)[0]
	return src, v.Offset(src.Shape()), true
}

// flops is the operation count of one node, 0 where it is not counted.
func flops(n *G.Node) int64 {
	o, ok := n.Op().(*op)
	if !ok {
		return 0
	}
	c, ok := o.k.(Counted)
	if !ok {
		return 0
	}
	return c.FLOPs(o.in, o.shape)
}
