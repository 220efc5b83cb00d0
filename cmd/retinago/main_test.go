package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/coco"
	"retinago/detector"
	"retinago/picture"
	"retinago/train"
)

// TestMain lets the test binary be the program, so that tests see exit codes, signals and kills.
func TestMain(m *testing.M) {
	if os.Getenv("RETINAGO_TEST_MAIN") != "" {
		main()
		return
	}
	// What the program measures is kept elsewhere than its user's.
	dir, err := os.MkdirTemp("", "retinago")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// program prepares a command line of the program.
func program(args ...string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "RETINAGO_TEST_MAIN=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	return c, &out
}

// call runs a command line and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (int, string) {
	t.Helper()
	c, out := program(args...)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "panic:") || strings.Contains(out.String(), "goroutine ") {
		t.Errorf("retinago %s panics:\n%s", strings.Join(args, " "), out)
	}
	return c.ProcessState.ExitCode(), out.String()
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
	ok(t, "data", "convert", "-to", "csv", "-data", val, "-out", filepath.Join(tmp, "csv"), "-name", "val")
	wants(t, ok(t, "data", "convert", "-data", filepath.Join(tmp, "csv", "val.csv"), "-class-list", filepath.Join(tmp, "csv", "classes.csv"),
		"-images", filepath.Join(dir, "val"), "-out", filepath.Join(tmp, "e.json")), "4 images")
	wants(t, ok(t, "anchors", "show"), "P3", "P7", "9 anchors per cell")
	wants(t, ok(t, "anchors", "fit", "-data", val, "-set", "data.short_sides=[64]"), "IoU >= .5", "sizes:")
	wants(t, ok(t, "summary", "-set", "model.backbone=resnet18", "-size", "128x192", "-layers"), "backbone.body.conv1.weight", "GFLOP", "memory for training")
	wants(t, ok(t, "version"), "retinago", "oneDNN")

	out := ok(t, append([]string{"train", "-out", run}, tiny(dir)...)...)
	wants(t, out, "step 12/12", "eta", "s/step", "wait", "Average Precision", "learning rate", "memory")
	best := filepath.Join(run, train.BestModel)
	metrics, results, page := filepath.Join(t.TempDir(), "m.json"), filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "r.html")
	byModel := ok(t, "eval", "-weights", best, "-data", val, "-images", filepath.Join(dir, "val"), "-json", metrics, "-results", results, "-errors", "-errors-score", ".01", "-report", page)
	wants(t, text(t, page), "<!DOCTYPE html>", "Model "+best, "a score of 0.01 or more", "Pictures: 4.", "circle")
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
	wants(t, ok(t, "weights", "export", "-weights", best, "-out", exported), "num_classes=4")
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
	wants(t, out, "6 pictures", "network", "NMS", "pictures/s")
	pictures, err := filepath.Glob(filepath.Join(found, "*.jpg"))
	if err != nil || len(pictures) != 6 {
		t.Errorf("%d annotated pictures, %v: two folders with equal names must not overwrite each other", len(pictures), err)
	}
	if _, err := coco.LoadResults(dets); err != nil {
		t.Error(err)
	}
	checkDetect(t, best, filepath.Join(dir, "val"))
}

