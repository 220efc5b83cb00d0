package recipe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/anchors"
	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/train"
)

// shapes is a small dataset, of which train is one half.
func shapes(t *testing.T, n int) (train, val convert.Source) {
	t.Helper()
	dir := t.TempDir()
	if err := data.Shapes(dir, data.ShapesOptions{Train: n, Val: 4, Size: 128, MaxSize: 60}); err != nil {
		t.Fatal(err)
	}
	return convert.Source{Path: filepath.Join(dir, "train.json"), Images: filepath.Join(dir, "train")},
		convert.Source{Path: filepath.Join(dir, "val.json"), Images: filepath.Join(dir, "val")}
}

// A configuration for a small dataset ends in minutes, measures each epoch, and states its reasons.
func TestMake(t *testing.T) {
	from, to := shapes(t, 40)
	asked := ""
	r, err := Make(t.Context(), Request{Train: from, Val: to, Find: func(_ context.Context, name string) (string, error) {
		asked = name
		return "", errors.New("there is no network")
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Config
	per := (40 + c.Train.Batch - 1) / c.Train.Batch
	switch {
	case asked != "resnet18":
		t.Errorf("asked for the weights of %q", asked)
	case c.Train.InitWeights != "" || c.Model.FrozenStages != 0 || c.Model.Norm == "frozen":
		t.Errorf("from random weights, %d stages and norms (%s) are frozen", c.Model.FrozenStages, c.Model.Norm)
	case r.Took > 2*cpuTime || r.Took < time.Second:
		t.Errorf("it takes %v", r.Took)
	case c.Train.EvalEvery != per || c.Train.Steps != 0 || c.Train.Epochs < fewest:
		t.Errorf("%d epochs, measured every %d steps", c.Train.Epochs, c.Train.EvalEvery)
	case 10*c.Train.WarmupSteps > c.Train.Epochs*per:
		t.Errorf("%d steps of warm-up of %d", c.Train.WarmupSteps, c.Train.Epochs*per)
	case len(c.Data.Augment) != 1 || c.Data.Augment[0].Name != "light":
		t.Errorf("images are varied by %v", c.Data.Augment)
	case c.Data.TestSide() > 128:
		t.Errorf("pictures of 128 px are scaled up to %d", c.Data.TestSide())
	}
	for _, want := range []string{"validation", "network", "anchors", "epochs", "random weights", "there is no network"} {
		if !strings.Contains(r.Text(), want) {
			t.Errorf("no word of %q:\n%s", want, r.Text())
		}
	}
}

// What the user says is taken; the rest follows from it.
func TestMakeAsked(t *testing.T) {
	from, _ := shapes(t, 24)
	r, err := Make(t.Context(), Request{Train: from, Size: 64, Epochs: 3, Batch: 2, Init: NoInit, Augment: "ssd"})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Config
	if c.Data.TestSide() != 64 || c.Train.Epochs != 3 || c.Train.Batch != 2 || c.Data.ValShare != heldOut || c.Data.Augment[0].Name != "ssd" || c.Model.Norm != "group" {
		t.Errorf("%+v\n%+v", c.Data, c.Train)
	}
	r, err = Make(t.Context(), Request{Train: from, Size: 64, Time: time.Nanosecond, Batch: 2, Init: NoInit})
	if err != nil || r.Config.Train.Epochs != 1 {
		t.Errorf("no time: %d epochs, %v", r.Config.Train.Epochs, err)
	}
}

// The classes that are selected are in the configuration, and nothing else of the dataset is looked at.
func TestMakeSelected(t *testing.T) {
	from, to := shapes(t, 24)
	from.Select = convert.Selection{Keep: []string{"round"}, Rename: []string{"circle=round", "square=round"}}
	to.Select = from.Select
	r, err := Make(t.Context(), Request{Train: from, Val: to, Size: 64, Epochs: 3, Batch: 2, Init: NoInit})
	if err != nil {
		t.Fatal(err)
	}
	d := r.Config.Data
	if !slices.Equal(d.Classes, []string{"round"}) || !slices.Equal(d.Rename, []string{"circle=round", "square=round"}) {
		t.Errorf("classes %v, renamed %v", d.Classes, d.Rename)
	}
	from.Select.Keep = []string{"square"}
	if _, err := Make(t.Context(), Request{Train: from, Init: NoInit}); err == nil || !strings.Contains(err.Error(), `"round" after renaming`) {
		t.Errorf("a class under its old name: %v", err)
	}
}

// A detector that is fine-tuned keeps its network, anchors and size of images.
func TestMakeFromDetector(t *testing.T) {
	from, _ := shapes(t, 24)
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Norm = "resnet18", 8, 16, 1, "batch"
	c.Model.Classes = []string{"other"}
	c.Data.ShortSides, c.Data.MaxSide = []int{64}, 128
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path := filepath.Join(t.TempDir(), "other.safetensors")
	if err := m.Save(path, detector.Info{Config: c, Categories: []detector.Category{{ID: 1, Name: "other"}}}); err != nil {
		t.Fatal(err)
	}
	r, err := Make(t.Context(), Request{Train: from, Epochs: 1, Init: path})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Config; got.Model.BackboneWidth != 8 || got.Data.TestSide() != 64 || got.Train.InitWeights != path || len(got.Model.Classes) != 0 {
		t.Errorf("%+v", got.Model)
	}
	for name, init := range map[string]string{"no file": filepath.Join(t.TempDir(), "absent.pth"), "no weights": from.Path} {
		if _, err := Make(t.Context(), Request{Train: from, Init: init}); err == nil || !strings.Contains(err.Error(), init) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A dataset without objects is refused, and an interrupt ends the measurement.
func TestMakeRefuses(t *testing.T) {
	from, _ := shapes(t, 12)
	d, images, err := from.Open()
	if err != nil {
		t.Fatal(err)
	}
	d.Annotations = nil
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := d.Save(empty); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(t.Context(), Request{Train: convert.Source{Path: empty, Images: images}}); err == nil || !strings.Contains(err.Error(), "no labels were found") {
		t.Errorf("without objects: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Make(ctx, Request{Train: from, Init: NoInit}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := Make(t.Context(), Request{Train: from, Batch: 4096, Size: 4096, Init: NoInit}); err == nil || !strings.Contains(err.Error(), "-batch") {
		t.Errorf("a batch that no memory holds: %v", err)
	}
}

// Other anchors than the paper's are taken where they reach clearly more objects, and lose none of a size class.
func TestChooseAnchors(t *testing.T) {
	of := func(side ...float32) []anchors.Picture {
		p := anchors.Picture{W: 512, H: 512}
		for i, s := range side {
			x, y := float32(60+7*i%300), float32(50+11*i%300)
			p.Boxes = append(p.Boxes, box.Box{X1: x, Y1: y, X2: x + s, Y2: y + s})
			p.Classes = append(p.Classes, 0)
		}
		return []anchors.Picture{p}
	}
	paper := fmt.Sprint(anchors.Default().Sizes)
	for name, k := range map[string]struct {
		sides []float32
		paper bool
	}{
		"large objects": {[]float32{64, 90, 128, 200, 181}, true},
		"small objects": {[]float32{14, 16, 18, 20, 15, 17}, false},
	} {
		a, why, err := chooseAnchors(paperAnchors(false), of(k.sides...))
		if err != nil || (fmt.Sprint(a.Sizes) == paper) != k.paper || why == "" {
			t.Errorf("%s: %v, %s, %v", name, a.Sizes, why, err)
		}
	}
	small, large := anchors.Recall{Objects: 10, At50: .9}, anchors.Recall{Objects: 90, At50: .5}
	than := anchors.Coverage{All: anchors.Recall{Objects: 100, At50: .54}, Sizes: [3]anchors.Recall{small, {}, large}}
	more := than
	more.All.At50, more.Sizes[2].At50 = .8, .8
	if !better(more, than) {
		t.Error("more objects of a class and as many of the others are not better")
	}
	if more.Sizes[0].At50 = .8; better(more, than) {
		t.Error("small objects are traded for large ones")
	}
}

// The quantile of a list by hand.
func TestQuantile(t *testing.T) {
	v := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, .5: 3, 1: 5, .25: 2} {
		if got := quantile(v, q); math.Abs(got-want) > 0 {
			t.Errorf("%g: %g, want %g", q, got, want)
		}
	}
	if quantile(nil, .5) != 0 {
		t.Error("no values")
	}
}

// What Make returns trains.
func TestTrains(t *testing.T) {
	from, to := shapes(t, 12)
	r, err := Make(t.Context(), Request{Train: from, Val: to, Size: 64, Epochs: 1, Init: NoInit})
	if err != nil {
		t.Fatal(err)
	}
	if err := train.Run(t.Context(), r.Config, train.Options{Out: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
}

// A step is measured with the settings that the caller is going to apply.
func TestMeasuredWithSettings(t *testing.T) {
	from, to := shapes(t, 40)
	var log strings.Builder
	r, err := Make(t.Context(), Request{Train: from, Val: to, Init: NoInit, Epochs: 2, Log: &log, Settings: []string{"train.batch=3", "data.short_sides=[64]", "data.max_side=64"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "a step of 3 images of up to 64x64 px") || r.Config.Train.Batch != 3 || r.Config.Train.EvalEvery != 13 {
		t.Errorf("batches of %d, evaluation every %d steps:\n%s", r.Config.Train.Batch, r.Config.Train.EvalEvery, log.String())
	}
	if _, err := Make(t.Context(), Request{Train: from, Val: to, Init: NoInit, Epochs: 2, Settings: []string{"train.batch=0"}}); err == nil {
		t.Error("a batch of no image is taken")
	}
}
