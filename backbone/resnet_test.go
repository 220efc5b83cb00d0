package backbone

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/nn"
)

// build returns the parameters of a network, by name.
func build(t *testing.T, r Network) (map[string]*nn.Param, error) {
	t.Helper()
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	x, err := e.New(tensor.Float32, 1, 64, 96, 3)
	if err != nil {
		t.Fatal(err)
	}
	params := nn.NewBlankParams(e)
	b := nn.NewBuilder(e, nn.Training, params, nn.NewFolded(e))
	c := r.Build(b, b.Input("x", x))
	if b.Err() != nil {
		return nil, b.Err()
	}
	for i, n := range r.Channels() {
		if want := (tensor.Shape{1, 16 >> i, 24 >> i, n}); !c[i].Shape().Eq(want) {
			t.Errorf("%T C%d is %v, want %v", r, i+2, c[i].Shape(), want)
		}
	}
	out := map[string]*nn.Param{}
	for _, p := range params.All() {
		out[p.Name] = p
	}
	return out, nil
}

// Weights without the classifier, as torchvision counts them: resnet18 11,689,512 - 513,000, resnet50 25,557,032 -
// 2,049,000, and so on. Running statistics are not counted there.
func TestParameterCounts(t *testing.T) {
	counts := map[int]int{18: 11_176_512, 34: 21_284_672, 50: 23_508_032}
	if !testing.Short() {
		counts[101], counts[152] = 42_500_160, 58_143_808
	}
	for depth, want := range counts {
		params, err := build(t, ResNet{Depth: depth, Norm: nn.Batch})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range params {
			if p.Kind != nn.Buffer {
				n += p.Size()
			}
		}
		if n != want {
			t.Errorf("ResNet-%d has %d parameters, torchvision's %d", depth, n, want)
		}
	}
}

// Half the width is a quarter of the weights between stages.
func TestWidth(t *testing.T) {
	params, err := build(t, ResNet{Depth: 18, Width: 32, Norm: nn.Batch})
	if err != nil {
		t.Fatal(err)
	}
	if s := params["layer4.1.conv2.weight"].Shape; s[0] != 256 || s[1] != 256 {
		t.Errorf("layer4.1.conv2.weight is %v", s)
	}
}

func TestFrozenStages(t *testing.T) {
	stages := []string{"conv1", "layer1", "layer2", "layer3", "layer4"}
	for frozen := 0; frozen <= Stages; frozen++ {
		params, err := build(t, ResNet{Depth: 18, Norm: nn.Batch, FrozenStages: frozen})
		if err != nil {
			t.Fatal(err)
		}
		for i, stage := range stages {
			for name, p := range params {
				if strings.HasPrefix(name, stage) && p.Kind == nn.Weight && p.Trainable != (i >= frozen) {
					t.Errorf("%d frozen stages: %s trains: %v", frozen, name, p.Trainable)
				}
			}
		}
	}
}

// A frozen norm has nothing to train.
func TestFrozenNorm(t *testing.T) {
	params, err := build(t, ResNet{Depth: 18, Norm: nn.Frozen})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range params {
		if strings.Contains(name, "bn1") && p.Trainable {
			t.Errorf("%s trains", name)
		}
	}
}

func TestUnknownDepth(t *testing.T) {
	if _, err := build(t, ResNet{Depth: 19}); err == nil || !strings.Contains(err.Error(), "19") {
		t.Errorf("error %v", err)
	}
}

// torchvision's resnext50_32x4d has 25,028,904 parameters, 2,049,000 of them in its classifier; resnext101_32x8d
// 88,791,336, resnext101_64x4d 83,455,272.
func TestResNeXt(t *testing.T) {
	counts := map[string]int{"resnext50_32x4d": 22_979_904}
	if !testing.Short() {
		counts["resnext101_32x8d"], counts["resnext101_64x4d"] = 86_742_336, 81_406_272
	}
	for name, want := range counts {
		r, err := New(name, Options{Norm: nn.Batch})
		if err != nil {
			t.Fatal(err)
		}
		params, err := build(t, r)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range params {
			if p.Kind != nn.Buffer {
				n += p.Size()
			}
		}
		if n != want {
			t.Errorf("%s has %d parameters, torchvision's %d", name, n, want)
		}
		if s := params["layer2.0.conv2.weight"].Shape; s[1] != 2*r.(ResNet).GroupWidth {
			t.Errorf("%s: layer2.0.conv2.weight is %v", name, s)
		}
	}
	if _, err := New("vgg16", Options{}); err == nil || !strings.Contains(err.Error(), "resnext50_32x4d") {
		t.Errorf("an unknown network: %v", err)
	}
}