// checkDetect looks at pictures with every choice and output.
func checkDetect(t *testing.T, best, pictures string) {
	t.Helper()
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	out := ok(t, "detect", "-weights", best, "-source", filepath.Join(pictures, "00001.jpg")+","+filepath.Join(pictures, "00002.jpg"), filepath.Join(pictures, "0000[34].jpg"),
		"-out", at("out"), "-jsonl", at("a.jsonl"), "-csv", at("a.csv"), "-yolo", at("yolo"), "-crops", at("crops"), "-summary", at("s.json"), "-score", ".02,star=.99", "-max", "3",
		"-class", "circle", "-class", "square", "-class", "star", "-flip", "-scales", "1,1.5", "-tile", "64", "-overlap", ".3", "-merge", "nms", "-method", "diou", "-batch", "2", "-workers", "2", "-verbose")
	wants(t, out, "4 pictures", "network ", "ms:", "at the peak")
	if strings.Contains(out, "triangle") || strings.Contains(out, "star") {
		t.Errorf("classes that are not wanted:\n%s", out)
	}
	lines := strings.Split(strings.TrimSpace(text(t, at("a.jsonl"))), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	objects := 0
	for _, line := range lines {
		var v struct{ Objects []struct{ Class string } }
		if err := json.Unmarshal([]byte(line), &v); err != nil || len(v.Objects) > 3 {
			t.Errorf("%s: %v", line, err)
		}
		objects += len(v.Objects)
	}
	if rows := strings.Count(text(t, at("a.csv")), "\n"); objects == 0 || rows != objects+1 {
		t.Errorf("%d rows of %d objects", rows, objects)
	}
	var s struct{ Pictures, Objects, Broken int }
	if read(t, at("s.json"), &s); s.Pictures != 4 || s.Objects != objects || s.Broken != 0 {
		t.Errorf("summary %+v", s)
	}
	for pattern, n := range map[string]int{"yolo/*.txt": 4, "out/*.jpg": 4, "crops/*/*.jpg": objects} {
		if files, _ := filepath.Glob(at(pattern)); len(files) != n {
			t.Errorf("%s: %d files, want %d", pattern, len(files), n)
		}
	}
	// Standard output is the lines alone; a video without OpenCV, or none at all, is told.
	none := write(t, at("none.mp4"), "no video")
	code, out := call(t, "detect", "-weights", best, "-source", none, "-jsonl", "-")
	if code != exitNone {
		t.Errorf("nothing readable: exit code %d", code)
	}
	wants(t, out, `"error":"video: `, "none of 1 inputs")
}

// Every format is read in place, by every reader of a dataset.
func TestInPlace(t *testing.T) {
	dir, tmp := shapes(t), t.TempDir()
	images := filepath.Join(dir, "val")
	for _, f := range []string{"voc", "yolo", "csv", "openimages"} {
		ok(t, "data", "convert", "-data", filepath.Join(dir, "val.json"), "-to", f, "-name", "val", "-out", filepath.Join(tmp, f))
	}
	for _, to := range []string{filepath.Join(tmp, "voc", "JPEGImages"), filepath.Join(tmp, "yolo", "images", "val")} {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(images, to); err != nil {
			t.Fatal(err)
		}
	}
	csv, boxes := filepath.Join(tmp, "csv"), filepath.Join(tmp, "openimages")
	sources := map[string][]string{
		"voc":        {"-data", filepath.Join(tmp, "voc"), "-split", "val"},
		"yolo":       {"-data", filepath.Join(tmp, "yolo", "data.yaml"), "-split", "val"},
		"csv":        {"-data", filepath.Join(csv, "val.csv"), "-class-list", filepath.Join(csv, "classes.csv"), "-images", images},
		"openimages": {"-data", filepath.Join(boxes, "val-annotations-bbox.csv"), "-class-list", filepath.Join(boxes, "class-descriptions-boxable.csv"), "-images", images, "-split", "val-images.csv"},
	}
	run := filepath.Join(tmp, "run")
	args := append([]string{"train", "-out", run}, tiny(tmp, "train.steps=2", "data.train.source=voc", "data.train.split=val", "data.train.images=", "data.val.source=yolo/data.yaml",
		"data.val.split=val", "data.val.images=", "model.classes=[circle, square, triangle, star]", "model.category_ids=[1, 2, 3, 4]")...)
	code, out := call(t, args...)
	if code != 1 {
		t.Errorf("classes by name and classes by list: exit code %d", code)
	}
	wants(t, out, filepath.Join(tmp, "voc"), "same order")
	wants(t, ok(t, append(args, "-set", "data.train.classes=csv/classes.csv")...), "step 2/2", "Average Precision")

	var known, numbered []coco.Detection
	for _, k := range []struct {
		at  []string
		ids *[]coco.Detection
	}{{nil, &numbered}, {sources["openimages"], &known}} {
		dets := filepath.Join(tmp, "dets.json")
		ok(t, append([]string{"detect", "-weights", filepath.Join(run, train.BestModel), "-source", filepath.Join(images, "00003.jpg"), "-json", dets, "-score", ".005"}, k.at...)...)
		var err error
		if *k.ids, err = coco.LoadResults(dets); err != nil || len(*k.ids) == 0 {
			t.Fatalf("%d detections, %v", len(*k.ids), err)
		}
	}
	if numbered[0].ImageID != 1 || known[0].ImageID != 3 {
		t.Errorf("image ids %d, want 1 without a dataset, and %d, want the dataset's 3", numbered[0].ImageID, known[0].ImageID)
	}
	for name, at := range sources {
		wants(t, ok(t, append([]string{"data", "check", "-fix", "clip", "-out", filepath.Join(tmp, name+".json")}, at...)...), "4 images", " 0 errors")
		wants(t, ok(t, "data", "stats", "-data", filepath.Join(tmp, name+".json")), "circle", "star")
	}
	at, a, b := sources["openimages"], filepath.Join(tmp, "a.json"), filepath.Join(tmp, "b.json")
	wants(t, ok(t, append([]string{"data", "stats"}, at...)...), "circle", "star")
	wants(t, ok(t, append([]string{"data", "split", "-share", ".25", "-out", a, "-rest", b}, at...)...), a+": 1 images", b+": 3 images")
	wants(t, ok(t, append([]string{"data", "merge", "-out", a}, at...)...), "4 images")
	wants(t, ok(t, append([]string{"data", "subset", "-most", "2", "-empty", "-out", a}, at...)...), "2 images")
	wants(t, ok(t, append([]string{"data", "draw", "-out", filepath.Join(tmp, "sheet.jpg")}, at...)...), "4 pictures")
	wants(t, ok(t, append([]string{"anchors", "fit", "-set", "data.short_sides=[64]"}, at...)...), "IoU >= .5", "sizes:")
	wants(t, ok(t, append([]string{"eval", "-weights", filepath.Join(run, train.BestModel)}, at...)...), "Average Precision", "4 pictures")
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

// Every help has an example that begins with the verb's own name.
// checkFetch publishes a file on a server of this machine, whose first answer breaks off, and fetches it by name.
func checkFetch(t *testing.T, path, pictures string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !broken {
			broken = true
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			w.Write(b[:len(b)/2])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}))
	defer s.Close()
	dir := t.TempDir()
	name, cache := fmt.Sprintf("retinanet_tiny-%.8x", sha256.Sum256(b)), filepath.Join(dir, "cache")
	out := filepath.Join(dir, "fetched.safetensors")
	wants(t, ok(t, "weights", "fetch", name, "-out", out, "-mirror", s.URL, "-cache", cache), s.URL, "4 classes", out)
	// The name alone detects; it is imported once.
	for _, more := range []string{"torchvision's RetinaNet", ""} {
		text := ok(t, "detect", "-weights", name, "-mirror", s.URL, "-cache", cache, "-source", pictures, "-out", filepath.Join(dir, "found"), "-score", ".01")
		wants(t, text, ".jpg", more)
	}
	b[len(b)-1] ^= 1
	code, text := call(t, "weights", "fetch", name, "-out", out, "-mirror", s.URL, "-cache", filepath.Join(dir, "other"))
	if code != exitError {
		t.Errorf("wrong bytes: exit code %d", code)
	}
	wants(t, text, "SHA-256", s.URL)
	code, text = call(t, "detect", "-weights", "retinanet_best", "-source", pictures, "-out", dir)
	if code != exitError {
		t.Errorf("no published name: exit code %d", code)
	}
	wants(t, text, "retinanet_best", "retinanet_resnet50_fpn_coco")
}

