package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cpu"
)

// run computes nodes and copies their values.
func run(t *testing.T, e engine.Engine, nodes ...*G.Node) [][]float32 {
	t.Helper()
	m, err := NewMachine(NewArena(e), nodes)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, n := range nodes {
		out = append(out, download(t, e, n.Value()))
	}
	return out
}

// By hand: the means of 1, 3 and of 10, 30 are 2 and 20; sigmoid(ln 3) = 3/4, sigmoid(0) = 1/2; logits far away open and close.
func TestSqueezeAndGate(t *testing.T) {
	e := newEngine(t)
	b := &Builder{Graph: G.NewGraph()}
	x := b.Input("x", upload(t, e, []float32{1, 10, 3, 30, 4, 40, 8, 80}, 2, 1, 2, 2))
	z := b.Input("z", upload(t, e, []float32{float32(math.Log(3)), 0, 1e4, -1e4}, 2, 1, 1, 2))
	m, err := Squeeze(x)
	if err != nil {
		t.Fatal(err)
	}
	y, err := Gate(x, z)
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, e, m, y)
	if want := []float32{2, 20, 6, 60}; !slices.Equal(got[0], want) {
		t.Errorf("means %v, want %v", got[0], want)
	}
	if want := []float32{.75, 5, 2.25, 15, 4, 0, 8, 0}; !slices.Equal(got[1], want) {
		t.Errorf("gated %v, want %v", got[1], want)
	}
	if _, err := Gate(x, m); err != nil {
		t.Error(err)
	}
	if _, err := Gate(m, x); err == nil || !strings.Contains(err.Error(), "want (2, 1, 1, 2)") {
		t.Errorf("gates of another shape: %v", err)
	}
}

// away is an engine whose tensors the host cannot read where they lie.
type away struct{ *cpu.Engine }

func (a away) Supports(op engine.Op) bool { return op != engine.HostReadable && a.Engine.Supports(op) }

// Results and gradients have the same bits with any number of threads and where tensors are copied to the host and back.
func TestExciteEverywhere(t *testing.T) {
	var want [][]float32
	for i, threads := range []int{1, 2, 3} {
		c, err := cpu.New(cpu.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var e engine.Engine = c
		if i == 2 {
			e = away{c}
		}
		b := NewBuilder(e, Training, NewParams(e, 3), NewFolded(e))
		r := rand.New(rand.NewPCG(7, 8))
		shape := tensor.Shape{2, 40, 33, 16}
		x := b.Input("x", upload(t, e, random(r, shape.TotalSize()), shape...))
		dy := b.Input("dy", upload(t, e, random(r, shape.TotalSize()), shape...))
		y := b.Excite(x, "se", 4, HeNormal)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		weights, params := b.Nodes()
		if len(params) != 4 || params[0].Name != "se.fc1.weight" || !slices.Equal(params[2].Shape, []int{16, 4, 1, 1}) {
			t.Errorf("parameters %v", params)
		}
		grads, err := G.Backpropagate(G.Nodes{y}, G.Nodes{dy}, append(G.Nodes{x}, weights...))
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, e, append(grads, y)...)
		if want == nil {
			want = got
		}
		for j := range got {
			if !slices.Equal(got[j], want[j]) {
				t.Errorf("%d threads: result %d differs", threads, j)
			}
		}
	}
}
