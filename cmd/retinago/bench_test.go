package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/internal/media/picture"
	"retinago/internal/model/weights"
)

// small are the overrides of a network of milliseconds.
func small(more ...string) []string {
	args := []string{"bench", "speed", "-rounds", "2"}
	for _, s := range []string{"model.backbone=resnet18", "model.backbone_width=16", "model.fpn_width=16", "model.head_depth=1", "model.classes=[a, b]"} {
		args = append(args, "-set", s)
	}
	return append(args, more...)
}

func TestBenchSpeed(t *testing.T) {
	dir := t.TempDir()
	js, out := filepath.Join(dir, "speed.json"), filepath.Join(dir, "out.safetensors")
	type result struct {
		Mode                 string
		Batch, Height, Width int
		MedianS              float64 `json:"median_s"`
		MinS                 float64 `json:"min_s"`
		PeakRSSMB            float64 `json:"peak_rss_mb"`
		ArenaMB              float64 `json:"arena_mb"`
		Peak                 float64 `json:"peak_gflop_per_s"`
		Machine              struct{ Engine, ISA, OneDNN, Algorithm, Choices, Pictures string }
		Layers               []struct{ Name, Op, Stage string }
		Stages               []struct{ Name string }
		Seconds              []float64
	}
	for _, mode := range []string{"infer", "train"} {
		wants(t, ok(t, small("-size", "64x96", "-batch", "2", "-mode", mode, "-json", js)...), "median", "slowest operations", "regression_head.bbox_reg")
		var r result
		read(t, js, &r)
		if r.Mode != mode || r.Batch != 2 || r.Height != 64 || r.Width != 96 || r.MinS <= 0 || r.MedianS < r.MinS || len(r.Seconds) != 2 || r.PeakRSSMB <= 0 || r.ArenaMB <= 0 || r.Peak <= 0 {
			t.Errorf("%s: %+v", mode, r)
		}
		if r.Machine.Engine != "cpu" || r.Machine.OneDNN == "" || r.Machine.Algorithm == "" || r.Machine.Pictures == "" || len(r.Stages) < 10 || len(r.Layers) < 30 ||
			r.Layers[0].Name != "backbone.body.conv1" || r.Layers[0].Op != "Conv" || r.Layers[0].Stage != "stem" {
			t.Errorf("%s: %+v", mode, r)
		}
	}
	ok(t, small("-size", "64x96", "-mode", "train", "-set", "train.recompute_heads=true", "-json", js)...)
	var r result
	read(t, js, &r)
	again := 0
	for _, l := range r.Layers {
		if l.Op == "Conv" && l.Stage == "class head backward" {
			again++
		}
	}
	if again != 5 {
		t.Errorf("%d convolutions of the class head are computed again, want one per level", again)
	}
	for how, kept := range map[string]bool{"measured": true, "fixed": false, "onednn": false, "winograd": false} {
		if testing.Short() && (how == "onednn" || how == "winograd") {
			continue
		}
		ok(t, small("-size", "64x96", "-convolutions", how, "-json", js)...)
		var r result
		read(t, js, &r)
		if _, err := os.Stat(r.Machine.Choices); r.Machine.Algorithm != how || r.Machine.ISA == "" || kept != (err == nil) {
			t.Errorf("-convolutions %s: %+v, %v", how, r.Machine, err)
		}
	}
	if code, out := call(t, small("-convolutions", "fast")...); code != exitUsage || !strings.Contains(out, "measured") {
		t.Errorf("-convolutions fast: %d, %s", code, out)
	}
	wants(t, ok(t, small("-set", "data.short_sides=[64]", "-set", "data.max_side=100", "-set", "data.canvas_multiple=32")...), "1 x 64x128")
	sheet := filepath.Join(dir, "sheet.png")
	if err := (&picture.Picture{W: 50, H: 40, Pix: make([]byte, 50*40*3)}).WritePNG(sheet); err != nil {
		t.Fatal(err)
	}
	wants(t, ok(t, small("-picture", sheet, "-set", "data.short_sides=[40]", "-set", "data.max_side=100", "-set", "data.canvas_multiple=32")...), "1 x 64x64", "decoding")

	input := filepath.Join(dir, "in.safetensors")
	images := weights.Tensor{Name: "images", Shape: []int{1, 32, 64, 3}, Data: make([]float32, 32*64*3)}
	if err := weights.Write(input, nil, []weights.Tensor{images}); err != nil {
		t.Fatal(err)
	}
	wants(t, ok(t, small("-input", input, "-outputs", out)...), "1 x 32x64")
	f, err := weights.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const anchors = 9 * (4*8 + 2*4 + 2 + 1 + 1)
	for name, width := range map[string]int{"logits": 2, "deltas": 4} {
		if _, s, ok := f.Info(name); !ok || len(s) != 3 || s[0] != 1 || s[1] != anchors || s[2] != width {
			t.Errorf("%s is %v, want 1 x %d x %d", name, s, anchors, width)
		}
	}
}

func TestBenchSpeedRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"infer and train":                 {"-mode", "fly"},
		"multiples of 32":                 {"-size", "60x64"},
		"height x width":                  {"-size", "big"},
		"at least 1":                      {"-rounds", "0"},
		"-batch 0":                        {"-batch", "0"},
		"-weights or":                     {"-config", "a.yaml", "-weights", "b.safetensors"},
		"for -mode infer":                 {"-mode", "train", "-outputs", "x"},
		"a size and a batch of their own": {"-input", "x", "-size", "64x64"},
		"-picture or":                     {"-input", "x", "-picture", "y"},
		"takes no argument":               {"more"},
	} {
		code, out := call(t, append([]string{"bench", "speed"}, args...)...)
		if code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
		wants(t, out, want)
	}
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.safetensors")
	if err := weights.Write(bad, nil, []weights.Tensor{{Name: "images", Shape: []int{1, 3, 32, 32}, Data: make([]float32, 3*32*32)}}); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{"[N,H,W,3]": small("-input", bad), "no such file": {"bench", "speed", "-weights", filepath.Join(dir, "none.safetensors")},
		"unknown verb": {"bench", "spede"}} {
		code, out := call(t, args...)
		if code == 0 {
			t.Errorf("%v: exit code 0", args)
		}
		wants(t, out, want)
	}
}
