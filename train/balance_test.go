package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/weights"
	"retinago/loss"
)

// balanced are settings that balance classes.
var balanced = map[string]func(*config.Config){
	"ghmc":      func(c *config.Config) { c.Loss.Kind = "ghmc" },
	"efl":       func(c *config.Config) { c.Loss.Kind = "efl" },
	"eqlv2":     func(c *config.Config) { c.Loss.Kind = "eqlv2" },
	"seesaw":    func(c *config.Config) { c.Loss.Kind, c.Model.Background = "seesaw", true },
	"smoothing": func(c *config.Config) { c.Loss.Smoothing = .1 },
	"weights":   func(c *config.Config) { c.Loss.ClassWeights, c.Loss.Box = "inverse_frequency", "balanced_l1" },
	"weights, softmax": func(c *config.Config) {
		c.Loss.Kind, c.Model.Background, c.Loss.ClassWeights = "softmax", true, "effective_number"
	},
	"alphas":         func(c *config.Config) { c.Loss.ClassAlphas = []float64{.2, .5, .7, .25} },
	"repeat_factor":  func(c *config.Config) { c.Data.Sampler, c.Data.RepeatThreshold = "repeat_factor", .9 },
	"class_balanced": func(c *config.Config) { c.Data.Sampler = "class_balanced" },
	"ghmc, few bins": func(c *config.Config) { c.Loss.Kind, c.Loss.Bins, c.Loss.Normalizer = "ghmc", 5, "image" },
}

// stateOf returns the state of a run: its tensors and what else stands in the file, but for the conditions.
func stateOf(t *testing.T, folder string) (map[string][]float32, string) {
	t.Helper()
	path := filepath.Join(folder, StateFile)
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return parameters(t, path), f.Metadata[stateKey]
}

// With every setting that balances classes a run on shapes learns with finite losses, and one that was stopped and resumed ends with the
// same bits, its loss's state included.
func TestBalancedRunsResumeExactly(t *testing.T) {
	for name, change := range balanced {
		if testing.Short() && name != "ghmc" && name != "class_balanced" {
			continue // the short form takes one loss with a state and one sampler
		}
		t.Run(name, func(t *testing.T) {
			c := small(t)
			c.Train.Epochs, c.Train.Steps, c.Train.CheckpointEvery, c.Train.EvalEvery, c.Data.Val = 0, 5, 1, 0, config.Set{}
			change(&c)
			whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
			var log bytes.Buffer
			if err := Run(context.Background(), c, Options{Out: whole, Log: &log}); err != nil {
				t.Fatalf("%v\n%s", err, log.String())
			}
			if !strings.Contains(log.String(), "epoch     ") || c.Loss.ClassWeights != "" && !strings.Contains(log.String(), "weights   of classes by "+string(c.Loss.ClassWeights)) {
				t.Errorf("the log lacks the epoch or the weights:\n%s", log.String())
			}
			ctx, cancel := context.WithCancel(context.Background())
			if err := Run(ctx, c, Options{Out: parts, Log: &stopAfter{text: "step 2/5", cancel: cancel}}); err != nil {
				t.Fatal(err)
			}
			if err := Run(context.Background(), c, Options{Out: parts, Resume: true, Log: io.Discard}); err != nil {
				t.Fatal(err)
			}
			a, x := stateOf(t, whole)
			b, y := stateOf(t, parts)
			if len(a) == 0 || !reflect.DeepEqual(a, b) || x != y {
				t.Errorf("the resumed run ends with another state:\n%s\n%s", x, y)
			}
			if kind, _ := loss.Find(c.Loss.Kind); kind.Class != nil {
				_, adaptive := kind.Class(c.Loss.Params).(loss.Adaptive)
				if adaptive != strings.Contains(x, `"loss":{"kind":"`+c.Loss.Kind+`","values":[`) {
					t.Errorf("the loss's state is %v in %s", adaptive, x)
				}
			}
		})
	}
}

// A state of a loss that does not fit its settings is refused; another loss begins a state of its own.
func TestLossStateFits(t *testing.T) {
	c := small(t)
	c.Train.Epochs, c.Train.Steps, c.Train.EvalEvery, c.Data.Val, c.Loss.Kind = 0, 2, 0, config.Set{}, "ghmc"
	out := filepath.Join(t.TempDir(), "run")
	if err := Run(context.Background(), c, Options{Out: out, Log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	c.Train.Steps = 3
	resume := func(change func(*config.Config)) (string, error) {
		var log bytes.Buffer
		changed := c
		change(&changed)
		err := Run(context.Background(), changed, Options{Out: out, Resume: true, Extend: true, Changed: true, Log: &log})
		return log.String(), err
	}
	if _, err := resume(func(c *config.Config) { c.Loss.Bins = 7 }); err == nil || !strings.Contains(err.Error(), "30 counts of gradients for loss.bins 7") {
		t.Errorf("other bins: %v", err)
	}
	if _, err := resume(func(c *config.Config) { c.Data.Sampler = "class_balanced" }); !errors.Is(err, ErrChanged) {
		t.Errorf("another sampler: %v", err)
	}
	if log, err := resume(func(c *config.Config) { c.Loss.Kind = "efl" }); err != nil || !strings.Contains(log, "the state of loss.kind efl begins anew") {
		t.Errorf("another loss: %v\n%s", err, log)
	}
}

// A step that fails leaves the loss's state as it was.
func TestFailedStepKeepsLossState(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth = "resnet18", 8, 8, 1
	c.Model.Norm, c.Model.FrozenStages, c.Model.Classes, c.Loss.Kind = "batch", 0, []string{"a", "b"}, "efl"
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := NewStepper(m, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const side = 64
	images := make([]float32, side*side*3)
	targets := s.Targets(side, side, []detector.Objects{{Boxes: []box.Box{{X1: 8, Y1: 8, X2: 40, Y2: 40}}, Classes: []int32{1}, Crowd: []bool{false}}})
	if _, err := s.Take(1, side, side, images, targets, 1e-3); err != nil {
		t.Fatal(err)
	}
	before := s.adaptive().State()
	if len(before) != 4 {
		t.Fatalf("the state is %v", before)
	}
	p := m.Params()[0]
	huge := make([]float32, p.Value.Shape().TotalSize())
	for i := range huge {
		huge[i] = 3e38
	}
	if err := e.Upload(p.Value, huge); err != nil {
		t.Fatal(err)
	}
	m.Changed()
	for i := range images {
		images[i] = 1
	}
	if _, err := s.Take(1, side, side, images, targets, 1e-3); !errors.Is(err, errNotFinite) {
		t.Fatalf("the step ends with %v", err)
	}
	if after := s.adaptive().State(); !reflect.DeepEqual(after, before) {
		t.Errorf("the state was %v before the failed step and is %v", before, after)
	}
}
