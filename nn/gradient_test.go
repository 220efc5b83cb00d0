package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/cpu"
)

func newEngine(t testing.TB) engine.Engine {
	t.Helper()
	e, err := cpu.New(cpu.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// upload makes a tensor of the given values.
func upload(t testing.TB, e engine.Engine, v []float32, shape ...int) *tensor.Dense {
	t.Helper()
	x, err := e.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Upload(x, v); err != nil {
		t.Fatal(err)
	}
	return x
}

func download(t testing.TB, e engine.Engine, v G.Value) []float32 {
	t.Helper()
	x := v.(*tensor.Dense)
	host := make([]float32, x.Shape().TotalSize())
	if err := e.Download(host, x); err != nil {
		t.Fatal(err)
	}
	return host
}

// random draws n values around 0 that keep away from it, where ReLU has no derivative.
func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
		if math.Abs(float64(v[i])) < .05 {
			v[i] = .05
		}
	}
	return v
}

// build composes a graph of its inputs.
type build func(in G.Nodes) (*G.Node, error)

// checkGradients compares the gradient of sum(y*r), r random, by every input with central differences: the L2 norm of
// the difference is at most 1e-3 of the gradient's.
func checkGradients(t *testing.T, f build, shapes ...[]int) {
	t.Helper()
	e := newEngine(t)
	r := rand.New(rand.NewPCG(1, uint64(len(shapes))))
	g := G.NewGraph()
	b := &Builder{Graph: g}
	var in []*tensor.Dense
	var nodes G.Nodes
	for i, s := range shapes {
		in = append(in, upload(t, e, random(r, tensor.Shape(s).TotalSize()), s...))
		nodes = append(nodes, b.Input(string(rune('a'+i)), in[i]))
	}
	y, err := f(nodes)
	if err != nil {
		t.Fatal(err)
	}
	seed := random(r, y.Shape().TotalSize())
	dy := b.Input("dy", upload(t, e, seed, y.Shape()...))
	grads, err := G.Backpropagate(G.Nodes{y}, G.Nodes{dy}, nodes)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMachine(NewArena(e), append(G.Nodes{y}, grads...))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	value := func() float64 {
		e.WeightsChanged()
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		var s float64
		for i, v := range download(t, e, y.Value()) {
			s += float64(v) * float64(seed[i])
		}
		return s
	}
	value()
	analytic := make([][]float32, len(in))
	for i := range in {
		analytic[i] = download(t, e, grads[i].Value())
	}
	const h = 8e-3
	for i, x := range in {
		host := download(t, e, x)
		central := func(j int, h float32) float64 {
			old := host[j]
			defer func() { host[j] = old; e.Upload(x, host) }()
			host[j] = old + h
			e.Upload(x, host)
			up := value()
			host[j] = old - h
			e.Upload(x, host)
			return (up - value()) / (2 * float64(h))
		}
		var diff, norm float64
		stride := max(len(host)/60, 1) // a sample of large tensors
		tried, kinks := 0, 0
		for j := 0; j < len(host); j += stride {
			tried++
			numeric, wide := central(j, h/2), central(j, h)
			// Where the two disagree, a ReLU or a maximum has its kink between: there is no derivative to compare with.
			if math.Abs(numeric-wide) > 2e-3*(math.Abs(numeric)+1) {
				kinks++
				continue
			}
			diff += math.Pow(float64(analytic[i][j])-numeric, 2)
			norm += numeric * numeric
		}
		if rel := math.Sqrt(diff / (norm + 1e-12)); rel > 1e-3 || norm == 0 {
			t.Errorf("input %d %v: relative error %.2g, norm %.3g", i, x.Shape(), rel, math.Sqrt(norm))
		}
		if kinks*5 > tried {
			t.Errorf("input %d %v: %d of %d differences met a kink", i, x.Shape(), kinks, tried)
		}
	}
}

