package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/detector"
	"retinago/internal/media/picture"
	"retinago/train"
)

// The main job through every verb: data, training, evaluation, detection.
func TestVerbs(t *testing.T) {
	dir := shapes(t)
	run, val := filepath.Join(t.TempDir(), "run"), filepath.Join(dir, "val.json")
	ok(t, "data", "check", "-data", filepath.Join(dir, "train.json"), "-images", filepath.Join(dir, "train"))
	wants(t, ok(t, "data", "stats", "-data", val), "circle", "star")
	tmp := t.TempDir()
	a, b := filepath.Join(tmp, "a.json"), filepath.Join(tmp, "b.json")
	wants(t, ok(t, "data", "split", "-data", filepath.Join(dir, "train.json"), "-share", ".25", "-out", a, "-rest", b), a+": 3 images", b+": 9 images")
	wants(t, ok(t, "data", "merge", "-data", a, "-data", b, "-out", filepath.Join(tmp, "c.json")), "12 images")
	wants(t, ok(t, "data", "subset", "-data", val, "-most", "2", "-empty", "-out", filepath.Join(tmp, "d.json")), "2 images")
	ok(t, "data", "draw", "-data", val, "-images", filepath.Join(dir, "val"), "-out", filepath.Join(tmp, "sheet.jpg"), "-count", "4")
	drawn := ok(t, append([]string{"data", "draw", "-augment", "2", "-out", filepath.Join(tmp, "batches")}, tiny(dir, "data.augment=strong", "train.batch=5", "train.base_batch=5")...)...)
	wants(t, drawn, "2 batches of 5 images", " 0 of which no anchor learns")
	sheet, err := picture.Decode(filepath.Join(tmp, "batches", "batch002.png"))
	if err != nil || sheet.W != 4*96+3*gap && sheet.W != 4*64+3*gap {
		t.Errorf("a sheet of four canvases is %v px wide, %v", sheet, err)
	}
	lost := ok(t, append([]string{"data", "draw", "-augment", "1", "-out", filepath.Join(tmp, "batches")}, tiny(dir, "match.low_quality=false", "match.foreground=1")...)...)
	if m := regexp.MustCompile(`(\d+) objects, (\d+) of which`).FindStringSubmatch(lost); m == nil || m[1] != m[2] || m[1] == "0" {
		t.Errorf("no anchor has an IoU of 1: %s", lost)
	}
	ok(t, "data", "convert", "-to", "csv", "-data", val, "-out", filepath.Join(tmp, "csv"), "-name", "val")
	wants(t, ok(t, "data", "convert", "-data", filepath.Join(tmp, "csv", "val.csv"), "-class-list", filepath.Join(tmp, "csv", "classes.csv"),
		"-images", filepath.Join(dir, "val"), "-out", filepath.Join(tmp, "e.json")), "4 images")
	wants(t, ok(t, "anchors", "show"), "P3", "P7", "9 anchors per cell")
	wants(t, ok(t, "anchors", "fit", "-data", val, "-set", "data.short_sides=[64]"), "IoU >= .5", "sizes:")
	wants(t, ok(t, "summary", "-set", "model.backbone=resnet18", "-size", "128x192", "-layers"), "backbone.body.conv1.weight", "GFLOP", "memory for training")
	wants(t, ok(t, "version"), "retinago", "oneDNN", "images ", "videos ")

	out := ok(t, append([]string{"train", "-out", run}, tiny(dir)...)...)
	wants(t, out, "step 12/12", "eta", "s/step", "wait", "Average Precision", "learning rate", "memory")
	best := filepath.Join(run, train.BestModel)
	metrics, results, page := filepath.Join(t.TempDir(), "m.json"), filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "r.html")
	byModel := ok(t, "eval", "-weights", best, "-data", val, "-images", filepath.Join(dir, "val"), "-json", metrics, "-results", results, "-errors", "-errors-score", ".01", "-report", page)
	wants(t, text(t, page), "<!DOCTYPE html>", "Model "+best+" on "+val+", images in "+filepath.Join(dir, "val")+": 4 images", "a score of 0.01 or more", "Images: 4.", "circle")
	ok(t, "eval", filepath.Dir(best), "-report", page)
	wants(t, text(t, page), "Model "+filepath.Dir(best)+" on "+val+": 4 images")
	byResults := ok(t, "eval", "-gt", val, "-dt", results, "-report", page)
	wants(t, text(t, page), "Detections "+results+" against "+val, "Which score to ask for")
	wants(t, byModel, "localisation", "confusion")
	if !strings.HasPrefix(byModel, byResults) {
		t.Errorf("the model's evaluation and that of its results differ:\n%s\n%s", byModel, byResults)
	}
	var m struct{ Stats []float64 }
	read(t, metrics, &m)
	if len(m.Stats) != 12 {
		t.Errorf("%d stats", len(m.Stats))
	}

	exported, imported := filepath.Join(t.TempDir(), "e.safetensors"), filepath.Join(t.TempDir(), "i.safetensors")
	wants(t, ok(t, "weights", "export", "-weights", best, "-out", exported), "num_classes=4", "size_divisible=32", "real sizes", "px apart")
	wants(t, ok(t, "weights", "inspect", exported), "head.classification_head.cls_logits.weight", "safetensors", "torchvision")
	wants(t, ok(t, "weights", "import", exported, "-out", imported, "-from", "torchvision"), "4 classes", "resnet18")
	wants(t, ok(t, "weights", "import", exported, "-out", imported, "-from", "torchvision", "-set", "data.short_sides=[96]"), "4 classes")
	if info, err := detector.ReadInfo(imported); err != nil || info.Config.Data.TestSide() != 96 {
		t.Errorf("the import has the short side %d px, want 96; %v", info.Config.Data.TestSide(), err)
	}
	code, refused := call(t, "weights", "import", exported, "-out", imported, "-set", "model.prior=.5")
	if code != 2 {
		t.Errorf("another model for weights that are there: exit code %d, want 2", code)
	}
	wants(t, refused, "model.*")
	onnxFile := filepath.Join(run, "net.onnx")
	wants(t, ok(t, "export", "-weights", best, "-to", "onnx", "-outputs", "detections", "-out", onnxFile), onnxFile, "64x96", "detections")
	wants(t, ok(t, "export", "-weights", best, "-to", "onnx", "-size", "dynamic", "-out", onnxFile), "any multiple of 32", "raw")
	checkFetch(t, exported, filepath.Join(dir, "val"))
	checkQuantize(t, best, dir)

	found, dets := filepath.Join(t.TempDir(), "found"), filepath.Join(t.TempDir(), "d.json")
	out = ok(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), filepath.Join(dir, "train", "0000[12].jpg"), "-out", found, "-json", dets, "-score", ".01", "-data", val, "-times", "-method", "soft-gaussian")
	wants(t, out, "6 images", "network", "NMS", "images/s")
	pictures, err := filepath.Glob(filepath.Join(found, "*.jpg"))
	if err != nil || len(pictures) != 6 {
		t.Errorf("%d annotated pictures, %v: two folders with equal names must not overwrite each other", len(pictures), err)
	}
	if _, err := coco.LoadResults(dets); err != nil {
		t.Error(err)
	}
	checkDetect(t, best, filepath.Join(dir, "val"))
}
