package quant

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
	"retinago/nn"
)

// world is a small network with every kind of layer: a stem, a residual block, depthwise convolutions, a leaky and a capped
// activation, a pool, an upsampled sum of signed maps, and heads shared by two levels, one with group norm.
type world struct {
	engine *cpu.Engine
	arena  *nn.Arena
	graph  Graph
	heads  G.Nodes // outputs, level by level
	images *tensor.Dense
}

func build(t testing.TB, o cpu.Options) *world {
	t.Helper()
	e, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	x, err := e.New(tensor.Float32, 1, 32, 48, 3)
	if err != nil {
		t.Fatal(err)
	}
	b := nn.NewBuilder(e, nn.Inference, nn.NewParams(e, 5), nn.NewFolded(e))
	conv := func(x, res *G.Node, s nn.ConvSpec) *G.Node {
		s.Init = nn.HeNormal
		if s.Bias {
			s.BiasInit = nn.Normal(.1)
		}
		return b.ConvAdd(x, res, s)
	}
	leaky, six := engine.Activation{Kind: engine.Rectified, Slope: .1}, engine.Activation{Kind: engine.Rectified, Cap: 2}
	images := b.Input("images", x)
	y := b.ConvNorm(images, nn.ConvSpec{Name: "stem", In: 3, Out: 16, Kernel: 3, Stride: 2, Activation: engine.ReLU, Init: nn.HeNormal}, nn.NormSpec{Name: "norm", Norm: nn.Frozen, Eps: 1e-5}, nil)
	y = b.Check(nn.MaxPool(y, engine.PoolParams{Kernel: 3, Stride: 2, Pad: 1}))
	z := conv(y, nil, nn.ConvSpec{Name: "block.a", In: 16, Out: 16, Kernel: 1, Activation: leaky})
	z = conv(z, nil, nn.ConvSpec{Name: "block.b", In: 16, Out: 16, Kernel: 3, Groups: 16, Activation: six})
	fine := conv(z, y, nn.ConvSpec{Name: "block.c", In: 16, Out: 16, Kernel: 3})
	coarse := conv(fine, nil, nn.ConvSpec{Name: "down", In: 16, Out: 16, Kernel: 3, Stride: 2, Bias: true})
	rect := b.Check(nn.Activate(coarse, engine.ReLU))
	rect = conv(rect, nil, nn.ConvSpec{Name: "after", In: 16, Out: 16, Kernel: 1, Bias: true})
	sum := b.Check(nn.UpsampleAdd(rect, fine))
	var heads [][]*G.Node
	for _, p := range []*G.Node{sum, rect} {
		h := b.ConvNorm(p, nn.ConvSpec{Name: "head.0", In: 16, Out: 16, Kernel: 3, Activation: engine.ReLU, Init: nn.HeNormal}, nn.NormSpec{Name: "head.norm", Norm: nn.Group, Groups: 4, Eps: 1e-5}, nil)
		a := conv(h, nil, nn.ConvSpec{Name: "head.1", In: 16, Out: 16, Kernel: 3, Activation: engine.ReLU, Bias: true})
		heads = append(heads, []*G.Node{conv(a, nil, nn.ConvSpec{Name: "head.a", In: 16, Out: 9, Kernel: 3, Bias: true}), conv(h, nil, nn.ConvSpec{Name: "head.b", In: 16, Out: 4, Kernel: 3})})
	}
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	plan, err := nn.NewPlan(e, slices.Concat(heads...))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{e, nn.NewArena(e), Graph{Graph: plan.Graph()}, slices.Concat(heads...), x}
	w.graph.Images = w.graph.Numbers(images)[0]
	for _, level := range heads {
		w.graph.Heads = append(w.graph.Heads, w.graph.Numbers(level...))
	}
	return w
}