func TestGradients(t *testing.T) {
	cases := []struct {
		name   string
		f      build
		shapes [][]int
	}{
		{"conv 3x3", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, in[2], nil, engine.ConvParams{Stride: 1, Pad: 1})
		}, [][]int{{2, 6, 5, 16}, {32, 16, 3, 3}, {32}}},
		{"conv odd channels", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, in[2], nil, engine.ConvParams{Stride: 1, Pad: 1})
		}, [][]int{{1, 5, 7, 3}, {5, 3, 3, 3}, {5}}},
		{"conv stride 2, 7x7", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, nil, nil, engine.ConvParams{Stride: 2, Pad: 3})
		}, [][]int{{1, 16, 12, 3}, {8, 3, 7, 7}}},
		{"conv 1x1 stride 2", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, nil, nil, engine.ConvParams{Stride: 2})
		}, [][]int{{2, 6, 6, 8}, {16, 8, 1, 1}}},
		{"conv groups", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, in[2], nil, engine.ConvParams{Stride: 1, Pad: 1, Groups: 4})
		}, [][]int{{1, 5, 5, 16}, {16, 4, 3, 3}, {16}}},
		{"conv residual relu", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, in[2], in[3], engine.ConvParams{Stride: 1, Pad: 1, Activation: engine.ReLU})
		}, [][]int{{1, 4, 4, 8}, {16, 8, 3, 3}, {16}, {1, 4, 4, 16}}},
		{"relu", func(in G.Nodes) (*G.Node, error) { return Activate(in[0], engine.ReLU) }, [][]int{{2, 3, 3, 5}}},
		{"leaky relu6", func(in G.Nodes) (*G.Node, error) {
			return Activate(in[0], engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: .8})
		}, [][]int{{2, 3, 3, 5}}},
		{"conv with leaky relu6", func(in G.Nodes) (*G.Node, error) {
			return Conv(in[0], in[1], nil, in[2], nil, engine.ConvParams{Stride: 1, Groups: 4, Activation: engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: 2}})
		}, [][]int{{1, 4, 4, 4}, {4, 1, 3, 3}, {4}}},
		{"add relu", func(in G.Nodes) (*G.Node, error) { return Add(in[0], in[1], engine.ReLU) }, [][]int{{2, 3, 3, 5}, {2, 3, 3, 5}}},
		{"max pool", func(in G.Nodes) (*G.Node, error) {
			return MaxPool(in[0], engine.PoolParams{Kernel: 3, Stride: 2, Pad: 1})
		}, [][]int{{2, 7, 6, 4}}},
		{"upsample add", func(in G.Nodes) (*G.Node, error) { return UpsampleAdd(in[0], in[1]) }, [][]int{{2, 3, 2, 4}, {2, 5, 4, 4}}},
		{"squeeze", func(in G.Nodes) (*G.Node, error) { return Squeeze(in[0]) }, [][]int{{2, 5, 3, 8}}},
		{"gate", func(in G.Nodes) (*G.Node, error) { return Gate(in[0], in[1]) }, [][]int{{2, 5, 3, 8}, {2, 1, 1, 8}}},
		{"gate by its input's means", func(in G.Nodes) (*G.Node, error) {
			m, err := Squeeze(in[0])
			if err != nil {
				return nil, err
			}
			return Gate(in[0], m)
		}, [][]int{{2, 18, 17, 3}}}, // more pixels than a block has
		{"conv scaled", func(in G.Nodes) (*G.Node, error) {
			s := (&Builder{Graph: in[0].Graph()}).Input("s", tensor.New(tensor.WithBacking([]float32{2, -1, .5})))
			return Conv(in[0], in[1], s, in[2], nil, engine.ConvParams{Stride: 1, Pad: 1})
		}, [][]int{{1, 4, 5, 2}, {3, 2, 3, 3}, {3}}},
		{"group norm", func(in G.Nodes) (*G.Node, error) {
			return GroupNorm(in[0], in[1], in[2], engine.NormParams{Eps: 1e-5, Groups: 4})
		}, [][]int{{2, 3, 4, 8}, {8}, {8}}},
		{"group norm relu", func(in G.Nodes) (*G.Node, error) {
			return GroupNorm(in[0], in[1], in[2], engine.NormParams{Eps: 1e-5, Groups: 2, Activation: engine.ReLU})
		}, [][]int{{2, 3, 4, 16}, {16}, {16}}},
		{"shared weights", func(in G.Nodes) (*G.Node, error) {
			p := engine.ConvParams{Stride: 1, Pad: 1}
			y, err := Conv(in[0], in[1], nil, nil, nil, p)
			if err != nil {
				return nil, err
			}
			if y, err = Conv(y, in[1], nil, nil, nil, p); err != nil {
				return nil, err
			}
			return Conv(y, in[1], nil, nil, in[0], p)
		}, [][]int{{1, 4, 4, 4}, {4, 4, 3, 3}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c.f, c.shapes...) })
	}
}

// Every activation on its own, and after a convolution and a sum.
func TestActivationGradients(t *testing.T) {
	for _, a := range engine.Activations {
		t.Run(a.Name, func(t *testing.T) {
			x := []int{1, 3, 3, 8}
			checkGradients(t, func(in G.Nodes) (*G.Node, error) { return Activate(in[0], a.Activation) }, x)
			checkGradients(t, func(in G.Nodes) (*G.Node, error) { return Add(in[0], in[1], a.Activation) }, x, x)
			checkGradients(t, func(in G.Nodes) (*G.Node, error) {
				return Conv(in[0], in[1], nil, nil, in[2], engine.ConvParams{Stride: 1, Pad: 1, Activation: a.Activation})
			}, x, []int{8, 8, 3, 3}, x)
		})
	}
}

func TestBatchNormGradient(t *testing.T) {
	for _, act := range []engine.Activation{engine.None, engine.ReLU} {
		checkGradients(t, func(in G.Nodes) (*G.Node, error) {
			mean, variance := tensor.New(tensor.WithBacking(make([]float32, 8))), tensor.New(tensor.WithBacking(make([]float32, 8)))
			return BatchNorm(in[0], in[1], in[2], mean, variance, engine.NormParams{Eps: 1e-5, Momentum: .1, Activation: act})
		}, []int{2, 3, 4, 8}, []int{8}, []int{8})
	}
}
