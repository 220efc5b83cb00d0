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
	if err != nil || strings.Contains(log, "changed ") || strings.Contains(log, "warning") || !strings.Contains(log, "resume    at step 2") {
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
	}{
		{"rate", allowed, func(c *config.Config) { c.Train.LR = .005 }, "train.lr: 0.003 then, 0.005 now"},
		{"length", allowed, func(c *config.Config) { c.Train.Steps = 5 }, "train.steps: 4 then, 5 now"},
		{"threads", allowed, func(c *config.Config) { c.Train.Threads = 2 }, "threads: 1 then, 2 now\n          numbers are rounded otherwise"},
		{"a path", allowed, func(c *config.Config) { c.Data.Val.Source = c.Data.Path("val.json") }, `data.val.source: "val.json" then, "/`},
		{"no validation", allowed, func(c *config.Config) { c.Data.Val = config.Set{} }, "annotations of data.val: sha256 "},
		{"loss", asked, func(c *config.Config) { c.Loss.Gamma = 1 }, "loss.gamma: 2 then, 1 now"},
		{"matching", asked, func(c *config.Config) { c.Match.Foreground = .6 }, "match.foreground: 0.5 then, 0.6 now"},
		{"sizes", asked, func(c *config.Config) { c.Data.MaxSide = 96 }, "data.max_side: 64 then, 96 now"},
		{"boxes", asked, other("train.json", `"bbox":[`, `"bbox":[1`), "annotations of data.train: sha256 "},
		{"boxes to measure on", asked, other("val.json", `"area":`, `"area":1`), "annotations of data.val: sha256 "},
		{"seed", never, func(c *config.Config) { c.Train.Seed++ }, "train.seed: 4 then, 5 now"},
		{"batch", never, func(c *config.Config) { c.Train.Batch = 2 }, "train.batch: 4 then, 2 now"},
		{"optimiser", never, func(c *config.Config) { c.Train.Optimizer = "adam" }, `train.optimizer: "adamw" then, "adam" now`},
		{"no average", never, func(c *config.Config) { c.Train.EMA = 0 }, "train.ema: 0.5 then, 0 now"},
		{"network", never, func(c *config.Config) { c.Model.HeadDepth = 2 }, "model.head_depth: 1 then, 2 now"},
		{"fewer steps than were taken", "beyond the 1", func(c *config.Config) { c.Train.Steps = 1 }, "train.steps: 4 then, 1 now"},
	} {
		t.Run(k.name, func(t *testing.T) {
			changed := c
			k.change(&changed)
			log, err := again(changed, Options{})
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
