package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/track"
)

// rescored copies a checkpoint with other scores by class.
func rescored(t *testing.T, from, to string, scores ...float64) {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, info, err := detector.Open(from, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	info.Scores = scores
	if err := m.Save(to, info); err != nil {
		t.Fatal(err)
	}
}

// The scores that a checkpoint stores are detect's, which says so, unless -score is given; other forms of the checkpoint have them too.
func TestStoredScores(t *testing.T) {
	dir, data := t.TempDir(), shapes(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	pictures := filepath.Join(data, "train")
	plain, stored := at("plain.safetensors"), at("stored.safetensors")
	seeded(t, plain)
	rescored(t, plain, stored, .31, .62)
	detect := func(weights string, more ...string) string {
		t.Helper()
		return ok(t, append([]string{"detect", "-weights", weights, "-source", pictures, "-overwrite", "-quiet", "-json", at("found.json")}, more...)...)
	}
	wants(t, detect(stored), "scores: the best F1 of the validation set, 0.31 to 0.62\n")
	wants(t, detect(stored, "-track"), "scores: the best F1 of the validation set, 0.31 to 0.62\n")
	wants(t, detect(stored, "-class", "b"), "scores: the best F1 of the validation set, 0.62\n")
	wants(t, detect(stored, "-score", "b=.7"), "scores: the best F1 of the validation set, 0.31\n")
	wants(t, detect(plain), "scores: 0.5, for the checkpoint has none of its own\n")
	if out := detect(stored, "-score", ".4"); strings.Contains(out, "scores:") {
		t.Errorf("-score is given:\n%s", out)
	}
	// Nothing reaches the scores of a network that was never trained, but for a class whose score is low.
	low := at("low.safetensors")
	rescored(t, plain, low, .0001, .9)
	type object struct {
		Category int `json:"category_id"`
	}
	var found []object
	detect(low)
	read(t, at("found.json"), &found)
	if len(found) == 0 {
		t.Error("nothing found")
	}
	for _, f := range found {
		if f.Category != 1 {
			t.Errorf("an object of category %d", f.Category)
		}
	}
	wants(t, ok(t, "weights", "inspect", "-file", stored), "lowest scores to report, of the best F1 of the validation set: a 0.31, b 0.62\n")
	if out := ok(t, "weights", "inspect", "-file", plain); strings.Contains(out, "lowest scores") {
		t.Errorf("a checkpoint without scores:\n%s", out)
	}
	int8 := at("int8.safetensors")
	ok(t, "quantize", "-weights", stored, "-images", pictures, "-count", "2", "-out", int8)
	if info, err := detector.ReadInfo(int8); err != nil || fmt.Sprint(info.Scores) != "[0.31 0.62]" {
		t.Errorf("in 8 bits: scores %v (%v)", info.Scores, err)
	}
	ok(t, "export", "-weights", stored, "-to", "onnx", "-size", "64x96", "-out", at("m.onnx"))
	wants(t, text(t, at("m.onnx")), `"scores":[0.31,0.62]`)
}

// The tracker has one score for all classes: a class's own becomes that.
func TestTrackedScores(t *testing.T) {
	o := options{score: .5, own: map[string]float32{"a": .2, "b": .8, "c": .5}, track: &track.Options{}}
	o.predictor.Choice = infer.Choice{Scores: map[string]float64{"d": .6}}
	o.own["d"] = .1
	for _, k := range []struct {
		class       string
		score, want float32
	}{
		{"a", 0, 0}, {"a", .1, .25}, {"a", .2, .5}, {"a", .6, .75}, {"a", 1, 1}, {"b", .4, .25}, {"b", .8, .5}, {"b", .9, .75},
		{"c", .3, .3}, {"d", .3, .3}, {"e", .3, .3},
	} {
		if got := o.tracked(k.class, k.score); math.Abs(float64(got-k.want)) > 1e-6 {
			t.Errorf("%s %g: %g, want %g", k.class, k.score, got, k.want)
		}
	}
	if a, b, d, e := o.least("a"), o.least("b"), o.least("d"), o.least("e"); a != .2 || b != .8 || d != .6 || e != .5 {
		t.Errorf("least scores %g, %g, %g and %g", a, b, d, e)
	}
}