// checkQuantize makes int8 checkpoints, and uses one by every verb that reads checkpoints.
func checkQuantize(t *testing.T, best, dir string) {
	t.Helper()
	val, images := filepath.Join(dir, "val.json"), filepath.Join(dir, "val")
	tmp := t.TempDir()
	out, other := filepath.Join(tmp, "int8.safetensors"), filepath.Join(tmp, "other.safetensors")
	wants(t, ok(t, "quantize", "-weights", best, "-images", images, "-out", out), out, "percentile 99.99 on 4 pictures", "float: backbone.body.conv1 head.classification_head.cls_logits")
	wants(t, ok(t, "quantize", "-weights", best, "-data", val, "-images", images, "-out", other, "-count", "2", "-range", "entropy", "-float", "none"), "entropy on 2 pictures", "float: \n")
	wants(t, ok(t, "eval", "-weights", out, "-data", val, "-images", images), "Average Precision")
	wants(t, ok(t, "detect", "-weights", other, "-source", images, "-json", filepath.Join(tmp, "d.json"), "-score", ".01"), "4 pictures")
	wants(t, ok(t, "weights", "inspect", out), "I8", "weight_scale", "int8: ")
	wants(t, ok(t, "summary", "-weights", out), "int8", "memory for activations", "percentile 99.99")
	wants(t, ok(t, "summary", "-weights", best), "GFLOP", "memory for training")
	wants(t, ok(t, "export", "-weights", out, "-to", "onnx", "-out", filepath.Join(tmp, "net.onnx")), "rounded to 8 bits")

	empty, broken := filepath.Join(tmp, "empty"), filepath.Join(tmp, "broken")
	for _, d := range []string{empty, broken} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bad := write(t, filepath.Join(broken, "a.jpg"), "no picture")
	for _, k := range []struct {
		code  int
		args  []string
		wants []string
	}{
		{1, []string{"-weights", out, "-images", images}, []string{out, "int8 already"}},
		{1, []string{"-weights", best, "-images", empty}, []string{empty, "no pictures"}},
		{1, []string{"-weights", best, "-images", broken}, []string{bad, "none of 1 pictures"}},
		{1, []string{"-weights", best, "-images", images, "-float", "haed"}, []string{"haed", "head.classification_head"}},
		{1, []string{"-weights", val, "-images", images}, []string{val}},
		{2, []string{"-weights", best, "-images", images, "-out", best}, []string{"float checkpoint itself"}},
		{1, []string{"-weights", best, "-images", images, "-out", filepath.Join(tmp, "absent", "x")}, []string{"absent"}},
		{2, []string{"-weights", best}, []string{"-images", "-data"}},
		{2, []string{"-weights", best, "-images", images, "-split", "val"}, []string{"-split"}},
		{2, []string{"-weights", best, "-images", images, "-range", "widest"}, []string{"widest", "entropy"}},
		{2, []string{"-weights", best, "-images", images, "-percentile", "101"}, []string{"101"}},
		{2, []string{"-weights", best, "-images", images, "-range", "minmax", "-percentile", "99"}, []string{"-percentile"}},
		{2, []string{"-weights", best, "-images", images, "-count", "0"}, []string{"-count 0"}},
	} {
		code, text := call(t, append([]string{"quantize", "-out", filepath.Join(tmp, "x.safetensors")}, k.args...)...)
		if code != k.code {
			t.Errorf("quantize %s: exit code %d, want %d\n%s", strings.Join(k.args, " "), code, k.code, text)
		}
		wants(t, text, k.wants...)
	}
	code, text := call(t, append([]string{"train", "-out", filepath.Join(tmp, "run")}, tiny(dir, "train.init_weights="+out)...)...)
	if code != 1 {
		t.Errorf("training from int8: exit code %d", code)
	}
	wants(t, text, "I8", "float file")
	code, text = call(t, "export", "-weights", out, "-to", "torchvision", "-out", other)
	if code != 1 {
		t.Errorf("export of int8 to torchvision: exit code %d", code)
	}
	wants(t, text, "I8", "float file")
}

