package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"retinago/config"
)

// witness records its calls, and fails in the method that fails names.
type witness struct {
	fails string
	calls []string
	cause error // of End
	steps []Step
}

var errWitness = errors.New("the witness fails")

func (w *witness) call(name string) error {
	w.calls = append(w.calls, name)
	if w.fails == name {
		return errWitness
	}
	return nil
}

func (w *witness) Reads(int) Reads { return ReadsNumbers }

func (w *witness) Begin(context.Context, *Loop) error { return w.call("Begin") }

func (w *witness) Step(_ context.Context, l *Loop, s Step) error {
	if l.Last().Number != s.Number {
		return errors.New("the step is not the last")
	}
	w.steps = append(w.steps, s)
	return w.call("Step")
}

func (w *witness) End(_ context.Context, _ *Loop, err error) error {
	w.cause = err
	return w.call("End")
}

// Each hook that has begun ends once, however the run ends, with what stopped it.
func TestHooksEndInAnyCase(t *testing.T) {
	c := least(t)
	c.Data.Val = config.Set{}
	c.Train.Steps = 2
	for _, k := range []struct {
		fails         string
		before, after string // calls of a hook before the one that fails, and of one after it
	}{
		{"", "Begin Step Step End", "Begin Step Step End"},
		{"Begin", "Begin End", ""},
		{"Step", "Begin Step End", "Begin End"},
		{"End", "Begin Step Step End", "Begin Step Step End"},
	} {
		t.Run("fails in "+k.fails, func(t *testing.T) {
			before, failing, after := &witness{}, &witness{fails: k.fails}, &witness{}
			err := Run(context.Background(), c, Options{Out: t.TempDir(), Hooks: []Hook{before, failing, after}})
			if k.fails == "" && err != nil || k.fails != "" && !errors.Is(err, errWitness) {
				t.Errorf("the run ends with %v", err)
			}
			if got := strings.Join(before.calls, " "); got != k.before {
				t.Errorf("calls of the hook before: %s, want %s", got, k.before)
			}
			if got := strings.Join(after.calls, " "); got != k.after {
				t.Errorf("calls of the hook after: %s, want %s", got, k.after)
			}
			if !slices.Contains(failing.calls, "End") {
				t.Errorf("calls of the hook that fails: %v", failing.calls)
			}
			if stopped := k.fails == "Begin" || k.fails == "Step"; stopped != errors.Is(before.cause, errWitness) || !stopped && before.cause != nil {
				t.Errorf("End was given %v", before.cause)
			}
		})
	}
}

// What a hook is given of a step agrees with the log.
func TestStepNumbers(t *testing.T) {
	c := least(t)
	c.Data.Val = config.Set{}
	c.Train.Steps = 2
	w := &witness{}
	if err := Run(context.Background(), c, Options{Out: t.TempDir(), Hooks: []Hook{w}}); err != nil {
		t.Fatal(err)
	}
	for i, s := range w.steps {
		if s.Number != i+1 || !(s.Losses.Total() > 0) || !(s.GradNorm > 0) || s.Positives < 1 || !(s.LR > 0) || len(s.Images) != c.Train.Batch || s.Took <= 0 {
			t.Errorf("step %d: %+v", i+1, s)
		}
	}
}

// The zero Options train in the current folder, in silence.
func TestZeroOptions(t *testing.T) {
	c := least(t)
	c.Train.Steps, c.Train.EvalEvery, c.Train.CheckpointEvery = 1, 0, 0
	t.Chdir(t.TempDir())
	if err := Run(context.Background(), c, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range runFiles {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// A run that is built and not run leaves the folder to others.
func TestNewWithoutRun(t *testing.T) {
	c := least(t)
	out := t.TempDir()
	for range 2 {
		l, err := New(c, Options{Out: out})
		if err != nil {
			t.Fatal(err)
		}
		if l.Last().Number != 0 || l.Schedule().Steps != 7 || len(l.Config().Model.Classes) != 4 || l.Model() == nil {
			t.Errorf("%+v, %v, %v", l.Last(), l.Schedule(), l.Config().Model.Classes)
		}
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	}
	var log bytes.Buffer
	if err := Run(context.Background(), c, Options{Out: out, Log: io.MultiWriter(&log)}); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
}
