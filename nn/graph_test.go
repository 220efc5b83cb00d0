package nn

import (
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
)

// A graph lists what is read before what reads it, with kernels, names and tensors; a node that is not in the plan has no number.
func TestGraph(t *testing.T) {
	e := newEngine(t)
	b := NewBuilder(e, Inference, NewParams(e, 1), NewFolded(e))
	x := b.Input("x", upload(t, e, make([]float32, 2*4*4*8), 2, 4, 4, 8))
	y := b.ConvNorm(x, ConvSpec{Name: "c", In: 8, Out: 8, Kernel: 3, Init: HeNormal}, NormSpec{Name: "n", Norm: Group, Groups: 2, Eps: 1e-5}, nil)
	z := b.Check(Add(y, x, engine.ReLU))
	aside := b.Check(Activate(x, engine.ReLU))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	p, err := NewPlan(e, G.Nodes{z})
	if err != nil {
		t.Fatal(err)
	}
	g := p.Graph()
	at := g.Numbers(x, y, z, aside)
	if at[2] != len(g.Values)-1 || at[3] != -1 {
		t.Fatalf("numbers %v of %d values", at, len(g.Values))
	}
	sum, norm := g.Values[at[2]], g.Values[at[1]]
	if !slices.Equal(sum.In, []int{at[1], at[0]}) || sum.Kernel.Name() != "Add" || sum.Layer.Activation != engine.ReLU || sum.Tensor != nil {
		t.Errorf("the sum is %+v", sum)
	}
	if in := g.Values[at[0]]; in.Name != "x" || in.Tensor == nil || in.In != nil || !slices.Equal(in.Shape, []int{2, 4, 4, 8}) {
		t.Errorf("the input is %+v", in)
	}
	if gamma := g.Values[norm.In[1]]; gamma.Name != "n.weight" || gamma.Tensor == nil || norm.Op() != "GroupNorm of n" {
		t.Errorf("%s has %+v", norm.Op(), gamma)
	}
	for i, v := range g.Values {
		if slices.ContainsFunc(v.In, func(in int) bool { return in >= i }) {
			t.Errorf("value %d reads %v", i, v.In)
		}
	}

	// Two instances of a norm have statistics of their own; what has none is itself.
	a, freeA, err := g.Instance(e, at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer freeA()
	c, freeC, err := g.Instance(e, at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer freeC()
	if s, o := a.(*groupNorm).stats, c.(*groupNorm).stats; s == nil || s == o || !slices.Equal(s.Shape(), []int{2, 2, 2}) || norm.Kernel.(*groupNorm).stats != nil {
		t.Errorf("statistics %v and %v", s, o)
	}
	if k, _, err := g.Instance(e, at[2]); err != nil || k != sum.Kernel {
		t.Errorf("an instance of the sum is %v, %v", k, err)
	}
}

// A norm by the batch keeps state that cannot be had twice.
func TestInstanceRefuses(t *testing.T) {
	e := newEngine(t)
	b := NewBuilder(e, Training, NewParams(e, 1), NewFolded(e))
	x := b.Input("x", upload(t, e, make([]float32, 2*4*4*8), 2, 4, 4, 8))
	y := b.ConvNorm(x, ConvSpec{Name: "c", In: 8, Out: 8, Kernel: 3, Init: HeNormal}, NormSpec{Name: "n", Norm: Batch, Eps: 1e-5}, nil)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	p, err := NewPlan(e, G.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	g := p.Graph()
	if _, _, err := g.Instance(e, g.Numbers(y)[0]); err == nil || err.Error() != "nn: BatchNorm of n cannot run apart from its machine" {
		t.Errorf("an instance of a batch norm: %v", err)
	}
}
