package train

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/nn"
)

// Factors of groups and of stages multiply; the last group that fits holds; names without a stage keep their rate.
func TestFactors(t *testing.T) {
	c := config.Default().Train
	c.LayerDecay, c.Groups = .5, []string{"backbone.* lr=0.1", "*.bn* decay=0 lr=3"}
	params := []*nn.Param{{Name: "backbone.conv1", Stage: 1}, {Name: "backbone.layer4.bn1", Stage: 5}, {Name: "head.bn.0"}, {Name: "fpn.inner"}}
	got, err := factorsOf(c, params)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]factors{
		"backbone.conv1": {.1 / 32, 1}, "backbone.layer4.bn1": {3. / 2, 0}, "head.bn.0": {3, 0}, "fpn.inner": {1, 1},
	} {
		if math.Abs(float64(got[name].lr/want.lr-1)) > 1e-6 || got[name].decay != want.decay {
			t.Errorf("%s has %+v, want %+v", name, got[name], want)
		}
	}
}

// A run of one step of SGD moves each parameter by its factor, and frozen ones not at all.
func TestGroupsTrain(t *testing.T) {
	moved := func(change func(*config.Train)) map[string][]float32 {
		c := small(t)
		c.Train.Optimizer, c.Train.LR, c.Train.WarmupSteps, c.Train.EMA, c.Train.WeightDecay = "sgd", 1e-2, 0, 0, 0
		c.Train.Epochs, c.Train.Steps, c.Train.Seed, c.Data.Val = 0, 1, 5, config.Set{}
		change(&c.Train)
		out := t.TempDir()
		if err := Run(context.Background(), c, Options{Out: out, Log: &bytes.Buffer{}}); err != nil {
			t.Fatal(err)
		}
		return parameters(t, filepath.Join(out, StateFile))
	}
	start := moved(func(c *config.Train) { c.LR = 1e-30 })
	plain := moved(func(*config.Train) {})
	grouped := moved(func(c *config.Train) {
		c.LayerDecay, c.Groups = .5, []string{"head.* lr=4", "head.classification_head.* freeze", "backbone.body.layer1.* freeze"}
	})
	seen := map[string]bool{}
	for name, from := range start {
		if strings.HasPrefix(name, "optimizer.") || strings.Contains(name, "running_") {
			continue
		}
		want := 1.
		switch {
		case strings.HasPrefix(name, "head.classification_head."), strings.HasPrefix(name, "backbone.body.layer1."):
			if !slices.EqualFunc(grouped[name], from, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-20 }) { // from has moved by 1e-30 times its gradient
				t.Errorf("%s is frozen and changed", name)
			}
			seen["frozen"] = true
			continue
		case strings.HasPrefix(name, "head."):
			want = 4
			seen["head"] = true
		case strings.HasPrefix(name, "backbone.body.layer4."):
			want = .5
			seen["layer4"] = true
		case strings.HasPrefix(name, "backbone.body.layer3."):
			want = .25
			seen["layer3"] = true
		case strings.HasPrefix(name, "backbone."):
			continue
		}
		var a, b float64
		for i := range from {
			a += math.Abs(float64(plain[name][i] - from[i]))
			b += math.Abs(float64(grouped[name][i] - from[i]))
		}
		if a > 1e-6 && math.Abs(b/a-want) > .02*want { // differences of float32 numbers
			t.Errorf("%s moved %g times as far, want %g", name, b/a, want)
		}
	}
	if len(seen) != 4 {
		t.Errorf("only %v were compared", seen)
	}
}

func TestGroupWithoutParameter(t *testing.T) {
	c := small(t)
	c.Train.Groups = []string{"layer1.* freeze"}
	err := Run(context.Background(), c, Options{Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), `train.groups[0]: no parameter fits "layer1.*"; they are named such as backbone.`) {
		t.Error(err)
	}
}

// The decay of averages rises to train.ema.
func TestEMAWarmup(t *testing.T) {
	o := optimizer{c: config.Train{EMA: .9, EMAWarmup: 100}}
	for steps, want := range map[int]float64{1: .9 * (1 - math.Exp(-.01)), 100: .9 * (1 - math.Exp(-1)), 10000: .9} {
		if got := o.averageBy(steps); math.Abs(float64(got)-(1-want)) > 1e-7 {
			t.Errorf("step %d: %g, want %g", steps, got, 1-want)
		}
	}
	o.c.EMAWarmup = 0
	if got := o.averageBy(1); got != float32(1-.9) {
		t.Errorf("without warm-up: %g", got)
	}
	// A run resumed in the middle ends with the averages of one that was not.
	c := small(t)
	c.Train.EMAWarmup = 5
	whole, parts := t.TempDir(), t.TempDir()
	if err := Run(context.Background(), c, Options{Out: whole}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := Run(ctx, c, Options{Out: parts, Log: &stopAfter{cancel: cancel, text: "step 4/"}}); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), c, Options{Out: parts, Resume: true}); err != nil {
		t.Fatal(err)
	}
	a, b := parameters(t, filepath.Join(whole, StateFile)), parameters(t, filepath.Join(parts, StateFile))
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
	}
}
