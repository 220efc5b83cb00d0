package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/train"
)

// The laboratory from the command line: a sweep, the same again, and a viewed at one of its models.
func TestLab(t *testing.T) {
	dir, out := shapes(t), filepath.Join(t.TempDir(), "sweep")
	args := append([]string{"bench", "losses", "-losses", "ce-a.75,fl-g2", "-seeds", "1", "-out", out, "-pictures", "2"}, tiny(dir, "train.steps=2", "train.checkpoint_every=0")...)
	wants(t, ok(t, args...), "cell 1/2  ce-a.75 seed 0", "eta", "| fl-g2 |", "done: "+filepath.Join(out, "report.html"))
	wants(t, text(t, filepath.Join(out, "report.html")), "<!DOCTYPE html>", "Which loss", "Figure 4", "31.1")
	wants(t, text(t, filepath.Join(out, "results.md")), "| ce-a.75 | loss.kind=focal")
	var r struct {
		Complete bool
		Rows     []struct {
			Variant  string
			AP, AR10 *float64
			Seconds  float64
			Settings []string
		}
	}
	read(t, filepath.Join(out, "results.json"), &r)
	if !r.Complete || len(r.Rows) != 2 || r.Rows[1].Variant != "fl-g2" || r.Rows[0].AP == nil || r.Rows[0].AR10 == nil || r.Rows[0].Seconds <= 0 || len(r.Rows[1].Settings) != 4 {
		t.Errorf("%+v", r)
	}
	if again := ok(t, args...); strings.Contains(again, "cell ") {
		t.Errorf("finished cells are trained again:\n%s", again)
	}

	model := filepath.Join(out, "cells", "fl-g2", "seed-0", train.LastModel)
	viewed := filepath.Join(t.TempDir(), "view")
	wants(t, ok(t, "bench", "view", "-weights", model, "-data", filepath.Join(dir, "val.json"), "-images", filepath.Join(dir, "val"), "-out", viewed, "-pictures", "3"),
		"3 images; an image has", "gamma 2   alpha 0.25")
	wants(t, text(t, filepath.Join(viewed, "report.html")), "Where the loss lies", "By level of the pyramid")
	var v struct{ Pictures, Negatives int }
	read(t, filepath.Join(viewed, "view.json"), &v)
	if v.Pictures != 3 || v.Negatives == 0 {
		t.Errorf("%+v", v)
	}
	if plots, err := os.ReadDir(filepath.Join(viewed, "plots")); err != nil || len(plots) != 12 {
		t.Errorf("%d plots, %v", len(plots), err)
	}

	if testing.Short() {
		return // two more sweeps
	}
	few := tiny(dir, "train.steps=1", "train.checkpoint_every=0")
	wants(t, ok(t, append([]string{"bench", "anchors", "-variants", "1x1", "-seeds", "1", "-out", filepath.Join(t.TempDir(), "a"), "-pictures", "0"}, few...)...), "| 1x1 |")
	wants(t, ok(t, append([]string{"bench", "scales", "-sides", "64", "-seeds", "1", "-out", filepath.Join(t.TempDir(), "s"), "-pictures", "0"}, few...)...), "| resnet18-64 |", "ms/image")
}

// Combinations of settings from the command line: a sweep, the same again, and another baseline, for which nothing is trained.
func TestBenchSweep(t *testing.T) {
	dir, out := shapes(t), filepath.Join(t.TempDir(), "sweep")
	few := tiny(dir, "train.steps=1", "train.checkpoint_every=0")
	args := append([]string{"bench", "sweep", "-vary", "data.augment=none,[light, hflip]", "-vary", "train.weight_decay=0,.01", "-for", "*=.01:loss.gamma=1", "-seeds", "2", "-pictures", "0", "-out", out}, few...)
	wants(t, ok(t, args...), "cell 1/8  none+weight_decay=0 seed 0", "| AP - none+weight_decay=0 |", "done: "+filepath.Join(out, "report.html"))
	wants(t, text(t, filepath.Join(out, "report.html")), "Which settings", "Combinations", "[light, hflip]", "train.weight_decay", "loss.gamma")
	var r struct {
		Complete bool
		Against  string
		Variants []struct {
			Variant  string
			Settings []string
			AP       *float64
			Holm     *float64 `json:"p_holm"`
		}
		Rows []struct{ Variant string }
	}
	read(t, filepath.Join(out, "results.json"), &r)
	if !r.Complete || r.Against != "none+weight_decay=0" || len(r.Variants) != 4 || len(r.Rows) != 8 {
		t.Fatalf("%+v", r)
	}
	if v := r.Variants[3]; v.AP == nil || v.Holm == nil || strings.Join(v.Settings, " ") != "data.augment=[light, hflip] train.weight_decay=.01 loss.gamma=1" {
		t.Errorf("%+v", v)
	}
	again := ok(t, append(args, "-against", "none+weight_decay=.01")...)
	wants(t, again, "| AP - none+weight_decay=.01 |")
	if strings.Contains(again, "cell ") {
		t.Errorf("finished cells are trained again:\n%s", again)
	}

	for want, bad := range map[string][]string{
		`unknown policy "lihgt"`:           {"-vary", "data.augment=none,lihgt"},
		`train.weight_decay is "x", want`:  {"-vary", "train.weight_decay=.1,x"},
		"did you mean train.weight_decay?": {"-vary", "train.weigth_decay=.1,.2"},
	} {
		out := filepath.Join(t.TempDir(), "refused")
		code, said := call(t, append(append([]string{"bench", "sweep", "-out", out}, few...), bad...)...)
		if code != exitError || !strings.Contains(said, want) || strings.Contains(said, "cell ") {
			t.Errorf("%v: exit code %d\n%s", bad, code, said)
		}
		if _, err := os.Stat(out); !os.IsNotExist(err) {
			t.Errorf("%v: a refused sweep leaves %s", bad, out)
		}
	}
}

func TestLabRefuses(t *testing.T) {
	wants(t, ok(t, "bench", "losses", "-losses", "help"), "fl-g2", "ohem13-512-.5", "loss.kind=softmax")
	wants(t, ok(t, "bench", "anchors", "-variants", "help"), "4x3", "iou-.6-.5", "atss")
	for _, k := range []struct {
		want string
		args []string
	}{
		{`there is no variant "fl-g3"`, []string{"losses", "-losses", "fl-g3"}},
		{"-alphas", []string{"losses", "-alphas", "2"}},
		{"NAME:key=value", []string{"losses", "-for", "ce"}},
		{"at least 1 seed", []string{"anchors", "-seeds", "0"}},
		{"-sides", []string{"scales", "-sides", "big"}},
		{"key=value,value", []string{"sweep", "-vary", "train.lr"}},
		{"train.lr has one value", []string{"sweep", "-vary", "train.lr=.1"}},
		{"-set train.lr=.3 and -vary set the same key", []string{"sweep", "-vary", "train.lr=.1,.2", "-set", "train.lr=.3"}},
		{`there is no variant "lr=.3"; there are lr=.1, lr=.2`, []string{"sweep", "-vary", "train.lr=.1,.2", "-against", "lr=.3"}},
		{"matches 2 variants", []string{"sweep", "-vary", "train.lr=.1,.2", "-against", "lr=*"}},
		{"-pictures 0", []string{"view", "-weights", "w", "-data", "d", "-out", "o", "-pictures", "0"}},
	} {
		code, out := call(t, append([]string{"bench"}, k.args...)...)
		if code != exitUsage || !strings.Contains(out, k.want) {
			t.Errorf("%v: exit code %d\n%s", k.args, code, out)
		}
	}
}
