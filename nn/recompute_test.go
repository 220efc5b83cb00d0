package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
)

// Gradients are equal to the bit with results computed again, of convolutions with ReLU, group norms and a residual within
// the segment, for two segments that share their weights, and take less memory.
func TestRecompute(t *testing.T) {
	e := newEngine(t)
	params, folded := NewParams(e, 1), NewFolded(e)
	run := func(again bool) (values [][]float32, bytes int64, layers []Layer) {
		b := NewBuilder(e, Training, params, folded)
		r := rand.New(rand.NewPCG(1, 2))
		conv := func(x, res *G.Node, name string) *G.Node {
			return b.ConvAdd(x, res, ConvSpec{Name: name, In: 16, Out: 16, Kernel: 3, Bias: true, Activation: engine.ReLU, Init: HeNormal})
		}
		norm := func(x *G.Node, name string) *G.Node {
			return b.ConvNorm(x, ConvSpec{Name: name, In: 16, Out: 16, Kernel: 3, Activation: engine.ReLU, Init: HeNormal},
				NormSpec{Name: name + ".norm", Norm: Group, Groups: 4, Eps: 1e-5}, nil)
		}
		var ys, seeds G.Nodes
		for _, name := range []string{"left", "right"} {
			x := conv(b.Input(name, upload(t, e, random(r, 2*16*16*16), 2, 16, 16, 16)), nil, "before")
			y := norm(x, "a")
			y = conv(norm(y, "b"), y, "c")
			y = conv(conv(y, nil, "d"), nil, "last")
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			if again {
				if err := Recompute(G.Nodes{x}, G.Nodes{y}); err != nil {
					t.Fatal(err)
				}
			}
			ys = append(ys, y)
			seeds = append(seeds, b.Input("d"+name, upload(t, e, random(r, y.Shape().TotalSize()), y.Shape()...)))
		}
		nodes, _ := b.Nodes()
		grads, err := G.Backpropagate(ys, seeds, nodes)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(NewArena(e), append(slices.Clone(ys), grads...))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for range 2 {
			if err := m.Run(); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range append(slices.Clone(ys), grads...) {
			values = append(values, download(t, e, n.Value()))
		}
		return values, m.Bytes(), m.Layers()
	}
	kept, most, _ := run(false)
	again, least, layers := run(true)
	for i := range kept {
		if !slices.EqualFunc(kept[i], again[i], sameBits) {
			t.Errorf("value %d differs", i)
		}
	}
	if least >= most {
		t.Errorf("%d bytes with results computed again, %d with results kept", least, most)
	}
	count := map[string]int{}
	for _, l := range layers {
		if l.Back {
			count[l.Op+" of "+l.Name]++
		}
	}
	// Of each side: what lies between, but neither x nor y.
	for name, want := range map[string]int{"Conv of a": 2, "GroupNorm of a.norm": 2, "Conv of b": 2, "GroupNorm of b.norm": 2, "Conv of c": 2, "Conv of d": 2,
		"Conv of last": 0, "Conv of before": 0} {
		if count[name] != want {
			t.Errorf("%s is %d times in the backward pass, want %d", name, count[name], want)
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// A batch norm would move its running statistics twice.
func TestRecomputeRefuses(t *testing.T) {
	e := newEngine(t)
	b := NewBuilder(e, Training, NewParams(e, 1), NewFolded(e))
	x := b.Input("x", upload(t, e, make([]float32, 4*4*8), 1, 4, 4, 8))
	y := b.ConvNorm(x, ConvSpec{Name: "conv", In: 8, Out: 8, Kernel: 3, Init: HeNormal}, NormSpec{Name: "norm", Norm: Batch, Eps: 1e-5}, nil)
	z := b.Check(Activate(y, engine.ReLU))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if err := Recompute(G.Nodes{x}, G.Nodes{z}); err == nil || !strings.Contains(err.Error(), "BatchNorm") {
		t.Errorf("error %v, wants BatchNorm's name", err)
	}
	if err := Recompute(G.Nodes{x}, G.Nodes{y}); err != nil {
		t.Errorf("a batch norm at the end runs once: %v", err)
	}
}
