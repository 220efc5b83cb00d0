package lab

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/internal/file"
	"retinago/train"
)

// keeper copies a run's folder before each step's hooks and before the run's end.
type keeper struct {
	t   *testing.T
	dir string
	all []string
}

func (k *keeper) Reads(int) train.Reads                    { return train.ReadsModel }
func (k *keeper) Begin(context.Context, *train.Loop) error { return nil }
func (k *keeper) End(context.Context, *train.Loop, error) error {
	return k.Step(context.Background(), nil, train.Step{})
}
func (k *keeper) Step(context.Context, *train.Loop, train.Step) error {
	dir := k.t.TempDir()
	k.all = append(k.all, dir)
	return os.CopyFS(dir, os.DirFS(k.dir))
}

// A sweep whose cell was killed at any moment, its last checkpoint and the cell's own file included, goes on to the same numbers.
func TestSweepGoesOnAfterKills(t *testing.T) {
	base := tiny(t)
	base.Train.CheckpointEvery, base.Train.EvalEvery, base.Train.LogEvery = 1, 2, 1
	sweep := func(out string, log io.Writer) *Sweep {
		return &Sweep{Base: base, Variants: chosen(t, "fl-g2"), Seeds: 1, Out: out, Log: log}
	}
	out := t.TempDir()
	whole, err := sweep(out, io.Discard).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := timeless(t, whole)
	cell := filepath.Join(out, "cells", "fl-g2", "seed-0")

	s := sweep("", io.Discard)
	c, err := s.config(s.Variants[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	run := t.TempDir()
	k := &keeper{t: t, dir: run}
	if err := train.Run(context.Background(), c, train.Options{Out: run, Log: io.Discard, Hooks: []train.Hook{k}}); err != nil {
		t.Fatal(err)
	}
	withoutLastStep := func(dir string) error {
		path := filepath.Join(dir, train.LogFile)
		b, err := os.ReadFile(path)
		var keep []byte
		for line := range bytes.Lines(b) {
			if !bytes.Contains(line, []byte(`"step":4,`)) || bytes.Contains(line, []byte(`"stats"`)) {
				keep = append(keep, line...)
			}
		}
		return errors.Join(err, os.WriteFile(path, keep, 0o644))
	}
	nothing := func(string) error { return nil }
	const lastStep = 4
	for _, m := range []struct {
		moment string
		run    string
		also   func(dir string) error
		trains string // the first step that is taken again
	}{
		{"before the run", t.TempDir(), nothing, "step 1/4"},
		{"in the first step", k.all[0], nothing, "step 1/4"},
		{"after a checkpoint", k.all[2], nothing, "step 3/4"},
		{"before the run's end", k.all[lastStep], nothing, ""},
		{"before the cell's file", run, nothing, ""},
		{"the log of an earlier version lacks the last step", run, withoutLastStep, ""},
		{"before the state is removed", run, func(dir string) error {
			b, err := os.ReadFile(filepath.Join(cell, cellFile))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, cellFile), b, 0o644))
		}, ""},
		{"in the cell's file", run, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "."+cellFile+".1.tmp"), []byte("{"), 0o644)
		}, ""},
	} {
		t.Run(m.moment, func(t *testing.T) {
			out := t.TempDir()
			dir := filepath.Join(out, "cells", "fl-g2", "seed-0")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(m.run)), os.WriteFile(filepath.Join(dir, askedFile), []byte(c.String()), 0o644), m.also(dir)); err != nil {
				t.Fatal(err)
			}
			r, err := sweep(out, io.Discard).Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got := timeless(t, r); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			log, err := os.ReadFile(filepath.Join(dir, trainLog))
			if err != nil && m.moment != "before the state is removed" {
				t.Fatal(err)
			}
			if m.trains == "" && strings.Contains(string(log), "evaluation at") || !strings.Contains(string(log), m.trains) {
				t.Errorf("want %q in\n%s", m.trains, log)
			}
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left {
				if name := f.Name(); name == train.StateFile || name == train.BestModel || strings.HasPrefix(name, ".") {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// A sweep's folder and its cells have one owner each, and another process touches nothing there.
func TestOneSweepInAFolder(t *testing.T) {
	out := t.TempDir()
	cell := filepath.Join(out, "cells", "fl-g2", "seed-0")
	for _, dir := range []string{out, cell} {
		owner, err := file.Lock(dir, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		s := &Sweep{Base: tiny(t), Variants: chosen(t, "fl-g2"), Seeds: 1, Out: out, Log: io.Discard}
		if _, err := s.Run(context.Background()); !errors.Is(err, file.ErrOwned) || !strings.Contains(err.Error(), dir+": ") {
			t.Errorf("%s: %v", dir, err)
		}
		owner.Release()
		if left, err := os.ReadDir(out); err != nil || len(left) > 1 {
			t.Errorf("%v, %v", left, err)
		}
	}
}
