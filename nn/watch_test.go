package nn

import (
	"math/rand/v2"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
)

// A run reports every operation once, in order, and the times add up to no more than the run. Operations of the backward
// pass have the names of their layers.
func TestObserve(t *testing.T) {
	e := newEngine(t)
	r := rand.New(rand.NewPCG(1, 2))
	b := NewBuilder(e, Training, NewParams(e, 1), NewFolded(e))
	x := b.Input("x", upload(t, e, random(r, 16*16*16), 1, 16, 16, 16))
	// The second convolution reads the first's result twice, so that its gradients are summed; both share weights with it.
	y := b.Conv(x, ConvSpec{Name: "first", In: 16, Out: 16, Kernel: 3, Activation: engine.ReLU, Init: HeNormal})
	y = b.ConvNorm(y, ConvSpec{Name: "second", In: 16, Out: 16, Kernel: 3, Init: HeNormal}, NormSpec{Name: "norm", Norm: Group, Groups: 4, Eps: 1e-5}, y)
	y = b.Conv(y, ConvSpec{Name: "first", In: 16, Out: 16, Kernel: 3, Init: HeNormal})
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	dy := b.Input("dy", upload(t, e, random(r, y.Shape().TotalSize()), y.Shape()...))
	nodes, _ := b.Nodes()
	grads, err := G.Backpropagate(G.Nodes{y}, G.Nodes{dy}, nodes)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMachine(NewArena(e), append(G.Nodes{y}, grads...))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	layers := m.Layers()
	count := map[string]int{}
	for _, l := range layers {
		name := l.Op + " of " + l.Name
		if l.Back {
			name += ", backward"
		}
		count[name]++
	}
	for name, want := range map[string]int{"Conv of first": 2, "Conv of second": 1, "GroupNorm of norm": 1, "Add of norm": 1, "ConvData of first, backward": 1,
		"ConvData of second, backward": 1, "ConvWeights of first, backward": 2, "ConvWeights of second, backward": 1, "ActivateGrad of first, backward": 1,
		"GroupNormGrad of norm, backward": 1, "GroupNormParamGrad of norm, backward": 1, "Row of norm, backward": 2, "Sum of first, backward": 1, "Sum of second, backward": 1} {
		if count[name] != want {
			t.Errorf("%s: %d times, want %d; there are %v", name, count[name], want, count)
		}
	}

	var heard []int
	var sum time.Duration
	m.Observe(func(i int, d time.Duration) {
		heard = append(heard, i)
		sum += d
	})
	for range 2 {
		heard, sum = nil, 0
		begin := time.Now()
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); sum <= 0 || sum > took {
			t.Errorf("operations took %v of a run of %v", sum, took)
		}
		for i, k := range heard {
			if i != k {
				t.Fatalf("operation %d was heard of as number %d: %v", k, i, heard)
			}
		}
		if len(heard) != len(layers) {
			t.Errorf("%d of %d operations were heard of", len(heard), len(layers))
		}
	}
	heard = nil
	m.Observe(nil)
	if err := m.Run(); err != nil || heard != nil {
		t.Errorf("observed after the end: %v, %v", heard, err)
	}
}

// Blank parameters are 0 and otherwise like drawn ones.
func TestBlankParams(t *testing.T) {
	e := newEngine(t)
	p, err := NewBlankParams(e).Declare("w", Weight, true, HeNormal, 2, 3, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	v := []float32{1, 1, 1, 1, 1, 1}
	if err := e.Download(v, p.Value); err != nil {
		t.Fatal(err)
	}
	for _, x := range v {
		if x != 0 {
			t.Errorf("a blank parameter is %v", v)
		}
	}
	if !p.Trainable || p.Size() != 6 {
		t.Errorf("%+v", p)
	}
}
