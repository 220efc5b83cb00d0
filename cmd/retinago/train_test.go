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

// Images that cannot be read are skipped with their names: another takes their place in training, detection ends
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
	wants(t, ok(t, append([]string{"train", "-out", run}, tiny(dir)...)...), broken, "1 image that cannot be read")
	best := filepath.Join(run, train.BestModel)
	code, out := call(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-out", filepath.Join(run, "found"))
	if code != 3 {
		t.Errorf("detect: exit code %d", code)
	}
	wants(t, out, cut, "cut", "1 of 4 images")
	page := filepath.Join(t.TempDir(), "r.html")
	code, out = call(t, "eval", "-weights", best, "-data", filepath.Join(dir, "val.json"), "-images", filepath.Join(dir, "val"), "-report", page)
	if code != 3 {
		t.Errorf("eval: exit code %d", code)
	}
	wants(t, out, cut, "missed")
	wants(t, text(t, page), "1 image could not be read", cut)
}

// Training on some classes under other names: the run, its evaluation, its detections and the data verbs have the same classes.
func TestClasses(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	picked := []string{"-classes", "round, star", "-rename", "circle=round", "-rename", "square=round"}
	start := func(more ...string) []string {
		return append(append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...), more...)
	}
	for _, bad := range []struct {
		args []string
		code int
		want string
	}{
		{start("-classes", "stars"), 1, `no class "stars" (did you mean "star"?): there are circle, square, triangle, star`},
		{start("-rename", "ring=round"), 1, `"ring=round" cannot be renamed`},
		{start("-rename", "ring"), 2, "OLD=NEW"},
		{start("-classes", "star,"), 2, "separated by commas"},
		{[]string{"train", "-resume", run, "-classes", "star"}, 2, "its own classes"},
	} {
		if code, out := call(t, bad.args...); code != bad.code || !strings.Contains(out, bad.want) {
			t.Errorf("%v: exit code %d\n%s", bad.args, code, out)
		}
		if _, err := os.Stat(run); err == nil {
			t.Errorf("%v leaves a folder behind", bad.args)
		}
	}
	wants(t, ok(t, start(picked...)...), "2 classes")
	wants(t, ok(t, "train", "-resume", run, "-set", "train.steps=2", "-extend"), "at step 1 of", "step 2/2")
	wants(t, ok(t, "train", "-resume", run, "-extend", "-epochs", "1"), "step 6/6")
	wants(t, ok(t, "anchors", "show", run), "9 anchors per cell")
	wants(t, ok(t, "data", "draw", "-config", run, "-augment", "1", "-out", filepath.Join(dir, "batches")), "1 batch of 2 images")
	wants(t, ok(t, "train", "-config", run, "-set", "train.steps=1", "-out", filepath.Join(dir, "again")), "2 classes", "step 1/1")
	json, images := filepath.Join(dir, "val.json"), filepath.Join(dir, "val")
	if out := ok(t, "eval", run, "-classes"); strings.Contains(out, "measured") || !strings.Contains(out, "round") || strings.Contains(out, "circle") {
		t.Errorf("eval of the run:\n%s", out)
	}
	if out := ok(t, "eval", run, "-classes", "-class", "star"); strings.Contains(out, "not ") || strings.Contains(out, "round") || !strings.Contains(out, "star") {
		t.Errorf("eval of one class:\n%s", out)
	}
	at := []string{"eval", "-weights", run, "-data", json, "-images", images}
	wants(t, ok(t, append(at, "-rename", "circle=round", "-rename", "square=round")...), "2 are measured", "round, star", "does not know them: triangle")
	wants(t, ok(t, at...), "not measured, since the model does not know them: circle, square, triangle", "not looked for, since the dataset does not have them: round")
	code, out := call(t, append(at, "-class", "round")...)
	if code != 1 || !strings.Contains(out, `no class "round": there are circle`) {
		t.Errorf("a class that the dataset does not have: exit code %d\n%s", code, out)
	}
	code, out = call(t, append(at, "-rename", "triangle=star", "-class", "square,star")...) // round and square are left
	if code != 1 || !strings.Contains(out, `-rename "square=round"`) || strings.Contains(out, "{") {
		t.Errorf("a class under another name: exit code %d\n%s", code, out)
	}
	code, out = call(t, "eval", run, "-rename", "circle=round")
	if code != 2 || !strings.Contains(out, "-rename needs -data") {
		t.Errorf("-rename of a run's own dataset: exit code %d\n%s", code, out)
	}
	found := filepath.Join(dir, "found.jsonl")
	ok(t, "detect", run, images, "-jsonl", found, "-score", ".001")
	if s := text(t, found); strings.Contains(s, "circle") || !strings.Contains(s, `"round","category_id":1,`) && !strings.Contains(s, `"star","category_id":7,`) {
		t.Errorf("detections have other classes: %.300s", s)
	}
	all := ok(t, "data", "stats", "-data", json)
	if part := ok(t, append([]string{"data", "stats", "-data", json}, picked...)...); !strings.Contains(all, "triangle") || strings.Contains(part, "triangle") || strings.Contains(part, "square") || !strings.Contains(part, "round") {
		t.Errorf("data stats:\n%s", part)
	}
	wants(t, ok(t, append([]string{"data", "check", dir}, picked...)...), "train.json: 12 images", "val.json: 4 images")
	if out := ok(t, "data", "stats", run); strings.Contains(out, "triangle") || !strings.Contains(out, "round") {
		t.Errorf("data stats of the run:\n%s", out)
	}
	wants(t, ok(t, "data", "check", run), "train.json: 12 images", "val.json: 4 images")
	wants(t, ok(t, "data", "draw", "-data", run, "-out", filepath.Join(dir, "run.jpg")), "12 images")
	code, out = call(t, "data", "check", run, "-classes", "star")
	if code != 2 || !strings.Contains(out, "its own dataset and classes") {
		t.Errorf("a run with other classes: exit code %d\n%s", code, out)
	}
	copied := filepath.Join(dir, "copy.json")
	wants(t, ok(t, append([]string{"data", "convert", "-data", json, "-out", copied}, picked...)...), "4 images", "2 categories")
	ok(t, append([]string{"data", "draw", "-data", json, "-images", images, "-out", filepath.Join(dir, "sheet.jpg")}, picked...)...)
	wants(t, ok(t, append([]string{"config", "new", "-data", dir, "-size", "64", "-epochs", "1", "-init", "none"}, picked...)...), "classes: [round, star]", "rename: [circle=round, square=round]")
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
