package nn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cpu"
)

// spy counts the maps of each call that takes several.
type spy struct {
	*cpu.Engine
	forward, data, weights []int
	fail                   error // of the next ReLU
}

func (s *spy) ConvAll(y, x []*tensor.Dense, w, scale, b *tensor.Dense, p engine.ConvParams) error {
	s.forward = append(s.forward, len(x))
	return s.Engine.ConvAll(y, x, w, scale, b, p)
}

func (s *spy) ConvDataAll(dx, dy []*tensor.Dense, w, scale *tensor.Dense, p engine.ConvParams) error {
	s.data = append(s.data, len(dy))
	return s.Engine.ConvDataAll(dx, dy, w, scale, p)
}

func (s *spy) ConvWeightsAll(dw *tensor.Dense, dy, x []*tensor.Dense, scale *tensor.Dense, p engine.ConvParams) error {
	s.weights = append(s.weights, len(x))
	return s.Engine.ConvWeightsAll(dw, dy, x, scale, p)
}

func (s *spy) Activate(y, x *tensor.Dense, a engine.Activation) error {
	if err := s.fail; err != nil {
		s.fail = nil
		return err
	}
	return s.Engine.Activate(y, x, a)
}

func newSpy(t *testing.T) *spy {
	t.Helper()
	e := newEngine(t).(*cpu.Engine)
	e.Use(cpu.Winograd, nil)
	return &spy{Engine: e}
}

// single is an engine that computes each map alone.
type single struct {
	engine.Engine
}

func (single) Supports(op engine.Op) bool { return op == engine.ResidualInPlace }

// A head's convolutions run on all levels at once, forward and backward, to the results of one by one, and every operation is
// heard of once.
func TestJointHeads(t *testing.T) {
	s := newSpy(t)
	run := func(e engine.Engine) (ys, grads [][]float32, names []string) {
		r := rand.New(rand.NewPCG(1, 2))
		b := NewBuilder(e, Training, NewParams(e, 1), NewFolded(e))
		var levels G.Nodes
		for i, size := range []int{20, 10, 5} {
			x := b.Input([]string{"P3", "P4", "P5"}[i], upload(t, e, random(r, 2*size*size*16), 2, size, size, 16))
			levels = append(levels, b.Conv(x, ConvSpec{Name: "below", In: 16, Out: 32, Kernel: 1, Init: HeNormal}))
		}
		for _, c := range []ConvSpec{{Name: "a", In: 32, Out: 32, Bias: true, Activation: engine.ReLU}, {Name: "b", In: 32, Out: 32, Bias: true, Activation: engine.ReLU}, {Name: "logits", In: 32, Out: 36, Bias: true}} {
			c.Kernel, c.Init = 3, HeNormal
			for i, x := range levels {
				levels[i] = b.Conv(x, c)
			}
		}
		var seeds G.Nodes
		for i, y := range levels {
			seeds = append(seeds, b.Input([]string{"d3", "d4", "d5"}[i], upload(t, e, random(r, y.Shape().TotalSize()), y.Shape()...)))
		}
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		nodes, params := b.Nodes()
		g, err := G.Backpropagate(levels, seeds, nodes)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(NewArena(e), append(slices.Clone(levels), g...))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		heard := make([]int, len(m.Layers()))
		m.Observe(func(i int, d time.Duration) { heard[i]++ })
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(heard, func(n int) bool { return n != 1 }) {
			t.Errorf("operations were heard of %v times", heard)
		}
		m.Observe(nil)
		s.forward, s.data, s.weights = nil, nil, nil
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		for _, y := range levels {
			ys = append(ys, download(t, e, y.Value()))
		}
		for i, n := range g {
			grads, names = append(grads, download(t, e, n.Value())), append(names, params[i].Name)
		}
		return ys, grads, names
	}
	ys, grads, names := run(s)
	three := []int{3, 3, 3}
	if !slices.Equal(s.forward, three) || !slices.Equal(s.data, three) || !slices.Equal(s.weights, three) {
		t.Errorf("maps at once: %v forward, %v by data, %v by weights; want %v each", s.forward, s.data, s.weights, three)
	}
	wantY, wantG, _ := run(single{s.Engine})
	for i := range ys {
		if !slices.EqualFunc(ys[i], wantY[i], sameBits) {
			t.Errorf("level %d differs", i)
		}
	}
	for i, g := range grads {
		var most, off float64
		for j := range g {
			most, off = max(most, math.Abs(float64(wantG[i][j]))), max(off, math.Abs(float64(g[j]-wantG[i][j])))
		}
		if most == 0 || off > 1e-5*most {
			t.Errorf("the gradient of %s is off by %g of %g", names[i], off, most)
		}
	}
}

// A convolution that needs another's result comes after it, though their weights are the same.
func TestJointEndsWhereItIsRead(t *testing.T) {
	s := newSpy(t)
	run := func(e engine.Engine) []float32 {
		r := rand.New(rand.NewPCG(3, 4))
		b := &Builder{Graph: G.NewGraph()}
		w := b.Input("w", upload(t, e, random(r, 16*16*9), 16, 16, 3, 3))
		conv := func(x *G.Node) *G.Node {
			return b.Check(Conv(x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1}))
		}
		one := conv(b.Input("one", upload(t, e, random(r, 8*8*16), 1, 8, 8, 16)))
		two := conv(b.Input("two", upload(t, e, random(r, 8*8*16), 1, 8, 8, 16)))
		more := b.Check(Activate(two, engine.ReLU))
		one, two = conv(one), conv(more)
		y := b.Check(Add(one, conv(two), engine.None))
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		m, err := NewMachine(NewArena(e), G.Nodes{y})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s.forward = nil
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		return download(t, e, y.Value())
	}
	got := run(s)
	if want := []int{2, 2}; !slices.Equal(s.forward, want) {
		t.Errorf("%v maps at once, want %v", s.forward, want)
	}
	if !slices.EqualFunc(got, run(single{s.Engine}), sameBits) {
		t.Error("the result differs")
	}
}

// After a run that failed between convolutions that are computed at once, the next is complete.
func TestJointAfterFailure(t *testing.T) {
	s := newSpy(t)
	r := rand.New(rand.NewPCG(5, 6))
	b := &Builder{Graph: G.NewGraph()}
	w := b.Input("w", upload(t, s, random(r, 16*16*9), 16, 16, 3, 3))
	x := b.Input("x", upload(t, s, random(r, 8*8*16), 1, 8, 8, 16))
	p := engine.ConvParams{Stride: 1, Pad: 1}
	one := b.Check(Conv(x, w, nil, nil, nil, p))
	two := b.Check(Conv(b.Check(Activate(x, engine.ReLU)), w, nil, nil, nil, p))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	m, err := NewMachine(NewArena(s), G.Nodes{one, two})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	first, second := download(t, s, one.Value()), download(t, s, two.Value())
	s.fail = errors.New("full")
	if err := m.Run(); err == nil {
		t.Fatal("the run did not fail")
	}
	for _, n := range []*G.Node{one, two} {
		if err := s.Upload(m.Value(n), make([]float32, len(first))); err != nil {
			t.Fatal(err)
		}
	}
	s.forward = nil
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	if want := []int{2}; !slices.Equal(s.forward, want) {
		t.Errorf("%v maps at once, want %v", s.forward, want)
	}
	if !slices.EqualFunc(first, download(t, s, one.Value()), sameBits) || !slices.EqualFunc(second, download(t, s, two.Value()), sameBits) {
		t.Error("the results differ")
	}
}
