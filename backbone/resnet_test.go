package backbone

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/nn"
)

// build returns the parameters of a network, by name.
func build(t *testing.T, r ResNet) (map[string]*nn.Param, error) {
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
	params := nn.NewParams(e, 1)
	b := nn.NewBuilder(e, nn.Training, params, nn.NewFolded(e))
	c := r.Build(b, b.Input("x", x))
	if b.Err() != nil {
		return nil, b.Err()
	}
	for i, n := range r.Channels() {
		if want := (tensor.Shape{1, 8 >> i, 12 >> i, n}); !c[i].Shape().Eq(want) {
			t.Errorf("ResNet-%d C%d is %v, want %v", r.Depth, i+3, c[i].Shape(), want)
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
