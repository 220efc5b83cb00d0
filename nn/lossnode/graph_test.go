package lossnode

import (
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/nn"
)

// graph is a training graph to put losses into.
type graph struct {
	t      *testing.T
	engine engine.Engine
	b      *nn.Builder
}

// newGraph makes a graph on what as makes of an engine of the CPU.
func newGraph(t *testing.T, as func(engine.Engine) engine.Engine) *graph {
	t.Helper()
	c, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	e := as(c)
	return &graph{t, e, nn.NewBuilder(e, nn.Training, nn.NewParams(e, 1), nn.NewFolded(e))}
}

func (g *graph) input(name string, v any, dt tensor.Dtype, shape ...int) *G.Node {
	g.t.Helper()
	d, err := g.engine.New(dt, shape...)
	if err == nil {
		err = g.engine.Upload(d, v)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return g.b.Input(name, d)
}

// whole is an engine as it is.
func whole(e engine.Engine) engine.Engine { return e }

// run returns up times the sum of losses, and its gradients by the nodes of by.
func (g *graph) run(up float32, losses, by G.Nodes) (float64, [][]float32) {
	g.t.Helper()
	seed := g.input("up", []float32{up}, tensor.Float32, 1)
	grads, err := G.Backpropagate(losses, slices.Repeat(G.Nodes{seed}, len(losses)), by)
	if err != nil {
		g.t.Fatal(err)
	}
	m, err := nn.NewMachine(nn.NewArena(g.engine), append(slices.Clone(losses), grads...))
	if err != nil {
		g.t.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		g.t.Fatal(err)
	}
	read := func(n *G.Node) []float32 {
		v := make([]float32, n.Shape().TotalSize())
		if err := g.engine.Download(v, n.Value().(*tensor.Dense)); err != nil {
			g.t.Fatal(err)
		}
		return v
	}
	total := 0.0
	for _, l := range losses {
		total += float64(up) * float64(read(l)[0])
	}
	var out [][]float32
	for _, n := range grads {
		out = append(out, read(n))
	}
	return total, out
}
