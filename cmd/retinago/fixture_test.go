package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

// program prepares a command line of the program.
func program(args ...string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "RETINAGO_TEST_MAIN=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	return c, &out
}

// peakOf runs a prepared command line to its end and returns the most resident memory that it had, in bytes. The program counts it itself:
// what the system counts for a child process begins with its parent's memory.
func peakOf(t *testing.T, c *exec.Cmd) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "peak")
	c.Env = append(c.Env, "RETINAGO_TEST_PEAK="+path)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v ends without saying its peak: %v\n%v", c.Args, err, c.Stdout)
	}
	peak, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || peak == 0 {
		t.Fatalf("%v: a peak of %q: %v", c.Args, b, err)
	}
	return peak
}

// call runs a command line within the test and returns its exit code and what it printed. Starting a process of its own, as program does,
// costs a fifth of a second for the loading of OpenCV's libraries.
func call(t *testing.T, args ...string) (int, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	code := run(t.Context(), append([]string{"retinago"}, args...), out, out)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "panic:") || strings.Contains(string(b), "goroutine ") {
		t.Errorf("retinago %s panics:\n%s", strings.Join(args, " "), b)
	}
	return code, string(b)
}

// ok runs a command line that must succeed.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	code, out := call(t, args...)
	if code != 0 {
		t.Fatalf("retinago %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// tiny overrides make a run of seconds.
func tiny(root string, more ...string) []string {
	set := []string{"data.root=" + root, "data.train.source=train.json", "data.train.images=train", "data.val.source=val.json", "data.val.images=val",
		"data.short_sides=[64]", "data.max_side=96", "data.canvas_multiple=32", "model.backbone=resnet18", "model.backbone_width=16", "model.norm=batch",
		"model.frozen_stages=0", "model.fpn_width=16", "model.head_depth=1", "model.head_norm=group", "train.batch=2", "train.base_batch=2",
		"train.steps=12", "train.warmup_steps=2", "train.optimizer=adamw", "train.lr=.001", "train.checkpoint_every=1", "train.log_every=1"}
	var args []string
	for _, s := range append(set, more...) {
		args = append(args, "-set", s)
	}
	return args
}

func shapes(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shapes")
	ok(t, "data", "shapes", "-out", dir, "-train", "12", "-val", "4", "-size", "96", "-max-size", "48", "-max-objects", "3")
	return dir
}

func wants(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(out, s) {
			t.Errorf("%q is missing in:\n%s", s, out)
		}
	}
}

func read(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// seeded writes a model that was never trained, with a changed configuration.
func seeded(t *testing.T, path string, change ...func(*config.Config)) {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth = "resnet18", 16, 16, 1
	c.Model.Classes, c.Model.CategoryIDs = []string{"a", "b"}, []int64{1, 2}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 96, 32
	for _, f := range change {
		f(&c)
	}
	info := detector.Info{Config: c}
	for i, name := range c.Model.Classes {
		info.Categories = append(info.Categories, detector.Category{ID: c.Model.CategoryIDs[i], Name: name})
	}
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Save(path, info); err != nil {
		t.Fatal(err)
	}
}