func TestHelp(t *testing.T) {
	wants(t, ok(t), "train", "eval", "detect", "data", "anchors", "summary", "version")
	for _, verb := range []string{"train", "eval", "detect", "data shapes", "data check", "data stats", "data convert", "data split", "data merge", "data subset", "data draw", "anchors show", "anchors fit", "export", "weights import", "weights fetch", "weights export", "weights inspect", "summary", "version"} {
		wants(t, ok(t, append(strings.Fields(verb), "-help")...), "   retinago "+verb)
	}
}

// Wrong command lines end with 2, wrong data with 1, each with what is wrong and where.
func TestErrors(t *testing.T) {
	dir := shapes(t)
	tmp := t.TempDir()
	whole, err := os.ReadFile(filepath.Join(dir, "val.json"))
	if err != nil {
		t.Fatal(err)
	}
	val, images := filepath.Join(dir, "val.json"), filepath.Join(dir, "val")
	cut := write(t, filepath.Join(tmp, "cut.json"), string(whole[:len(whole)/2]))
	strange := write(t, filepath.Join(tmp, "strange.json"), strings.Replace(string(whole), `"category_id":`, `"category_id":9`, 1))
	lost := write(t, filepath.Join(tmp, "lost.json"), strings.Replace(string(whole), `"image_id":`, `"image_id":9`, 1))
	conf := write(t, filepath.Join(tmp, "c.yaml"), "train:\n  learning_rate: .1\n")
	text := write(t, filepath.Join(tmp, "text.jpg"), "no picture")
	foreign := write(t, filepath.Join(tmp, "w.safetensors"), "\x02\x00\x00\x00\x00\x00\x00\x00{}")
	run := filepath.Join(tmp, "run")
	for _, k := range []struct {
		code  int
		args  []string
		wants []string
	}{
		{2, []string{"trian"}, []string{"trian", `Did you mean "train"?`}},
		{2, []string{"train", "-lr", "3"}, []string{"-lr", "-help"}},
		{2, []string{"eval", "-gt", val}, []string{"-dt"}},
		{2, []string{"detect", "-weights", foreign, "-source", text}, []string{"-out", "-json"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-score", "7"}, []string{"-score 7"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-method", "fast"}, []string{"fast", "soft-gaussian"}},
		{2, []string{"summary", "-size", "big"}, []string{"big", "800x1344"}},
		{1, []string{"eval", "-gt", "absent.json", "-dt", val}, []string{"absent.json"}},
		{1, []string{"eval", "-gt", cut, "-dt", val}, []string{cut, "byte"}},
		{1, []string{"train", "-config", conf}, []string{conf, "learning_rate"}},
		{1, []string{"train", "-config", "absent.yaml"}, []string{"absent.yaml"}},
		{1, []string{"train", "-set", "train.lr=fast"}, []string{"train.lr", "fast"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.source="+lost)...), []string{lost, "image"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.source="+strange)...), []string{strange, "categor"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.images=absent")...), []string{"absent", "00001.jpg"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "train.init_weights="+foreign)...), []string{foreign}},
		{1, append([]string{"train", "-out", run, "-resume"}, tiny(dir)...), []string{run, "leave -resume out"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-score", "cat=2"}, []string{"cat=2"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-line", "1,2,3,4"}, []string{"-track"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-track", "-line", "1,2,3"}, []string{"1,2,3", "x1,y1"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-track", "-zone", "1,2,3,b"}, []string{`"b"`}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-scales", "1,x"}, []string{`"x"`}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-merge", "mean"}, []string{"mean", "fuse"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-batch", "0"}, []string{"-batch 0"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-jsonl", "-", "-csv", "-"}, []string{"2 files"}},
		{1, []string{"detect", "-weights", foreign, "-source", "cam:x", "-out", tmp}, []string{"cam:x"}},
		{1, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp}, []string{foreign, "not a checkpoint"}},
		{1, []string{"detect", "-weights", "absent.safetensors", "-source", text, "-out", tmp}, []string{"absent.safetensors"}},
		{1, []string{"detect", "-weights", foreign, "-source", filepath.Join(tmp, "*.png"), "-out", tmp}, []string{"*.png"}},
		{1, []string{"weights", "import", "-file", text, "-out", run}, []string{text}},
		{1, []string{"weights", "import", "-file", foreign, "-out", run}, []string{foreign, "torchvision"}},
		{1, []string{"weights", "import", foreign, "-out", run, "-from", "detectron2"}, []string{foreign}},
		{2, []string{"weights", "import", foreign, "-out", run, "-from", "keras"}, []string{"keras", "mmdetection"}},
		{1, []string{"export", "-weights", foreign, "-to", "onnx", "-out", run}, []string{foreign}},
		{2, []string{"export", "-weights", foreign, "-to", "onnx", "-size", "big", "-out", run}, []string{"big"}},
		{2, []string{"export", "-weights", foreign, "-size", "64x64", "-out", run}, []string{"-size", "onnx"}},
		{2, []string{"weights", "fetch", "resnet50-1"}, []string{"resnet50-1", "resnet50-0676ba61"}},
		{2, []string{"weights", "export", "-weights", foreign, "-to", "caffe", "-out", run}, []string{"caffe", "torchvision"}},
		{2, []string{"data", "convert", "-data", val, "-to", "bmp", "-out", tmp}, []string{"bmp", "yolo"}},
		{2, []string{"data", "convert", "-data", val, "-name", "x", "-out", tmp}, []string{"-name x"}},
		{2, []string{"data", "stats", "-data", val, "-format", "bmp"}, []string{"bmp", "openimages"}},
		{1, []string{"data", "convert", "-data", tmp, "-out", filepath.Join(tmp, "x.json")}, []string{tmp, "Annotations"}},
		{1, []string{"data", "draw", "-data", val, "-out", filepath.Join(tmp, "x.jpg")}, []string{val, "images"}},
		{2, []string{"data", "draw", "-data", val, "-images", tmp, "-out", filepath.Join(tmp, "x")}, []string{".jpg", ".png"}},
		{2, []string{"anchors", "fit", "-split", "train"}, []string{"-split"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-format", "voc"}, []string{"-format"}},
		{1, []string{"data", "check", "-data", strange}, []string{strange}},
		{1, []string{"data", "check", "-data", val, "-images", tmp}, []string{"00001.jpg", "4 errors"}},
		{2, []string{"data", "check", "-data", val, "-fix", "clip"}, []string{"-out"}},
		{1, []string{"eval", "-weights", foreign, "-data", val, "-images", images}, []string{foreign}},
	} {
		code, out := call(t, k.args...)
		if code != k.code {
			t.Errorf("retinago %s: exit code %d, want %d\n%s", strings.Join(k.args, " "), code, k.code, out)
		}
		wants(t, out, k.wants...)
	}
}

// Faulty boxes are listed one by one, and both repairs leave a dataset that trains.
func TestCheckFixes(t *testing.T) {
	tmp := t.TempDir()
	bad := write(t, filepath.Join(tmp, "bad.json"), `{"images":[{"id":1,"file_name":"00001.jpg","width":96,"height":72},{"id":2,"file_name":"00002.jpg","width":96,"height":72}],
"categories":[{"id":1,"name":"circle"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[10,10,20,20],"area":400,"iscrowd":0},
{"id":2,"image_id":1,"category_id":1,"bbox":[10,10,0,20],"area":0,"iscrowd":0},
{"id":3,"image_id":1,"category_id":1,"bbox":[80,10,40,20],"area":800,"iscrowd":0},
{"id":4,"image_id":2,"category_id":1,"bbox":[-5,-5,-3,20],"area":60,"iscrowd":0},
{"id":5,"image_id":2,"category_id":1,"bbox":[NaN,5,3,20],"area":60,"iscrowd":0},
{"id":6,"image_id":2,"category_id":7,"bbox":[5,5,3,20],"area":60,"iscrowd":0}]}`)
	code, out := call(t, "data", "check", "-data", bad)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	wants(t, out, "(id 2,", "(id 3,", "(id 4,", "(id 5,", "(id 6,")
	boxes := map[string]int{"clip": 2, "drop": 1}
	for mode, want := range boxes {
		fixed := filepath.Join(tmp, mode+".json")
		ok(t, "data", "check", "-data", bad, "-fix", mode, "-out", fixed)
		ok(t, "data", "check", "-data", fixed)
		d, err := coco.Load(fixed)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Annotations) != want || len(d.Images) != 2 {
			t.Errorf("%s: %d boxes on %d images, want %d on 2", mode, len(d.Annotations), len(d.Images), want)
		}
	}
}

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

