package backbone

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/internal/kinds"
	"retinago/nn"
)

// torchvision's mobilenet_v2 has 3,504,872 parameters, 1,281,000 of them in its classifier; the paper's MobileNetV1 has
// 4,231,976 with 1,025,000.
func TestMobileNets(t *testing.T) {
	for name, want := range map[string]struct {
		count, frozen int // frozen: convolutions of the first two stages
		tensors       map[string][]int
	}{
		"mobilenet_v1": {3_206_976, 1 + 2*3, map[string][]int{"stage1.1.0.weight": {32, 1, 3, 3}, "stage3.1.3.weight": {1024, 1024, 1, 1}, "stage2.5.4.running_var": {512}}},
		"mobilenet_v2": {2_223_872, 1 + 2 + 2*3, map[string][]int{"features.1.conv.0.0.weight": {32, 1, 3, 3}, "features.1.conv.1.weight": {16, 32, 1, 1},
			"features.17.conv.2.weight": {320, 960, 1, 1}, "features.18.1.bias": {1280}}},
	} {
		n, err := New(name, Options{Norm: nn.Batch, FrozenStages: 2})
		if err != nil {
			t.Fatal(err)
		}
		params, err := build(t, n)
		if err != nil {
			t.Fatal(err)
		}
		count, frozen := 0, 0
		for _, p := range params {
			if p.Kind != nn.Buffer {
				count += p.Size()
			}
			if p.Kind == nn.Weight && !p.Trainable {
				frozen++
			}
		}
		if count != want.count || frozen != want.frozen {
			t.Errorf("%s has %d parameters, want %d; %d frozen convolutions, want %d", name, count, want.count, frozen, want.frozen)
		}
		for p, shape := range want.tensors {
			if params[p] == nil || !slices.Equal(params[p].Shape, shape) {
				t.Errorf("%s: %s is %v, want %v", name, p, params[p], shape)
			}
		}
	}
}

// Width multipliers round as torchvision's do, and the last convolution does not shrink.
func TestMobileNetWidths(t *testing.T) {
	for width, want := range map[int][4]int{8: {8, 8, 24, 1280}, 16: {16, 16, 48, 1280}, 24: {24, 24, 72, 1280}, 48: {40, 48, 144, 1920}} {
		n := MobileNetV2{Width: width, Norm: nn.Group}
		if n.Channels() != want {
			t.Errorf("width %d: %v, want %v", width, n.Channels(), want)
		}
		if _, err := build(t, n); err != nil {
			t.Error(err)
		}
	}
	params, err := build(t, MobileNetV1{Width: 8, Slope: .1, Norm: nn.Frozen})
	if err != nil {
		t.Fatal(err)
	}
	if s := params["stage3.1.3.weight"].Shape; s[0] != 256 {
		t.Errorf("stage3.1.3.weight is %v", s)
	}
	names := kinds.Names(Kinds)
	if sorted := slices.Sorted(slices.Values(names)); !slices.Contains(names, "mobilenet_v1") || len(slices.Compact(sorted)) != len(names) {
		t.Errorf("names %v", names)
	}
}

// wave is the formula of the fixture's numbers.
func wave(i, k int) float64 { return math.Sin(float64(i)*(.7+.001*float64(k)) + 1.3*float64(k)) }

// fill sets the k-th parameter as testdata/mobilenet.py does.
func fill(p *nn.Param, k int) []float32 {
	v := make([]float32, p.Size())
	for i := range v {
		w := wave(i, k)
		switch {
		case p.Kind == nn.Weight:
			w *= math.Sqrt(6 / float64(p.Shape[1]*p.Shape[2]*p.Shape[3]))
		case strings.HasSuffix(p.Name, "running_var"):
			w = 1 + .5*w*w
		case strings.HasSuffix(p.Name, "running_mean") || p.Kind == nn.NormBias:
			w *= .1
		default:
			w = 1 + .1*w
		}
		v[i] = float32(w)
	}
	return v
}

// The maps of both networks equal PyTorch's on weights and an image that follow a formula.
func TestMobileNetsEqualPyTorch(t *testing.T) {
	b, err := os.ReadFile("testdata/mobilenet.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]struct {
		Size   int
		Norm   float64
		Values []float64
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, maps := range want {
		e, err := cpu.New(cpu.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		o := Options{Width: 8, Norm: nn.Batch}
		if name == "mobilenet_v1" {
			o.Slope = .1
		}
		net, err := New(name, o)
		if err != nil {
			t.Fatal(err)
		}
		x, err := e.New(tensor.Float32, 1, 64, 96, 3)
		if err != nil {
			t.Fatal(err)
		}
		picture := make([]float32, 64*96*3)
		for i := range picture {
			picture[i] = float32(wave(i, 5))
		}
		if err := e.Upload(x, picture); err != nil {
			t.Fatal(err)
		}
		params, folded := nn.NewParams(e, 1), nn.NewFolded(e)
		g := nn.NewBuilder(e, nn.Inference, params, folded)
		c := net.Build(g, g.Input("x", x))
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		for k, p := range params.All() {
			if err := e.Upload(p.Value, fill(p, k)); err != nil {
				t.Fatal(err)
			}
		}
		if err := folded.Update(); err != nil {
			t.Fatal(err)
		}
		m, err := nn.NewMachine(nn.NewArena(e), c[:])
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		for i, w := range maps {
			v := make([]float32, c[i].Shape().TotalSize())
			if err := e.Download(v, c[i].Value().(*tensor.Dense)); err != nil {
				t.Fatal(err)
			}
			norm, largest, off := 0., 0., 0.
			for _, x := range v {
				norm += float64(x) * float64(x)
				largest = max(largest, math.Abs(float64(x)))
			}
			for j, x := range w.Values {
				off = max(off, math.Abs(x-float64(v[j*(w.Size/50)])))
			}
			if len(v) != w.Size || math.Abs(math.Sqrt(norm)-w.Norm) > 1e-4*w.Norm || off > 1e-4*largest {
				t.Errorf("%s C%d: %d values of norm %g, want %d of %g; off by %g of %g", name, i+2, len(v), math.Sqrt(norm), w.Size, w.Norm, off, largest)
			}
		}
	}
}
