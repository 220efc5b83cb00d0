package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/model/weights"
)

// small is a run of a few seconds on shapes.
func small(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := data.Shapes(dir, data.ShapesOptions{Train: 16, Val: 4, Size: 96, MaxSize: 48, MaxObjects: 3, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.Norm, c.Model.FrozenStages = "resnet18", 16, "batch", 0
	c.Model.FPNWidth, c.Model.HeadDepth, c.Model.HeadNorm = 16, 1, "group"
	c.Data.Root = dir
	c.Data.Train = config.Set{Source: "train.json", Images: "train"}
	c.Data.Val = config.Set{Source: "val.json", Images: "val"}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 96, 32
	c.Train.Batch, c.Train.BaseBatch, c.Train.Epochs, c.Train.Steps = 4, 4, 2, 0
	c.Train.Optimizer, c.Train.LR, c.Train.WarmupSteps, c.Train.EMA = "adamw", 1e-3, 2, .9
	c.Train.EvalEvery, c.Train.CheckpointEvery, c.Train.LogEvery = 4, 3, 2
	return c
}

// parameters reads all tensors of a state file.
func parameters(t *testing.T, path string) map[string][]float32 {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]float32{}
	for _, n := range f.Names() {
		v, err := f.Tensor(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = v.Data
	}
	return out
}

// A Pascal VOC folder trains in place: its splits, its images, the classes of all its files.
func TestTrainsOnVOCInPlace(t *testing.T) {
	c := small(t)
	d, err := coco.Load(c.Data.Path(c.Data.Train.Source))
	if err != nil {
		t.Fatal(err)
	}
	voc := filepath.Join(c.Data.Root, "voc")
	if err := convert.WriteVOC(d, voc, "train"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.Data.Path("train"), filepath.Join(voc, "JPEGImages")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(voc, "ImageSets", "Main", "val.txt"), []byte("00003\n00001\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Data.Train = config.Set{Source: "voc", Split: "train"}
	c.Data.Val = config.Set{Source: "voc", Split: "val", Format: "voc", Difficult: "keep"}
	c.Train.Epochs, c.Train.Steps = 0, 2
	var log bytes.Buffer
	out := t.TempDir()
	if err := Run(context.Background(), c, Options{Out: out, Log: &log}); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	for _, want := range []string{voc + " (train): 16 images", voc + " (val): 2 images", "4 classes", "step 2/2", "Average Precision"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is missing in\n%s", want, log.String())
		}
	}
	// The saved configuration names the same data.
	saved, err := config.Load(filepath.Join(out, ConfigFile), nil)
	if err != nil || saved.Data.Train != c.Data.Train || saved.Data.Val != c.Data.Val {
		t.Errorf("saved %+v, %v", saved.Data, err)
	}
	if names := strings.Join(saved.Model.Classes, " "); names != "circle square star triangle" {
		t.Errorf("classes %s, want the names in their order", names)
	}
}

// A run learns some classes of a dataset, under other names. Its validation set may number them otherwise, and lack an old name. The model
// has the training set's ids, and the run resumes with its own configuration.
func TestSelectedClasses(t *testing.T) {
	c := small(t)
	val, err := coco.Load(c.Data.Path("val.json"))
	if err != nil {
		t.Fatal(err)
	}
	val, err = convert.Selection{Rename: []string{"circle=round", "square=round"}}.Of(val)
	if err == nil {
		val = convert.Renumbered(val, []string{"star", "triangle", "round"}, []int64{1, 2, 9})
		err = val.Save(c.Data.Path("other.json"))
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Val.Source = "other.json"
	c.Data.Classes, c.Data.Rename = []string{"star", "round"}, []string{"circle=round", "square=round"}
	c.Train.Epochs, c.Train.Steps = 0, 2
	out := t.TempDir()
	if err := Run(t.Context(), c, Options{Out: out}); err != nil {
		t.Fatal(err)
	}
	saved, err := config.Load(filepath.Join(out, ConfigFile), []string{"train.steps=3"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(saved.Model.Classes, []string{"round", "star"}) || !slices.Equal(saved.Model.CategoryIDs, []int64{1, 7}) || !slices.Equal(saved.Data.Classes, c.Data.Classes) {
		t.Errorf("%v with ids %v, of %v", saved.Model.Classes, saved.Model.CategoryIDs, saved.Data.Classes)
	}
	info, err := detector.ReadInfo(filepath.Join(out, LastModel))
	if err != nil || !slices.Equal(info.Config.Data.Rename, c.Data.Rename) || info.Categories[0] != (detector.Category{ID: 1, Name: "round"}) {
		t.Errorf("the checkpoint has %+v, %v", info.Categories, err)
	}
	var log bytes.Buffer
	if err := Run(t.Context(), saved, Options{Out: out, Resume: true, Extend: true, Log: &log}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "at step 2 of") || strings.Contains(log.String(), "annotations of") {
		t.Errorf("resumed:\n%s", log.String())
	}
	c.Data.Classes = []string{"str"}
	if err := Run(t.Context(), c, Options{Out: t.TempDir()}); err == nil || !strings.Contains(err.Error(), `no class "str" (did you mean "star"?)`) {
		t.Errorf("a class that the training set lacks: %v", err)
	}
}

// stopAfter cancels a run once its log has said so many steps.
type stopAfter struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (s *stopAfter) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(s.text)) {
		s.cancel()
	}
	return s.Buffer.Write(b)
}

// A run that is interrupted and resumed ends bit for bit like one that is not, also with policies, of which some end in the second part.
func TestResumeContinuesExactly(t *testing.T) {
	plain := small(t)
	t.Run("plain", func(t *testing.T) { resumesExactly(t, plain, plain) })
	varied := plain
	varied.Data.Augment, varied.Train.AugmentUntil = config.Augment{{Name: "strong"}, {Name: "copy_paste"}, {Name: "cutout"}}, .5
	workers := varied
	workers.Data.Workers = 4
	t.Run("augmented", func(t *testing.T) { resumesExactly(t, varied, workers) })
}

// resumesExactly trains c as a whole, and in two parts, of which the second has the configuration rest.
func resumesExactly(t *testing.T, c, rest config.Config) {
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	var log bytes.Buffer
	if err := Run(context.Background(), c, Options{Out: whole, Log: &log}); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &stopAfter{text: "step 2/8", cancel: cancel}
	if err := Run(ctx, c, Options{Out: parts, Log: w}); err != nil {
		t.Fatalf("an interrupted run fails: %v", err)
	}
	if !strings.Contains(w.String(), "interrupted") {
		t.Fatalf("the run was not interrupted:\n%s", w.String())
	}
	if err := Run(context.Background(), c, Options{Out: parts, Log: &log}); err == nil || !strings.Contains(err.Error(), "-resume") {
		t.Errorf("a second run in the same place: %v", err)
	}
	if err := Run(context.Background(), rest, Options{Out: parts, Resume: true, Log: &log}); err != nil {
		t.Fatal(err)
	}
	a, b := parameters(t, filepath.Join(whole, StateFile)), parameters(t, filepath.Join(parts, StateFile))
	if len(a) == 0 || !reflect.DeepEqual(a, b) {
		t.Error("the resumed run ends with other weights")
	}
	for _, f := range []string{LastModel, BestModel, ConfigFile} {
		if _, err := os.Stat(filepath.Join(parts, f)); err != nil {
			t.Error(err)
		}
	}
	checkJournal(t, filepath.Join(whole, LogFile))
	checkJournal(t, filepath.Join(parts, LogFile))
}

// midStep is cancelled while a step waits for its batch, and the batch comes all the same.
type midStep struct {
	context.Context
	waits, at int // Done is asked for twice per batch
}

func (c *midStep) Done() <-chan struct{} {
	c.waits++
	return nil
}

func (c *midStep) Err() error {
	if c.waits >= c.at {
		return context.Canceled
	}
	return nil
}

// An interruption in the middle of a step loses neither the step nor its line in the journal.
func TestInterruptedStepCounts(t *testing.T) {
	c := small(t)
	c.Data.Val = config.Set{}
	out := t.TempDir()
	var log bytes.Buffer
	if err := Run(&midStep{Context: context.Background(), at: 5}, c, Options{Out: out, Log: &log}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "interrupted: saving step 3") {
		t.Fatalf("not interrupted in step 3:\n%s", log.String())
	}
	b, err := os.ReadFile(filepath.Join(out, LogFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("\n")); n != 3 {
		t.Errorf("%d lines in the journal of 3 steps", n)
	}
}

// An evaluation that is interrupted is made when the run is resumed.
func TestInterruptedEvaluationIsMadeUp(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	j, err := newJournal(t.TempDir(), 0, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	e := &evaluation{every: 2, w: io.Discard, journal: j, measure: func(ctx context.Context, _ *Loop) (measured, error) {
		calls++
		return measured{}, ctx.Err()
	}}
	l := &Loop{last: Step{Number: 2}, bestAP: 1, schedule: Schedule{Epoch: 1}, stepper: &Stepper{}}
	cancel()
	if err := e.Step(ctx, l, l.last); err != nil || !l.unmeasured {
		t.Fatalf("interrupted: %v, to be made up %v", err, l.unmeasured)
	}
	for range 2 {
		if err := e.Begin(context.Background(), l); err != nil || l.unmeasured || calls != 2 {
			t.Fatalf("resumed: %v, to be made up %v, %d evaluations", err, l.unmeasured, calls)
		}
	}
}

func checkJournal(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	steps, evals := 0, 0
	var first, last float64
	for line := range strings.Lines(string(b)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if _, ok := r["stats"]; ok {
			evals++
			continue
		}
		steps++
		last = r["loss"].(float64)
		if steps == 1 {
			first = last
		}
	}
	if steps != 8 || evals != 2 {
		t.Errorf("%d steps and %d evaluations in the journal, wants 8 and 2", steps, evals)
	}
	if last >= first {
		t.Errorf("the loss rises from %g to %g", first, last)
	}
}

func TestLossThatIsNotFiniteStops(t *testing.T) {
	c := small(t)
	c.Train.LR, c.Train.WarmupSteps, c.Train.Optimizer, c.Train.Momentum = 1e30, 0, "sgd", 0
	c.Train.CheckpointEvery, c.Train.EMA = 1, 0
	c.Model.Prior = .5
	out := t.TempDir()
	var log bytes.Buffer
	err := Run(context.Background(), c, Options{Out: out, Log: &log})
	if err == nil || !strings.Contains(err.Error(), "not finite") || !strings.Contains(err.Error(), ".jpg") || !strings.Contains(err.Error(), "learning rate") {
		t.Fatalf("error %v", err)
	}
	var d *Diverged
	if !errors.As(err, &d) || d.Step < 1 || d.Step > 7 {
		t.Errorf("the error has no step: %+v", d)
	}
	if !strings.Contains(log.String(), "warning   model.prior 0.5") {
		t.Errorf("no warning of the prior:\n%s", log.String())
	}
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	c := small(t)
	for _, k := range []struct {
		name, want string
		change     func(*config.Config)
	}{
		{"no dataset", "data.train.source", func(c *config.Config) { c.Data.Train.Source = "" }},
		{"no images", "data.train: ", func(c *config.Config) { c.Data.Train.Images = "nowhere" }},
		{"absent dataset", "absent.json", func(c *config.Config) { c.Data.Train.Source = "absent.json" }},
		{"other classes", "categories", func(c *config.Config) { c.Model.Classes, c.Model.CategoryIDs = []string{"cat"}, []int64{1} }},
		{"absent weights", "absent.safetensors", func(c *config.Config) { c.Train.InitWeights = "absent.safetensors" }},
		{"too much memory", "set train.recompute_heads=true or lower train.batch", func(c *config.Config) {
			c.Data.ShortSides, c.Data.MaxSide, c.Train.Batch, c.Train.BaseBatch = []int{2048}, 16384, 16, 16
		}},
	} {
		bad := c
		k.change(&bad)
		err := Run(context.Background(), bad, Options{Out: t.TempDir(), Log: &bytes.Buffer{}})
		if err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: error %v, wants %q", k.name, err, k.want)
		}
	}
	if err := Run(context.Background(), c, Options{Out: t.TempDir(), Resume: true, Log: &bytes.Buffer{}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("resuming nothing: %v", err)
	}
}

func TestSchedule(t *testing.T) {
	c := config.Default().Train
	c.Batch, c.BaseBatch, c.Epochs, c.Steps = 8, 16, 0, 90000
	s := NewSchedule(c, 7000)
	if s.Steps != 180000 || s.Base != .005 || s.Warmup != 2000 || s.Milestones[0] != 120000 || s.Milestones[1] != 160000 {
		t.Fatalf("half the batch: %+v", s)
	}
	for _, k := range []struct {
		step int
		want float64
	}{{0, .005 * (.001 + .999/2000)}, {1999, .005}, {119999, .005}, {120000, .0005}, {160000, .00005}} {
		if got := s.At(k.step); math.Abs(got-k.want) > 1e-12 {
			t.Errorf("step %d: %g, wants %g", k.step, got, k.want)
		}
	}
	c.Schedule, c.WarmupSteps = "cosine", 0
	s = NewSchedule(c, 7000)
	if math.Abs(s.At(90000)-.0025) > 1e-12 || s.At(0) != .005 {
		t.Errorf("cosine: %g at the middle, %g at the start", s.At(90000), s.At(0))
	}
}
