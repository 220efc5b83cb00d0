package nn

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/enginetest"
)

// tower is a chain of convolutions with residuals, whose results die at different times.
func tower(t *testing.T, e engine.Engine) (b *Builder, last, w *G.Node) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	b = &Builder{Graph: G.NewGraph()}
	x := b.Input("x", upload(t, e, random(r, 8*8*16), 1, 8, 8, 16))
	w = b.Input("w", upload(t, e, random(r, 16*16*9), 16, 16, 3, 3))
	y := x
	for i := range 6 {
		var res *G.Node
		if i%2 == 1 {
			res = x
		}
		var err error
		if y, err = Conv(y, w, nil, nil, res, engine.ConvParams{Stride: 1, Pad: 1, Activation: engine.ReLU}); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			x = y
		}
	}
	return b, y, w
}

// A planned run, where results share memory, equals one that keeps every result.
func TestPlanKeepsWhatIsRead(t *testing.T) {
	e := newEngine(t)
	run := func(keepAll bool) ([]float32, []float32, int64) {
		b, y, w := tower(t, e)
		dy := b.Input("dy", upload(t, e, random(rand.New(rand.NewPCG(5, 6)), y.Shape().TotalSize()), y.Shape()...))
		grads, err := G.Backpropagate(G.Nodes{y}, G.Nodes{dy}, G.Nodes{w})
		if err != nil {
			t.Fatal(err)
		}
		outputs := append(G.Nodes{y}, grads...)
		if keepAll {
			for _, n := range y.Graph().AllNodes() {
				if n.Op() != nil && n != y && n != grads[0] {
					outputs = append(outputs, n)
				}
			}
		}
		m, err := NewMachine(NewArena(e), outputs)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for range 3 { // the plan must hold from run to run
			if err := m.Run(); err != nil {
				t.Fatal(err)
			}
		}
		return download(t, e, y.Value()), download(t, e, grads[0].Value()), m.Bytes()
	}
	y0, g0, most := run(true)
	y1, g1, least := run(false)
	for i := range y0 {
		if y0[i] != y1[i] {
			t.Fatalf("output %d: %g planned, %g kept", i, y1[i], y0[i])
		}
	}
	for i := range g0 {
		if g0[i] != g1[i] {
			t.Fatalf("gradient %d: %g planned, %g kept", i, g1[i], g0[i])
		}
	}
	if least >= most {
		t.Errorf("the plan takes %d bytes, keeping everything %d", least, most)
	}
}

// Places of results that live at the same time do not overlap; a sum may take its residual's.
func TestPlanOverlap(t *testing.T) {
	e := newEngine(t)
	_, y, _ := tower(t, e)
	for _, k := range []struct {
		e      engine.Engine
		inside bool
		places int64 // what is read, what is written, and a residual that is neither
	}{{e, true, 2}, {enginetest.Core(e), false, 3}} {
		p, err := NewPlan(k.e, G.Nodes{y})
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range p.order {
			for j, c := range children(a) { // a node and what it reads live together
				off, ok := p.offset[c]
				if !ok || off >= p.offset[a]+size(a) || p.offset[a] >= off+size(c) {
					continue
				}
				if residual := j == a.Op().(*op).k.(InPlace).Over(); !residual || !k.inside || off != p.offset[a] {
					t.Errorf("operation %d writes over its input %d", i, j)
				}
			}
		}
		if want := k.places * size(y); p.Bytes() != want {
			t.Errorf("chain of residual blocks takes %d bytes, wants %d", p.Bytes(), want)
		}
	}
}

