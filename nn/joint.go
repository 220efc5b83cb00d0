package nn

import (
	"maps"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Batched is a Kernel that an engine.BatchedConv computes for several nodes at once, such as the convolutions of a head on all levels of
// a pyramid.
type Batched interface {
	Kernel
	// Key returns equal values for nodes that can be computed at once, and nil for a node that gains nothing from it. in are its inputs.
	Key(e engine.BatchedConv, in []*G.Node) any
	// ForwardAll is Forward for several nodes.
	ForwardAll(e engine.BatchedConv, out []*tensor.Dense, in [][]*tensor.Dense) error
}

// Summed is a Batched of which only the sum of its results is read. Its nodes are computed at once only if the graph does nothing but add
// up their results, and if no other Summed runs between them, since their inputs would be kept in memory meanwhile. ForwardAll writes
// the sum to out[0], which is the place of all results.
type Summed interface {
	Batched
	Summed()
}

// joint is a group of nodes that are computed at once, in the turn of the last one, when all inputs are there.
type joint struct {
	on     engine.BatchedConv
	nodes  []*G.Node // in their order
	turn   int       // position of the last
	summed bool

	// The inputs and outputs of the nodes that had their turn.
	in  [][]*tensor.Dense
	out []*tensor.Dense
}

// gather collects the inputs and the output of n, and computes the joint if n is its last node.
func (j *joint) gather(n *op, in []*tensor.Dense) error {
	j.in, j.out = append(j.in, in), append(j.out, n.out)
	if len(j.in) < len(j.nodes) {
		return nil
	}
	all, out := j.in, j.out
	j.reset()
	return n.k.(Batched).ForwardAll(j.on, out, all)
}

// done reports whether the last of the nodes had its turn.
func (j *joint) done() bool { return len(j.in) == 0 }

// reset discards the inputs and outputs that a run collected before it ended early.
func (j *joint) reset() { j.in, j.out = nil, nil }

// joints are the groups of an order of nodes that are computed at once.
type joints struct {
	on   engine.BatchedConv // nil where nothing is
	of   map[*G.Node]*joint // by node
	sums map[*G.Node]*joint // by sum of a Summed's nodes, which the joint makes
}

// join finds the groups of nodes that e computes at once.
func join(e engine.Engine, order []*G.Node, outputs G.Nodes) joints {
	js := joints{of: map[*G.Node]*joint{}, sums: map[*G.Node]*joint{}}
	var ok bool
	if js.on, ok = engine.As[engine.BatchedConv](e, engine.BatchedMaps); !ok {
		return js
	}
	key := func(n *G.Node) any {
		if k, ok := kernel(n).(Batched); ok {
			return k.Key(js.on, children(n))
		}
		return nil
	}
	js.joinSummed(order, outputs, key)
	js.joinOthers(order, key)
	return js
}

// joinSummed finds the largest sums of Summed nodes.
func (js joints) joinSummed(order []*G.Node, outputs G.Nodes, key func(*G.Node) any) {
	at := map[*G.Node]int{}
	nth := map[*G.Node]int{}  // of the Summed in their order
	read := map[*G.Node]int{} // by how many
	for i, n := range order {
		at[n] = i
		if _, ok := kernel(n).(Summed); ok {
			nth[n] = len(nth)
		}
		for _, c := range children(n) {
			read[c]++
		}
	}
	once := func(n *G.Node) bool { return read[n] == 1 && !slices.Contains(outputs, n) }
	for _, n := range slices.Backward(order) {
		if js.sums[n] != nil {
			continue // a part of a larger sum
		}
		leaves, sums := added(n, once)
		if len(leaves) < 2 || !follow(leaves, nth) || !like(leaves, once, key) {
			continue
		}
		slices.SortFunc(leaves, func(a, b *G.Node) int { return nth[a] - nth[b] })
		j := &joint{on: js.on, nodes: leaves, turn: at[leaves[len(leaves)-1]], summed: true}
		for _, s := range sums {
			js.sums[s] = j
		}
		for _, l := range leaves {
			js.of[l] = j
		}
	}
}

// joinOthers finds nodes of one key, up to where the result of one is read.
func (js joints) joinOthers(order []*G.Node, key func(*G.Node) any) {
	open := map[any]*joint{}
	for i, n := range order {
		for _, c := range children(n) {
			maps.DeleteFunc(open, func(_ any, j *joint) bool { return j == js.of[c] })
		}
		k := key(n)
		if _, ok := kernel(n).(Summed); ok || k == nil {
			continue
		}
		j := open[k]
		if j == nil {
			j = &joint{on: js.on}
			open[k] = j
		}
		j.nodes, j.turn, js.of[n] = append(j.nodes, n), i, j
	}
	maps.DeleteFunc(js.of, func(_ *G.Node, j *joint) bool { return len(j.nodes) == 1 })
}

// like reports whether nodes have one key and are read once.
func like(nodes []*G.Node, once func(*G.Node) bool, key func(*G.Node) any) bool {
	first := key(nodes[0])
	return first != nil && !slices.ContainsFunc(nodes, func(n *G.Node) bool { return !once(n) || key(n) != first })
}

// follow reports whether nodes are neighbours in nth.
func follow(nodes []*G.Node, nth map[*G.Node]int) bool {
	from, to := len(nth), 0
	for _, n := range nodes {
		i, ok := nth[n]
		if !ok {
			return false
		}
		from, to = min(from, i), max(to, i)
	}
	return to-from+1 == len(nodes)
}

// sum is the Summed joint whose place n has, nil where n has its own.
func (js joints) sum(n *G.Node) *joint {
	if j := js.sums[n]; j != nil {
		return j
	}
	if j := js.of[n]; j != nil && j.summed {
		return j
	}
	return nil
}

// kernel is the kernel that computes a node, nil where none does.
func kernel(n *G.Node) Kernel {
	if o, ok := n.Op().(*op); ok {
		return o.k
	}
	return nil
}

// added are the results that n is the sum of, and the sums that no other operation reads.
func added(n *G.Node, once func(*G.Node) bool) (leaves, sums []*G.Node) {
	if n.Op() == nil || kernel(n) != nil {
		return nil, nil
	}
	sums = append(sums, n)
	for _, c := range children(n) {
		if l, s := added(c, once); len(s) > 0 && once(c) {
			leaves, sums = append(leaves, l...), append(sums, s...)
		} else {
			leaves = append(leaves, c)
		}
	}
	return leaves, sums
}
