package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/internal/file"
	"retinago/internal/model/weights"
)

// started is the folder of a run that has taken two of four steps.
func started(t *testing.T, c *config.Config) folder {
	t.Helper()
	c.Train.Steps, c.Train.EvalEvery, c.Train.CheckpointEvery = 4, 0, 2
	dir := t.TempDir()
	h := &watcher{t: t, dir: dir}
	if err := Run(context.Background(), *c, Options{Out: dir, Log: io.Discard, Hooks: []Hook{h}}); err != nil {
		t.Fatal(err)
	}
	return h.seen[3] // before the third step's hooks
}

// Resuming names every key, hash and number that differs, and refuses what would make it another run.
func TestResumeCompares(t *testing.T) {
	c := least(t)
	f := started(t, &c)
	again := func(c config.Config, o Options) (string, error) {
		t.Helper()
		var log bytes.Buffer
		o.Out, o.Resume, o.Log = f.write(t), true, &log
		err := Run(context.Background(), c, o)
		if err != nil && !equalFolders(readFolder(t, o.Out), f) {
			t.Errorf("%v: a refused run has changed the folder", err)
		}
		return log.String(), err
	}
	log, err := again(c, Options{})
	warned := slices.ContainsFunc(strings.Split(log, "\n"), func(line string) bool { // but for what a run so small is warned of
		return strings.Contains(line, "warning") && !strings.Contains(line, "a tenth of the run's 4") && !strings.Contains(line, "fewer than 20 images")
	})
	if err != nil || strings.Contains(log, "changed ") || warned || !strings.Contains(log, "resume    at step 2") {
		t.Errorf("nothing has changed: %v\n%s", err, log)
	}
	// other writes another dataset beside the one of the run.
	other := func(name, from, to string) func(*config.Config) {
		return func(c *config.Config) {
			b, err := os.ReadFile(c.Data.Path(name))
			if err != nil || !bytes.Contains(b, []byte(from)) {
				t.Fatalf("%s has no %s: %v", name, from, err)
			}
			set := &c.Data.Train
			if name == "val.json" {
				set = &c.Data.Val
			}
			set.Source = "other-" + name
			if err := os.WriteFile(c.Data.Path(set.Source), bytes.Replace(b, []byte(from), []byte(to), 1), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	const never, asked, allowed = "another -out", "give -changed", ""
	for _, k := range []struct {
		name, refusal string
		change        func(*config.Config)
		says          string
		o             Options
	}{
		{"rate", allowed, func(c *config.Config) { c.Train.LR = .005 }, "train.lr: 0.003 then, 0.005 now\n          the learning rate of step 3 is 0.005, without the changes 0.003", Options{Change: []string{"train.lr"}}},
		{"length", allowed, func(c *config.Config) { c.Train.Steps = 5 }, "train.steps: 4 then, 5 now", Options{Extend: true}},
		{"threads", allowed, func(c *config.Config) { c.Train.Threads = 2 }, "threads: 1 then, 2 now\n          numbers are rounded otherwise", Options{}},
		{"a path", allowed, func(c *config.Config) { c.Data.Val.Source = c.Data.Path("val.json") }, `data.val.source: "val.json" then, "/`, Options{}},
		{"no validation", allowed, func(c *config.Config) { c.Data.Val = config.Set{} }, "annotations of data.val: sha256 ", Options{}},
		{"loss", asked, func(c *config.Config) { c.Loss.Gamma = 1 }, "loss.gamma: 2 then, 1 now", Options{}},
		{"matching", asked, func(c *config.Config) { c.Match.Foreground = .6 }, "match.foreground: 0.5 then, 0.6 now", Options{}},
		{"sizes", asked, func(c *config.Config) { c.Data.MaxSide = 96 }, "data.max_side: 64 then, 96 now", Options{}},
		{"boxes", asked, other("train.json", `"bbox":[`, `"bbox":[1`), "annotations of data.train: sha256 ", Options{}},
		{"boxes to measure on", asked, other("val.json", `"area":`, `"area":1`), "annotations of data.val: sha256 ", Options{}},
		{"seed", never, func(c *config.Config) { c.Train.Seed++ }, "train.seed: 4 then, 5 now", Options{}},
		{"batch", never, func(c *config.Config) { c.Train.Batch = 2 }, "train.batch: 4 then, 2 now", Options{}},
		{"optimiser", never, func(c *config.Config) { c.Train.Optimizer = "adam" }, `train.optimizer: "adamw" then, "adam" now`, Options{}},
		{"no average", never, func(c *config.Config) { c.Train.EMA = 0 }, "train.ema: 0.5 then, 0 now", Options{}},
		{"network", never, func(c *config.Config) { c.Model.HeadDepth = 2 }, "model.head_depth: 1 then, 2 now", Options{}},
		{"fewer steps than were taken", "beyond the 1", func(c *config.Config) { c.Train.Steps = 1 }, "train.steps: 4 then, 1 now", Options{Extend: true}},
	} {
		t.Run(k.name, func(t *testing.T) {
			changed := c
			k.change(&changed)
			log, err := again(changed, k.o)
			if !strings.Contains(log, "changed   "+k.says) {
				t.Errorf("%q is not said:\n%s", k.says, log)
			}
			switch k.refusal {
			case allowed:
				if err != nil {
					t.Error(err)
				}
				return
			case never, asked:
				if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), strings.SplitN(k.says, "\n", 2)[0]) {
					t.Errorf("refused with %v", err)
				}
			}
			if err == nil || !strings.Contains(err.Error(), k.refusal) {
				t.Errorf("error %v, want %q", err, k.refusal)
			}
			if _, err := again(changed, Options{Changed: true}); (err == nil) != (k.refusal == asked) {
				t.Errorf("with Changed: %v", err)
			}
		})
	}
}

// What changes a run's meaning is refused with the key, what it was, what it is, and the option that allows it. With that option the run
// goes on; without it no file changes.
func TestResumeAsks(t *testing.T) {
	c := least(t)
	f := started(t, &c)
	again := func(c config.Config, o Options) error {
		t.Helper()
		o.Out, o.Resume, o.Log = f.write(t), true, io.Discard
		err := Run(context.Background(), c, o)
		if err != nil && !equalFolders(readFolder(t, o.Out), f) {
			t.Errorf("%v: a refused run has changed the folder", err)
		}
		return err
	}
	key := func(name string) Options { return Options{Change: []string{name}} }
	for _, k := range []struct {
		change func(*config.Config)
		want   string
		o      Options
	}{
		{func(c *config.Config) { c.Train.LR = .3 }, "train.lr: 0.003 then, 0.3 now (-change train.lr allows it)", key("train.lr")},
		{func(c *config.Config) { c.Train.Schedule = "constant" }, `train.schedule: "multistep" then, "constant" now (-change train.schedule allows it)`, key("train")},
		{func(c *config.Config) { c.Train.WarmupSteps = 9 }, "train.warmup_steps: 2 then, 9 now (-change train.warmup_steps allows it)", key("train.warmup_steps")},
		{func(c *config.Config) { c.Train.WeightDecay = .5 }, "train.weight_decay: 0.0001 then, 0.5 now (-change train.weight_decay allows it)", key("train.weight_decay")},
		{func(c *config.Config) { c.Train.Beta1 = .5 }, "train.beta1: 0.9 then, 0.5 now (-change train.beta1 allows it)", key("train")},
		{func(c *config.Config) { c.Train.EMA = .9 }, "train.ema: 0.5 then, 0.9 now (-change train.ema allows it)", key("train.ema")},
		{func(c *config.Config) { c.Loss.Gamma = 1 }, "loss.gamma: 2 then, 1 now (-change loss.gamma allows it)", key("loss")},
		{func(c *config.Config) { c.Match.Foreground = .6 }, "match.foreground: 0.5 then, 0.6 now (-change match.foreground allows it)", key("match")},
		{func(c *config.Config) { c.Data.MaxSide = 96 }, "data.max_side: 64 then, 96 now (-change data.max_side allows it)", key("data.max_side")},
		{func(c *config.Config) { c.Data.Flip = .25 }, "data.flip: 0.5 then, 0.25 now (-change data.flip allows it)", key("data")},
		{func(c *config.Config) { c.Train.Steps = 6 }, "train.steps: 4 then, 6 now (-extend allows it)", Options{Extend: true}},
		{func(c *config.Config) { c.Train.Steps = 3 }, "train.steps: 4 then, 3 now (-extend allows it)", Options{Extend: true}},
		{func(c *config.Config) { c.Train.Steps, c.Train.Epochs = 0, 6 }, "train.epochs: 0 then, 6 now (-extend allows it)", Options{Extend: true}},
		{func(c *config.Config) { c.Train.LR, c.Train.Steps = .01, 5 }, "train.steps: 4 then, 5 now (-extend allows it); train.lr: 0.003 then, 0.01 now (-change train.lr allows it)",
			Options{Extend: true, Change: []string{"loss", "train.lr"}}},
	} {
		changed := c
		k.change(&changed)
		if err := again(changed, Options{Extend: !k.o.Extend}); !errors.Is(err, ErrChanged) || k.o.Change == nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("with another option: %v, want %q", err, k.want)
		}
		if err := again(changed, Options{}); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v, want %q", err, k.want)
		}
		if err := again(changed, k.o); err != nil {
			t.Errorf("%s: with %+v: %v", k.want, k.o, err)
		}
	}
	for name, want := range map[string]string{
		"train.rate": "no such key or group of keys", "trai": "no such key or group of keys", "": "no such key or group of keys",
		"train.epochs": "give -extend", "train.steps": "give -extend", "train.seed": "begin another run", "model": "begin another run",
	} {
		if err := again(c, key(name)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "-change "+name) {
			t.Errorf("-change %s: %v, want %q", name, err, want)
		}
	}
	changed := c
	changed.Train.LogEvery, changed.Train.EvalEvery, changed.Train.CheckpointEvery, changed.Train.Threads, changed.Data.Workers = 3, 2, 1, 2, 2
	if err := again(changed, Options{}); err != nil {
		t.Errorf("settings on which nothing learned depends: %v", err)
	}
}