// A residual that is read again, or that the convolution reads itself, keeps its place.
func TestPlanKeepsResiduals(t *testing.T) {
	e := newEngine(t)
	r := rand.New(rand.NewPCG(7, 8))
	b := &Builder{Graph: G.NewGraph()}
	x := b.Input("x", upload(t, e, random(r, 4*4*16), 1, 4, 4, 16))
	w := b.Input("w", upload(t, e, random(r, 16*16*9), 16, 16, 3, 3))
	conv := func(x, res *G.Node) *G.Node {
		return b.Check(Conv(x, w, nil, nil, res, engine.ConvParams{Stride: 1, Pad: 1}))
	}
	first := conv(x, nil)
	itself := conv(first, first)
	sum := conv(conv(itself, nil), itself) // itself is read once more
	again := conv(itself, sum)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	m, err := NewMachine(NewArena(e), G.Nodes{again})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	got := download(t, e, again.Value())
	all, err := NewMachine(NewArena(enginetest.Core(e)), G.Nodes{again})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if err := all.Run(); err != nil {
		t.Fatal(err)
	}
	apart := download(t, e, again.Value())
	most := max(slices.Max(apart), -slices.Min(apart))
	for i, want := range apart {
		if d := got[i] - want; d > 1e-4*most || d < -1e-4*most {
			t.Fatalf("output %d is %g, %g with every result in its own place", i, got[i], want)
		}
	}
}

// Machines that share an arena do not disturb each other, also when it grows under the first.
func TestArenaIsShared(t *testing.T) {
	e := newEngine(t)
	a := NewArena(e)
	_, y, _ := tower(t, e)
	small, err := NewMachine(a, G.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	if err := small.Run(); err != nil {
		t.Fatal(err)
	}
	first := download(t, e, y.Value())
	b := &Builder{Graph: G.NewGraph()}
	z, err := Activate(b.Input("x", upload(t, e, make([]float32, 1<<16), 1, 64, 64, 16)), engine.ReLU)
	if err != nil {
		t.Fatal(err)
	}
	large, err := NewMachine(a, G.Nodes{z})
	if err != nil {
		t.Fatal(err)
	}
	if err := large.Run(); err != nil {
		t.Fatal(err)
	}
	if a.Bytes() != large.Bytes() {
		t.Errorf("arena has %d bytes, its largest machine needs %d", a.Bytes(), large.Bytes())
	}
	if err := large.Close(); err != nil {
		t.Fatal(err)
	}
	if err := small.Run(); err != nil {
		t.Fatal(err)
	}
	for i, v := range download(t, e, y.Value()) {
		if v != first[i] {
			t.Fatalf("output %d: %g after the arena grew, %g before", i, v, first[i])
		}
	}
	if err := small.Close(); err != nil {
		t.Fatal(err)
	}
	if a.Bytes() != 0 {
		t.Errorf("%d bytes are left after the last machine closed", a.Bytes())
	}
}

func TestShapeErrors(t *testing.T) {
	b := &Builder{Graph: G.NewGraph()}
	in := func(name string, shape ...int) *G.Node {
		return b.Input(name, tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...)))
	}
	x := in("x", 1, 4, 4, 8)
	cases := []struct {
		name, want string
		f          func() (*G.Node, error)
	}{
		{"channels", "channel counts disagree", func() (*G.Node, error) {
			return Conv(x, in("w", 8, 4, 3, 3), nil, nil, nil, engine.ConvParams{Stride: 1, Pad: 1})
		}},
		{"window", "does not fit", func() (*G.Node, error) {
			return Conv(x, in("v", 8, 8, 7, 7), nil, nil, nil, engine.ConvParams{Stride: 1})
		}},
		{"residual", "residual is", func() (*G.Node, error) {
			return Conv(x, in("u", 8, 8, 3, 3), nil, nil, in("r", 1, 2, 2, 8), engine.ConvParams{Stride: 1, Pad: 1})
		}},
		{"groups", "do not split", func() (*G.Node, error) {
			return GroupNorm(x, in("g", 8), in("b", 8), engine.NormParams{Groups: 3})
		}},
		{"nil", "is nil", func() (*G.Node, error) { return Activate(nil, engine.ReLU) }},
	}
	for _, c := range cases {
		if _, err := c.f(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, wants %q", c.name, err, c.want)
		}
	}
}
