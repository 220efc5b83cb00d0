package speed

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/augment"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/media/picture"
	"retinago/nn"
)

// tiny is a network of milliseconds.
func tiny(t *testing.T) (*detector.Model, config.Config, *cpu.Engine) {
	t.Helper()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.FrozenStages = "resnet18", 16, 16, 1, 0
	c.Model.Classes = []string{"cat", "dog"}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, c, e
}

func silent(int, int, time.Duration, time.Duration) {}

func measure(t *testing.T, s Subject, rounds int) Result {
	t.Helper()
	r, err := Measure(context.Background(), s, rounds, silent)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInference(t *testing.T) {
	m, c, e := tiny(t)
	s, err := NewInference(m, c, 2, 64, 96, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := measure(t, s, 3)
	if err := r.Ceilings(e); err != nil {
		t.Fatal(err)
	}
	if len(r.Seconds) != 3 || r.Rounds != 3 || r.MinS > r.MedianS || r.MinS != slices.Min(r.Seconds) {
		t.Errorf("3 rounds gave %+v", r)
	}
	if r.PeakRSSMB <= 0 || r.ArenaMB <= 0 || r.Peak <= 0 || r.PeakProduct <= 0 || r.GFLOPS != r.GFLOP/r.MedianS || r.OfPeak != r.GFLOPS/r.Peak {
		t.Errorf("%+v", r)
	}
	var stages []string
	for _, s := range r.Stages {
		stages = append(stages, s.Name)
	}
	if want := []string{"preparation", copies, "stem", "layer1", "layer2", "layer3", "layer4", "FPN", "box head", "class head", "post-processing"}; !slices.Equal(stages, want) {
		t.Errorf("stages %q, want %q", stages, want)
	}
	complete(t, m, r)
	whole(t, s)

	plan, err := m.InferPlan(2, 64, 96)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.GFLOP, float64(plan.FLOPs())/1e9; got < want*.999999 || got > want*1.000001 {
		t.Errorf("%g GFLOP, the plan has %g", got, want)
	}
	r.Network, r.Mode, r.Batch, r.Height, r.Width, r.Machine = "a tiny one", "infer", 2, 64, 96, Describe(e)
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"a tiny one, inference of 2 x 64x96, 3 rounds", "classification_head.cls_logits", "5 x Conv", "slowest operations", "post-processing", "in all", "peak"} {
		if !strings.Contains(out.String(), s) {
			t.Errorf("%q is missing in:\n%s", s, &out)
		}
	}
}

// A file's image is what the network sees, on the canvas that its size and the configuration give.
func TestFileInference(t *testing.T) {
	m, c, _ := tiny(t)
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{60}, 100, 32
	made := noise(40, 30)
	img := image.NewNRGBA(image.Rect(0, 0, made.W, made.H))
	for i := range made.W * made.H {
		copy(img.Pix[4*i:], append(slices.Clone(made.Pix[3*i:3*i+3]), 255))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := NewFileInference(m, c, path)
	if err != nil {
		t.Fatal(err)
	}
	if n, h, w := s.Size(); n != 1 || h != 64 || w != 96 {
		t.Errorf("%d of %dx%d, want 1 of 64x96", n, h, w)
	}
	r := measure(t, s, 2)
	if r.Stages[0].Name != "decoding" || r.Stages[1].Name != "preparation" || r.Stages[len(r.Stages)-1].Name != "post-processing" {
		t.Errorf("stages %+v", r.Stages)
	}
	whole(t, s)
	images := make([]float32, 64*96*3)
	scene := augment.Single(0, augment.Scale(80/float64(made.W), 60/float64(made.H)), 96, 64)
	picture.Input{Mean: c.Data.Mean, Std: c.Data.Std}.Draw(images, scene, []picture.Source{{Picture: made, W: made.W, H: made.H}})
	got := slices.Clone(s.Raw().Logits[0])
	plain, err := NewInference(m, c, 1, 64, 96, images)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Run(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, plain.Raw().Logits[0]) {
		t.Error("the network saw something else than the file's picture")
	}
	if _, err := NewFileInference(m, c, path+".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestTraining(t *testing.T) {
	m, c, _ := tiny(t)
	before := make([]float32, m.Param("head.regression_head.bbox_reg.weight").Size())
	if err := m.Engine().Download(before, m.Param("head.regression_head.bbox_reg.weight").Value); err != nil {
		t.Fatal(err)
	}
	s, err := NewTraining(m, c, 2, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := measure(t, s, 2)
	stage := map[string]int{}
	for i, s := range r.Stages {
		stage[s.Name] = i + 1
	}
	for _, name := range []string{copies, "stem", "losses", "losses backward", "class head backward", "layer1 backward", "stem backward", "optimiser"} {
		if stage[name] == 0 {
			t.Errorf("no stage %q in %+v", name, r.Stages)
		}
	}
	if stage["other"]+stage["other backward"] != 0 || stage["stem"] > stage["losses"] || stage["losses"] > stage["stem backward"] || stage["optimiser"] != len(r.Stages) {
		t.Errorf("stages %+v", r.Stages)
	}
	complete(t, m, r)
	whole(t, s)
	back := map[string]int{}
	for _, l := range r.Layers {
		if l.Backward {
			back[l.Op+" of "+l.Name]++
		}
	}
	for name, want := range map[string]int{"ConvWeights of backbone.body.layer1.0.conv1": 1, "ConvData of backbone.body.layer1.0.conv1": 1,
		"ConvWeights of head.classification_head.cls_logits": 5, "FocalLossGrad of head.classification_head.cls_logits": 5, "MaxPoolGrad of backbone.body.conv1": 1} {
		if back[name] != want {
			t.Errorf("%s: %d times, want %d", name, back[name], want)
		}
	}
	after := make([]float32, len(before))
	if err := m.Engine().Download(after, m.Param("head.regression_head.bbox_reg.weight").Value); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, after) {
		t.Error("a measurement changes the weights")
	}
}

// complete checks that every convolution of the model is among the layers: the heads' on five levels, the others once.
func complete(t *testing.T, m *detector.Model, r Result) {
	t.Helper()
	times := map[string]int{}
	for _, l := range r.Layers {
		if l.Op == "Conv" && !l.Backward {
			times[l.Name+".weight"]++
			if l.GFLOP <= 0 || l.MinS > l.MedianS || l.Share != l.MedianS/r.MedianS {
				t.Errorf("%+v", l)
			}
		}
	}
	convolutions := 0
	for _, p := range m.Params() {
		if p.Kind != nn.Weight {
			continue
		}
		convolutions++
		want := 1
		if strings.HasPrefix(p.Name, "head.") {
			want = m.Levels()
		}
		if times[p.Name] != want {
			t.Errorf("%s is there %d times, want %d", p.Name, times[p.Name], want)
		}
	}
	if convolutions != len(times) {
		t.Errorf("%d convolutions of %d", len(times), convolutions)
	}
}

// whole checks that the stages of a round add up to the round. What lies between them is next to nothing, but a busy
// machine may stop the program there: one round of a few must show it.
func whole(t *testing.T, s Subject) {
	t.Helper()
	share := 0.0
	for i := 0; i < 10 && share < .9; i++ {
		r := measure(t, s, 1)
		sum := 0.0
		for _, s := range r.Stages {
			sum += s.MedianS
		}
		if sum > r.MedianS*1.000001 {
			t.Fatalf("stages of %g s in a round of %g s", sum, r.MedianS)
		}
		share = max(share, sum/r.MedianS)
	}
	if share < .9 {
		t.Errorf("stages account for %.0f %% of a round", 100*share)
	}
}

// Images that are given reach the network as they are, and it alone is measured.
func TestGivenImages(t *testing.T) {
	m, c, _ := tiny(t)
	images := make([]float32, 64*64*3)
	for i := range images {
		images[i] = float32(i%7) - 3
	}
	s, err := NewInference(m, c, 1, 64, 64, images)
	if err != nil {
		t.Fatal(err)
	}
	r := measure(t, s, 1)
	if first, last := r.Stages[0].Name, r.Stages[len(r.Stages)-1].Name; first != copies || last != "class head" {
		t.Errorf("stages from %q to %q", first, last)
	}
	got := slices.Clone(s.Raw().Logits[0])
	net, err := m.Net(1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(images)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, raw.Logits[0]) {
		t.Error("other logits than the network's own")
	}
}

func TestInterruption(t *testing.T) {
	m, c, _ := tiny(t)
	s, err := NewInference(m, c, 1, 64, 64, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Measure(ctx, s, 100, func(round, of int, _, _ time.Duration) {
		if of != 100 {
			t.Errorf("of %d rounds", of)
		}
		if round == 2 {
			cancel()
		}
	})
	if err != nil || r.Rounds != 2 || len(r.Seconds) != 2 {
		t.Errorf("interrupted after 2 rounds: %d rounds, %v", r.Rounds, err)
	}
	if _, err := Measure(ctx, s, 3, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted before the first: %v", err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}, {[]float64{9, 1, 2, 4}, 3}} {
		if got := median(c.v); got != c.want {
			t.Errorf("median of %v is %g, want %g", c.v, got, c.want)
		}
	}
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{0: "", .2: "██████████", .9: "██████████", .1: "█████", .0275: "█▍", .001: ""} {
		if got := bar(share); got != want {
			t.Errorf("bar of %g is %q, want %q", share, got, want)
		}
	}
}