func equalFolders(a, b folder) bool {
	return len(a) == len(b) && !slices.ContainsFunc(runFiles, func(name string) bool { return !bytes.Equal(a[name], b[name]) })
}

// A state of a version that says nothing of its conditions goes on, with a line that says so.
func TestResumeOlderState(t *testing.T) {
	c := least(t)
	c.Train.Steps, c.Train.EvalEvery, c.Train.CheckpointEvery = 4, 2, 2
	dir := t.TempDir()
	h := &watcher{t: t, dir: dir}
	if err := Run(context.Background(), c, Options{Out: dir, Log: io.Discard, Hooks: []Hook{h}}); err != nil {
		t.Fatal(err)
	}
	want := readFolder(t, dir)
	out := h.seen[3].write(t)
	path := filepath.Join(out, StateFile)
	older := func(lacks ...string) {
		t.Helper()
		f, err := weights.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var s map[string]any
		if err := json.Unmarshal([]byte(f.Metadata[stateKey]), &s); err != nil {
			t.Fatal(err)
		}
		for _, k := range lacks {
			delete(s, k)
		}
		js, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var all []weights.Tensor
		for _, n := range f.Names() {
			v, err := f.Tensor(n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		if err := errors.Join(f.Close(), weights.Write(path, map[string]string{stateKey: string(js)}, all)); err != nil {
			t.Fatal(err)
		}
	}
	older("format", "conditions", "evaluated", "best_step", "metrics")
	var log bytes.Buffer
	if err := Run(context.Background(), c, Options{Out: out, Resume: true, Log: &log}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "earlier version") {
		t.Errorf("nothing is said:\n%s", log.String())
	}
	got := readFolder(t, out)
	same(t, "an older state", got.with(want, StateFile), want)
	if a, b := parameters(t, path), parameters(t, filepath.Join(dir, StateFile)); !equalTensors(a, b) {
		t.Error("tensors differ")
	}
	older("format", "conditions")
	c.Train.Seed++
	if err := Run(context.Background(), c, Options{Out: out, Resume: true, Log: io.Discard}); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("another seed: %v", err)
	}
}

func equalTensors(a, b map[string][]float32) bool {
	for n, v := range a {
		if !slices.Equal(v, b[n]) {
			return false
		}
	}
	return len(a) == len(b) && len(a) > 0
}

// removing takes files away before a step's checkpoint.
type removing struct {
	step int
	act  func() error
}

func (h *removing) Reads(int) Reads                         { return ReadsModel }
func (h *removing) Begin(context.Context, *Loop) error      { return nil }
func (h *removing) End(context.Context, *Loop, error) error { return nil }
func (h *removing) Step(_ context.Context, _ *Loop, s Step) error {
	if s.Number != h.step {
		return nil
	}
	return h.act()
}

// A checkpoint that cannot be written says how to go on: with -resume only where there is a state.
func TestCheckpointFails(t *testing.T) {
	c := least(t)
	c.Data.Val = config.Set{}
	c.Train.CheckpointEvery = 2
	out := filepath.Join(t.TempDir(), "run")
	err := Run(context.Background(), c, Options{Out: out, Log: io.Discard, Hooks: []Hook{&removing{2, func() error { return os.RemoveAll(out) }}}})
	if err == nil || !strings.Contains(err.Error(), "start again, without -resume") || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("the first checkpoint: %v", err)
	}
	inTheWay := func() error { // a folder where the model is to be
		last := filepath.Join(out, LastModel)
		return errors.Join(os.Remove(last), os.MkdirAll(filepath.Join(last, "x"), 0o755))
	}
	err = Run(context.Background(), c, Options{Out: out, Log: io.Discard, Hooks: []Hook{&removing{4, inTheWay}}})
	if err == nil || !strings.Contains(err.Error(), "continue with -resume") || !strings.Contains(err.Error(), "step 4") {
		t.Errorf("a later one: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(out, LastModel)); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), c, Options{Out: out, Resume: true, Log: io.Discard}); err != nil {
		t.Error(err)
	}
}

// gone is a terminal that was closed.
type gone struct{ lines int }

func (g *gone) Write([]byte) (int, error) {
	g.lines++
	return 0, errors.New("broken pipe")
}

// A run whose progress cannot be written goes on to its end.
func TestLogThatFails(t *testing.T) {
	c := least(t)
	var g gone
	out := t.TempDir()
	if err := Run(context.Background(), c, Options{Out: out, Log: &g}); err != nil || g.lines == 0 {
		t.Errorf("%v after %d lines", err, g.lines)
	}
	if n := bytes.Count(readFolder(t, out)[LogFile], []byte("\n")); n != 7+4 {
		t.Errorf("%d lines in log.jsonl", n)
	}
}

// A folder has one run at a time: another touches nothing in it.
func TestOneRunInAFolder(t *testing.T) {
	c := least(t)
	out := t.TempDir()
	owner, err := file.Lock(out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Release()
	before, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), c, Options{Out: out, Log: io.Discard}); !errors.Is(err, file.ErrOwned) || !strings.Contains(err.Error(), out) {
		t.Errorf("a second run: %v", err)
	}
	if after, err := os.ReadDir(out); err != nil || len(after) != len(before) {
		t.Errorf("%v, %v; want %v", after, err, before)
	}
}