// An interrupted detection keeps what is done and says so.
func TestInterruptedDetection(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...)...)
	dets := filepath.Join(run, "d.json")
	args := []string{"detect", "-weights", filepath.Join(run, train.LastModel), "-json", dets, "-out", filepath.Join(run, "found"), "-source"}
	for range 500 {
		args = append(args, filepath.Join(dir, "val"))
	}
	c, errs := program(args...)
	c.Stdout = nil
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	lines := bufio.NewScanner(pipe)
	told := 0
	for lines.Scan() {
		if !strings.Contains(lines.Text(), ".jpg: ") {
			continue // the summary
		}
		if told++; told == 2 {
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	wants(t, errs.String(), fmt.Sprintf("interrupted after %d pictures", told))
	if told < 2 || told > 100 {
		t.Errorf("%d pictures after the signal", told)
	}
	if _, err := coco.LoadResults(dets); err != nil {
		t.Error(err)
	}
}

// Pictures twice as large as the network wants are read at half their size, and measured in their own pixels.
func TestFastDecode(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=2", "data.fast_decode=true", "data.short_sides=[32]", "data.max_side=48")...)...)
	best, val, dets := filepath.Join(run, train.BestModel), filepath.Join(dir, "val.json"), filepath.Join(run, "d.json")
	ok(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-json", dets, "-score", ".001", "-data", val)
	ok(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-json", dets, "-score", ".001", "-data", val, "-fast-decode", "-out", filepath.Join(run, "found"))
	wants(t, ok(t, "eval", "-weights", best, "-data", val, "-images", filepath.Join(dir, "val"), "-fast-decode"), "4 pictures")
	found, err := coco.LoadResults(dets)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d detections, %v", len(found), err)
	}
	right := 0.
	for _, d := range found {
		right = max(right, d.BBox[0]+d.BBox[2])
	}
	w, h, err := picture.Size(filepath.Join(run, "found", "00001.jpg"))
	if err != nil || right <= 48 || right > float64(max(w, h))+1 {
		t.Errorf("detections reach to %g on pictures like %dx%d, %v", right, w, h, err)
	}
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