func (w *world) net(t testing.TB, weights *Weights) *Net {
	t.Helper()
	n, err := NewNet(w.engine, w.arena, w.graph, weights)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// picture is noise with some structure.
func (w *world) picture(t testing.TB, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	v := make([]float32, w.images.Shape().TotalSize())
	for i := range v {
		v[i] = float32(math.Sin(float64(i)/40+float64(seed)) + .5*r.NormFloat64())
	}
	if err := w.engine.Upload(w.images, v); err != nil {
		t.Fatal(err)
	}
}

func (w *world) calibrate(t testing.TB, o Options) *Scheme {
	t.Helper()
	c, err := NewCalibration(o)
	if err != nil {
		t.Fatal(err)
	}
	n := w.net(t, nil)
	for i := range uint64(4) {
		w.picture(t, i)
		if err := c.Add(n, 1); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Scheme(w.engine, w.graph)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outputs runs a network and copies what its heads give.
func (w *world) outputs(t testing.TB, n *Net) [][]float32 {
	t.Helper()
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, h := range slices.Concat(w.graph.Heads...) {
		v := make([]float32, w.graph.Values[h].Shape.TotalSize())
		if err := w.engine.Download(v, n.Value(h)); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

var minmax = Options{Method: Method{Kind: "minmax"}}

// Without weights the network is the float one: what calibration sees is what nn.Machine computes.
func TestFloatNet(t *testing.T) {
	w := build(t, cpu.Options{Threads: 2})
	n := w.net(t, nil)
	if got := n.Counts(); got != (Counts{Float: 14}) {
		t.Errorf("layers %+v", got)
	}
	w.picture(t, 9)
	got := w.outputs(t, n)
	m, err := nn.NewMachine(w.arena, w.heads)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	for i, h := range w.heads {
		want := make([]float32, h.Shape().TotalSize())
		if err := w.engine.Download(want, m.Value(h)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[i], want) {
			t.Errorf("output %d differs", i)
		}
	}
}

func TestNames(t *testing.T) {
	w := build(t, cpu.Options{Threads: 1})
	ops, err := w.graph.operations()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range ops {
		names = append(names, o.name)
	}
	for _, want := range []string{"stem", "stem.pool", "block.c", "down", "down.relu", "block.c.sum", "head.0@0", "head.norm@0", "head.0@1", "head.norm@1", "head.b@1"} {
		if !slices.Contains(names, want) {
			t.Errorf("no result is called %s; there are %v", want, names)
		}
	}
}

// far is the distance of two vectors over the length of the second.
func far(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += float64(a[i]-b[i]) * float64(a[i]-b[i])
		n += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / n)
}

// Int8 networks are near the float one, for every choice of float layers, and the same on every instruction set.
func TestInt8Net(t *testing.T) {
	for _, c := range []struct {
		float  []string
		layers Counts // of both levels
	}{
		{nil, Counts{Int8: 14}},
		{[]string{First, Last}, Counts{Int8: 9, Float: 5}},
		{[]string{"block", "head.1"}, Counts{Int8: 9, Float: 5}},
		{[]string{"down", "block.b", "stem"}, Counts{Int8: 11, Float: 3}},
	} {
		var first [][]float32
		for _, path := range cpu.Int8Paths() {
			w := build(t, cpu.Options{Threads: 2, Int8: path})
			o := minmax
			o.Float = c.float
			weights := NewWeights(w.engine, w.calibrate(t, o))
			n := w.net(t, weights)
			if got := n.Counts(); got != c.layers {
				t.Errorf("%v: layers %+v, want %+v", c.float, got, c.layers)
			}
			w.picture(t, 2)
			float := w.outputs(t, w.net(t, nil))
			got := w.outputs(t, n)
			for i := range got {
				// A step of 1/256 of the range, in and out, over eight layers.
				if d := far(got[i], float[i]); !(d < .06) {
					t.Errorf("%s, %v: output %d is off by %.3f", path, c.float, i, d)
				}
			}
			if first == nil {
				first = got
			}
			for i := range got {
				if !slices.Equal(got[i], first[i]) {
					t.Errorf("%s, %v: output %d has other bits than on %s", path, c.float, i, cpu.Int8Paths()[0])
				}
			}
			weights.Close()
		}
	}
}

// bare is an operation without an 8-bit form.
type bare struct{ nn.Kernel }

// A network with an operation that has no form is an error that names the operation.
func TestOperationWithoutForm(t *testing.T) {
	w := build(t, cpu.Options{Threads: 1})
	at := slices.IndexFunc(w.graph.Values, func(v nn.Value) bool { return v.Layer.Op == "UpsampleAdd" })
	w.graph.Values[at].Kernel = bare{w.graph.Values[at].Kernel}
	want := "quant: UpsampleAdd of after: the operation has no 8-bit form"
	if _, err := NewNet(w.engine, w.arena, w.graph, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %q", err, want)
	}
	if _, err := w.graph.Convolutions(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %q", err, want)
	}
}

func TestCalibrationErrors(t *testing.T) {
	w := build(t, cpu.Options{Threads: 1})
	c, err := NewCalibration(minmax)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Scheme(w.engine, w.graph); err == nil || !strings.Contains(err.Error(), "no images") {
		t.Errorf("without pictures: %v", err)
	}
	n := w.net(t, nil)
	w.picture(t, 1)
	c.options.Float = []string{"hed"}
	if err := c.Add(n, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Scheme(w.engine, w.graph); err == nil || !strings.Contains(err.Error(), `"hed"`) || !strings.Contains(err.Error(), "head.0") {
		t.Errorf("a layer that is not there: %v", err)
	}
	c.options.Float = []string{"stem", "block", "down", "after", "head"}
	if _, err := c.Scheme(w.engine, w.graph); err == nil || !strings.Contains(err.Error(), "no convolution is left") {
		t.Errorf("all float: %v", err)
	}
	c.options.Float = nil
	s, err := c.Scheme(w.engine, w.graph)
	if err != nil {
		t.Fatal(err)
	}
	delete(s.Ranges, "down")
	if _, err := NewNet(w.engine, w.arena, w.graph, NewWeights(w.engine, s)); err == nil || !strings.Contains(err.Error(), "down") {
		t.Errorf("without a range: %v", err)
	}
	s.Ranges["down"] = Range{0, 1}
	s.Weights["down"] = s.Weights["down"][:3]
	if _, err := NewNet(w.engine, w.arena, w.graph, NewWeights(w.engine, s)); err == nil || !strings.Contains(err.Error(), "3 scales") {
		t.Errorf("with too few scales: %v", err)
	}
	nan := make([]float32, w.images.Shape().TotalSize())
	nan[7] = float32(math.NaN())
	if err := w.engine.Upload(w.images, nan); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(n, 1); err == nil || !strings.Contains(err.Error(), "images") {
		t.Errorf("NaN: %v", err)
	}
}
