package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/train"
)

// tiny is a configuration of a cell of a second, on eight images made here.
func tiny(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := data.Shapes(dir, data.ShapesOptions{Train: 8, Val: 4, Size: 64, MinSize: 12, MaxSize: 40, MaxObjects: 2, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.Norm, c.Model.FrozenStages = "resnet18", 16, "batch", 0
	c.Model.FPNWidth, c.Model.HeadDepth, c.Model.HeadNorm = 16, 1, "group"
	c.Data.Root = dir
	c.Data.Train, c.Data.Val = config.Set{Source: "train.json", Images: "train"}, config.Set{Source: "val.json", Images: "val"}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 64, 32
	c.Train.Batch, c.Train.BaseBatch, c.Train.Epochs, c.Train.Steps = 4, 4, 2, 0
	c.Train.Optimizer, c.Train.LR, c.Train.WarmupSteps, c.Train.EvalEvery, c.Train.Threads = "adamw", 1e-3, 0, 2, 1
	return c
}

func chosen(t *testing.T, list string) []Variant {
	t.Helper()
	v, err := Select(Losses(), list)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// timeless is results.json without what a clock says.
func timeless(t *testing.T, r *Results) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, row := range v["rows"].([]any) {
		m := row.(map[string]any)
		if s, ok := m["seconds"].(float64); !ok || s <= 0 {
			t.Errorf("seconds of %v: %v", m["variant"], m["seconds"])
		}
		delete(m, "seconds")
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// stopAt cancels once the log has a text.
type stopAt struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (s *stopAt) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(s.text)) {
		s.cancel()
	}
	return s.Buffer.Write(b)
}

// Two sweeps are equal to the bit, one that was interrupted within a cell equals both, and nothing is trained twice.
func TestSweepReproduces(t *testing.T) {
	c := tiny(t)
	sweep := func(out string) *Sweep {
		return &Sweep{Base: c, Variants: chosen(t, "ce-a.75,fl-g2"), Seeds: 2, Out: out, Pictures: 2, Log: &bytes.Buffer{}}
	}
	run := func(s *Sweep, ctx context.Context) *Results {
		t.Helper()
		r, err := s.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ctx := context.Background()
	one := run(sweep(t.TempDir()), ctx)
	want := timeless(t, one)
	if !one.Complete || len(one.Cells) != 4 || one.Cells[0].View == nil || one.Cells[2].View != nil || len(one.Cells[0].Loss) != 4 || len(one.Cells[0].AP) != 2 {
		t.Fatalf("%+v", one)
	}
	if got := timeless(t, run(sweep(t.TempDir()), ctx)); got != want {
		t.Errorf("a second sweep differs:\n%s\n%s", got, want)
	}

	out := t.TempDir()
	s := sweep(out)
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	s.Log, s.often = &stopAt{text: "fl-g2 seed 0  step 2/4", cancel: cancel}, time.Nanosecond
	part := run(s, stopping)
	if part.Complete || len(part.Cells) != 1 {
		t.Fatalf("interrupted: %d cells, complete %v", len(part.Cells), part.Complete)
	}
	if _, err := os.Stat(filepath.Join(out, "cells", "fl-g2", "seed-0", train.StateFile)); err != nil {
		t.Error("an interrupted cell has no state:", err)
	}
	s = sweep(out)
	if got := timeless(t, run(s, ctx)); got != want {
		t.Errorf("an interrupted sweep differs:\n%s\n%s", got, want)
	}
	if log := s.Log.(*bytes.Buffer).String(); strings.Contains(log, "ce-a.75 seed 0") || !strings.Contains(log, "fl-g2 seed 0") {
		t.Errorf("a finished cell is trained again, or an interrupted one is not:\n%s", log)
	}
	if text, _ := os.ReadFile(filepath.Join(out, "cells", "fl-g2", "seed-0", trainLog)); !strings.Contains(string(text), "interrupted: saving step 2") {
		t.Errorf("the cell was not interrupted within its steps:\n%s", text)
	}
	// A cell of before some key was there has that key's default.
	asked := filepath.Join(out, "cells", "fl-g2", "seed-0", askedFile)
	text, err := os.ReadFile(asked)
	older := bytes.Replace(text, []byte("  recompute_heads: false\n"), nil, 1)
	if err != nil || len(older) == len(text) || os.WriteFile(asked, older, 0o644) != nil {
		t.Fatalf("%s is not as expected: %v\n%s", asked, err, text)
	}
	s = sweep(out)
	if got := timeless(t, run(s, ctx)); got != want || s.Log.(*bytes.Buffer).Len() > 0 {
		t.Errorf("a finished sweep is run again:\n%s", s.Log)
	}

	// Another configuration does not take its cells.
	s = sweep(out)
	s.Base.Train.LR *= 2
	if _, err := s.Run(ctx); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("other settings: %v", err)
	}
	page(t, one, LossExperiment, "Focal loss at its best (fl-g2", "ce-a.75", "Figure 1", "Figure 4", "31.1", "36.5", "Easy background by variant", "Student")
}

// page renders a report and exports its plots.
func page(t *testing.T, r *Results, e Experiment, wants ...string) {
	t.Helper()
	p := r.Page(e, "T")
	html, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wants {
		if !strings.Contains(html, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
	if strings.Contains(html, "NaN") {
		t.Error("the page has NaN")
	}
	dir := t.TempDir()
	if err := p.Export(dir); err != nil {
		t.Fatal(err)
	}
	plots, err := os.ReadDir(dir)
	if err != nil || len(plots) == 0 || len(plots)%2 != 0 {
		t.Errorf("%d plots, %v", len(plots), err)
	}
}

// A run that diverges is a result with its step; equal settings are trained once; several alphas are tried.
func TestSweepOfKinds(t *testing.T) {
	if testing.Short() {
		t.Skip("trains five cells")
	}
	c := tiny(t)
	variants, err := Adjust(chosen(t, "ce-noprior,ce-a.5,fl-g.5"), []string{"ce-noprior:train.lr=1e30", "ce-noprior:train.optimizer=sgd"})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := &Sweep{Base: c, Variants: variants, Seeds: 1, Alphas: []float64{.25, .5}, Out: t.TempDir(), Pictures: 1, Timed: true, Log: &log}
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d := r.cells("ce-noprior")[0].Row
	if d.Diverged == nil || *d.Diverged < 1 || d.Numbers != nil || d.Steps != *d.Diverged {
		t.Errorf("no divergence: %+v", d)
	}
	if !strings.Contains(log.String(), "warning   ce-noprior: model.prior 0.5") || !strings.Contains(log.String(), "diverged after") {
		t.Errorf("log:\n%s", log.String())
	}
	if len(r.Cells) != 5 || r.Cells[3].Row.Candidate != "fl-g.5" || r.Cells[4].Row.Variant != "fl-g.5-a.5" {
		t.Errorf("%d cells: %+v", len(r.Cells), r.Cells)
	}
	tuned := r.cells("fl-g.5")[0]
	if tuned.Row.SameAs == "" || tuned.View == nil || !strings.Contains(tuned.Row.Words, "best of .25 .5") || tuned.Row.PictureMS <= 0 {
		t.Errorf("tuned: %+v", tuned.Row)
	}
	md := r.Markdown()
	for _, want := range []string{"ms/image", "after ", "train.lr=1e30", "| ce-a.5 |"} {
		if !strings.Contains(md, want) {
			t.Errorf("%q is missing in\n%s", want, md)
		}
	}
	page(t, r, LossExperiment, "ce-noprior diverged: after", "one seed", "There is 1 seed", "Alphas that were tried", "Equal settings were trained once")
	page(t, r, ScaleExperiment, "Accuracy and time", "frontier")
}

func TestSweepRefuses(t *testing.T) {
	c := tiny(t)
	for _, k := range []struct {
		want   string
		change func(*Sweep)
	}{
		{"0 seeds", func(s *Sweep) { s.Seeds = 0 }},
		{"data.val.source", func(s *Sweep) { s.Base.Data.Val = config.Set{} }},
		{`no variant "cd"`, func(s *Sweep) { s.Against = "cd" }},
		{"late: train.seed differs", func(s *Sweep) { s.Variants = []Variant{{Name: "late", Sets: []string{"train.seed=7"}}} }},
		{"a, b: loss.kind is \"fokal\"", func(s *Sweep) {
			s.Variants = []Variant{{Name: "a", Sets: []string{"loss.kind=fokal"}}, {Name: "b", Sets: []string{"train.lr=.5", "loss.kind=fokal"}}}
		}},
		{"and 2 more errors", func(s *Sweep) {
			s.Variants = nil
			for i := range mostErrors + 2 {
				s.Variants = append(s.Variants, Variant{Name: fmt.Sprint(i), Sets: []string{fmt.Sprintf("train.lr=-%d", i+1)}})
			}
		}},
		{"bad: -set loss.gama=1: unknown key", func(s *Sweep) { s.Variants = []Variant{{Name: "bad", Sets: []string{"loss.gama=1"}}} }},
	} {
		s := &Sweep{Base: c, Variants: chosen(t, "ce"), Seeds: 1, Out: t.TempDir(), Log: &bytes.Buffer{}}
		k.change(s)
		if _, err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v, want %q", err, k.want)
		}
	}
}
