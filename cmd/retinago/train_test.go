package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/train"
)

// Pictures that cannot be read are skipped with their names: another takes their place in training, detection ends
// with 3, evaluation counts their objects as missed.
func TestBrokenPictures(t *testing.T) {
	dir := shapes(t)
	broken := write(t, filepath.Join(dir, "train", "00003.jpg"), "no picture")
	cut := filepath.Join(dir, "val", "00002.jpg")
	b, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cut, string(b[:len(b)/2]))
	run := filepath.Join(t.TempDir(), "run")
	wants(t, ok(t, append([]string{"train", "-out", run}, tiny(dir)...)...), broken, "1 pictures that cannot be read")
	best := filepath.Join(run, train.BestModel)
	code, out := call(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-out", filepath.Join(run, "found"))
	if code != 3 {
		t.Errorf("detect: exit code %d", code)
	}
	wants(t, out, cut, "cut", "1 of 4 pictures")
	page := filepath.Join(t.TempDir(), "r.html")
	code, out = call(t, "eval", "-weights", best, "-data", filepath.Join(dir, "val.json"), "-images", filepath.Join(dir, "val"), "-report", page)
	if code != 3 {
		t.Errorf("eval: exit code %d", code)
	}
	wants(t, out, cut, "missed")
	wants(t, text(t, page), "1 pictures could not be read", cut)
}

// Another network or other classes than the weights' are told apart, by name.
func TestOtherModels(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...)...)
	last := filepath.Join(run, train.LastModel)
	b, err := os.ReadFile(filepath.Join(dir, "val.json"))
	if err != nil {
		t.Fatal(err)
	}
	other := write(t, filepath.Join(dir, "other.json"), strings.Replace(string(b), `"name":"star"`, `"name":"comet"`, 1))
	if code, out := call(t, "eval", "-weights", last, "-data", other, "-images", filepath.Join(dir, "val")); code != 1 || !strings.Contains(out, "comet") {
		t.Errorf("other classes: exit code %d\n%s", code, out)
	}
	// Fewer classes: what depends on them starts anew, and it is said.
	out := ok(t, append([]string{"train", "-out", run + "2"}, tiny(dir, "train.steps=1", "train.init_weights="+last, "model.anchors.ratios=[1]")...)...)
	wants(t, out, "of another shape", "cls_logits")
	code, out := call(t, append([]string{"train", "-out", run + "3"}, tiny(dir, "train.init_weights="+last, "model.backbone=resnet50", "model.backbone_width=24", "model.fpn_width=48", "model.head_depth=0")...)...)
	if code != 1 {
		t.Errorf("another architecture: exit code %d\n%s", code, out)
	}
	wants(t, out, last, "another architecture")
}

// An interrupt ends a run with a checkpoint and exit code 0.
func TestInterrupt(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	c, out := program(append([]string{"train", "-out", run}, tiny(dir, "train.steps=100000", "train.checkpoint_every=0")...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return logged(run) > 2 })
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wants(t, out.String(), "interrupted", "-resume")
	if _, err := os.Stat(filepath.Join(run, train.StateFile)); err != nil {
		t.Error(err)
	}
}

// logged counts the lines of a run's log.
func logged(run string) int {
	b, err := os.ReadFile(filepath.Join(run, train.LogFile))
	if err != nil {
		return 0
	}
	return bytes.Count(b, []byte("\n"))
}

func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for range 600 {
		if f() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("waited 30 s for nothing")
}

// Killed at any moment, a run goes on from its last complete checkpoint.
func TestKill(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	args := append([]string{"train", "-out", run}, tiny(dir, "train.steps=60")...)
	kills := 4
	if testing.Short() {
		kills = 1
	}
	for i := range kills {
		c, out := program(args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		before := logged(run)
		waitFor(t, func() bool { return logged(run) > before+2 })
		time.Sleep(time.Duration(i*37) * time.Millisecond) // somewhere else in a step or a checkpoint each time
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if c.Wait() == nil {
			t.Fatalf("the run ended before it was killed:\n%s", out)
		}
		if i == 0 {
			args = append(args, "-resume")
		}
	}
	wants(t, ok(t, args...), "step 60/60")
	left, err := os.ReadDir(run)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasSuffix(f.Name(), ".tmp") {
			t.Errorf("%s was left behind", f.Name())
		}
	}
}
