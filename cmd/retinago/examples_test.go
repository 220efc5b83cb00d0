package main

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"retinago/detector"
	"retinago/engine/cpu"
)

// lively writes a model that was never trained, whose scores reach from 0 to 1. Its classes have characters that programs must write with care.
func lively(t *testing.T, path string) {
	t.Helper()
	seeded(t, path)
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, info, err := detector.Open(path, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for name, factor := range map[string]float32{"head.classification_head.cls_logits.weight": 60, "head.classification_head.cls_logits.bias": .8} {
		p := m.Param(name)
		v := make([]float32, p.Size())
		if err := e.Download(v, p.Value); err != nil {
			t.Fatal(err)
		}
		for i := range v {
			v[i] *= factor
		}
		if err := e.Upload(p.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	m.Changed()
	info.Categories[0].Name, info.Categories[1].Name = `a "wet" \ <cat>`, "b"
	for i, c := range info.Categories {
		info.Config.Model.Classes[i] = c.Name
	}
	info.Scores = []float64{.3, .4}
	if err := m.Save(path, info); err != nil {
		t.Fatal(err)
	}
}

// object is a detection with its box as x1, y1, x2, y2.
type object struct {
	class string
	score float64
	box   [4]float64
}

// detected returns what detect finds in an image.
func detected(t *testing.T, model, picture string) (out []object) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "found.jsonl")
	ok(t, "detect", model, picture, "-jsonl", path, "-quiet")
	var line struct {
		Objects []struct {
			Class string
			Score float64
			Bbox  [4]float64
		}
	}
	read(t, path, &line)
	for _, o := range line.Objects {
		b := o.Bbox
		out = append(out, object{o.Class, o.Score, [4]float64{b[0], b[1], b[0] + b[2], b[1] + b[3]}})
	}
	return out
}

// printed reads the lines that an example prints.
func printed(t *testing.T, text string) (out []object) {
	t.Helper()
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 6 {
			t.Fatalf("a line is no object: %q", line)
		}
		o := object{class: fields[0]}
		for i, f := range fields[1:] {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				o.score = v
			} else {
				o.box[i-1] = v
			}
		}
		out = append(out, o)
	}
	return out
}

// sameObjects wants the same objects, whose order may differ where scores are nearly equal: scores within .0005 and boxes within .1 px, of which
// .0001 and .01 are what is printed.
func sameObjects(t *testing.T, name string, got, want []object) {
	t.Helper()
	if len(got) != len(want) || len(want) < 3 || len(want) > 90 { // the most are 100, the best of which are no test of the rest
		t.Errorf("%s: %d objects, want %d", name, len(got), len(want))
		return
	}
	used := make([]bool, len(got))
	for _, w := range want {
		found := false
		for i, g := range got {
			if found || used[i] || g.class != w.class || !(math.Abs(g.score-w.score) <= .0005) {
				continue
			}
			found = true
			for k := range g.box {
				found = found && math.Abs(g.box[k]-w.box[k]) <= .1
			}
			used[i] = found
		}
		if !found {
			t.Errorf("%s: %+v is not among %+v", name, w, got)
		}
	}
}

// scenes are images for examples: two made ones, and a photograph and a turned one where they are beside the repository. The first has no
// padding on its canvas.
func scenes(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	out := []string{filepath.Join(dir, "noise.png"), filepath.Join(dir, "shapes", "train", "00001.jpg")}
	noise := image.NewRGBA(image.Rect(0, 0, 96, 64))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(128 + 90*math.Sin(float64(i*i%7919)/23) + float64(i>>5&31))
		if i%4 == 3 {
			noise.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	write(t, out[0], b.String())
	ok(t, "data", "shapes", "-out", filepath.Join(dir, "shapes"), "-train", "1", "-val", "1", "-size", "150", "-max-size", "90", "-max-objects", "5")
	photos, _ := filepath.Glob("../../../shared/data/pictures/*.jpg")
	turned, _ := filepath.Glob("../../../shared/data/bad_images/exif/*6.jpg")
	return append(append(out, photos[:min(1, len(photos))]...), turned[:min(1, len(turned))]...)
}

// eachExample exports a model in several forms and compares what an example finds in images with what detect finds. On a fixed canvas, which
// detect has for the first image only, a model that takes images is compared with one that takes canvases. run returns what the example of a model prints.
func eachExample(t *testing.T, run func(t *testing.T, model, picture string) string) {
	dir := t.TempDir()
	model := filepath.Join(dir, "m.safetensors")
	lively(t, model)
	pictures := scenes(t)
	want := map[string][]object{}
	for _, picture := range pictures {
		want[picture] = detected(t, model, picture)
	}
	find := func(form string, pictures []string) map[string][]object {
		out := filepath.Join(dir, "it's 1%.onnx")
		ok(t, append([]string{"export", model, "-examples", "-out", out}, strings.Fields(form)...)...)
		found := map[string][]object{}
		for _, picture := range pictures {
			found[picture] = printed(t, run(t, out, picture))
		}
		return found
	}
	for _, k := range []struct {
		form     string
		pictures []string
	}{
		{"-preprocess", pictures},
		{"-preprocess -outputs boxes", pictures[:2]},
		{"-size dynamic", pictures},
		{"-size dynamic -outputs detections", pictures[:1]}, // which clips to the canvas
	} {
		for picture, got := range find(k.form, k.pictures) {
			sameObjects(t, k.form+" "+filepath.Base(picture), got, want[picture])
		}
	}
	canvases := find("-size 64x96", pictures[:2])
	sameObjects(t, "-size 64x96", canvases[pictures[0]], want[pictures[0]])
	for picture, got := range find("-size 64x96 -preprocess", pictures[:2]) {
		sameObjects(t, "-size 64x96 -preprocess "+filepath.Base(picture), got, canvases[picture])
	}
}

// stdout runs a command and returns what it prints.
func stdout(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", c.Args, err, errs.String())
	}
	return out.String()
}

// ortFolder is the folder in which npm has installed the packages that internal/model/onnx/testdata/package.json lists.
func ortFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RETINAGO_ORT")
	if dir == "" {
		t.Skip("RETINAGO_ORT is not set: the folder whose node_modules has onnxruntime-node")
	}
	return dir
}

// pythonFor returns a Python that has the modules, or "".
func pythonFor(modules string) string {
	for _, name := range []string{os.Getenv("RETINAGO_PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.Command(name, "-c", "import "+modules).Run() == nil {
			return name
		}
	}
	return ""
}

// The example in Python finds what detect finds. Without the package onnxruntime testdata/python/onnxruntime.py stands in for it, which runs
// models in ONNX Runtime too.
func TestPythonExample(t *testing.T) {
	python, env := pythonFor("numpy, PIL, onnxruntime"), os.Environ()
	if python == "" {
		if python = pythonFor("numpy, PIL"); python == "" {
			t.Skip("no Python here has numpy and Pillow; $RETINAGO_PYTHON may name one")
		}
		stand, err := filepath.Abs("testdata/python")
		if err != nil {
			t.Fatal(err)
		}
		js, err := filepath.Abs("../../internal/model/onnx/testdata/run.js")
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "NODE_PATH="+filepath.Join(ortFolder(t), "node_modules"), "PYTHONPATH="+stand, "RETINAGO_RUN="+js)
		t.Log("onnxruntime-node runs the models, since no Python here has onnxruntime")
	}
	eachExample(t, func(t *testing.T, model, picture string) string {
		annotated := filepath.Join(t.TempDir(), "annotated.png")
		c := exec.Command(python, strings.TrimSuffix(model, ".onnx")+".py", picture, annotated)
		c.Env = env
		text := stdout(t, c)
		if st, err := os.Stat(annotated); err != nil || st.Size() == 0 {
			t.Errorf("no annotated picture: %v", err)
		}
		return text
	})
}

// The example for Node.js finds what detect finds.
func TestNodeExample(t *testing.T) {
	modules := filepath.Join(ortFolder(t), "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "sharp")); err != nil {
		t.Skip("$RETINAGO_ORT has no package sharp")
	}
	eachExample(t, func(t *testing.T, model, picture string) string {
		if err := os.Symlink(modules, filepath.Join(filepath.Dir(model), "node_modules")); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		annotated := filepath.Join(t.TempDir(), "annotated.png")
		text := stdout(t, exec.Command("node", strings.TrimSuffix(model, ".onnx")+".mjs", picture, annotated))
		if st, err := os.Stat(annotated); err != nil || st.Size() == 0 {
			t.Errorf("no annotated picture: %v", err)
		}
		return text
	})
}

// The page finds what detect finds: testdata/page/page.mjs opens it in chromium. onnxruntime-web comes from $RETINAGO_ORT instead of the network.
func TestPageExample(t *testing.T) {
	web := filepath.Join(ortFolder(t), "node_modules", "onnxruntime-web", "dist")
	if _, err := os.Stat(web); err != nil {
		t.Skip("$RETINAGO_ORT has no package onnxruntime-web")
	}
	playwright := os.Getenv("RETINAGO_PLAYWRIGHT")
	chromium, err := exec.LookPath("chromium")
	if playwright == "" || err != nil {
		t.Skip("$RETINAGO_PLAYWRIGHT names no folder with playwright-core, or chromium is not here")
	}
	script, err := os.ReadFile("testdata/page/page.mjs")
	if err != nil {
		t.Fatal(err)
	}
	driver := write(t, filepath.Join(playwright, "example.mjs"), string(script)) // beside the packages
	dir := t.TempDir()
	model, out := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "it's a net.onnx")
	lively(t, model)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	pictures := scenes(t)
	for form, pictures := range map[string][]string{"-preprocess": pictures, "-size dynamic": pictures[:1]} {
		ok(t, append([]string{"export", model, "-examples", "-out", out}, strings.Fields(form)...)...)
		for _, picture := range pictures {
			name := form + " " + filepath.Base(picture)
			got := printed(t, stdout(t, exec.Command("node", driver, chromium, server.URL+"/it's%20a%20net.html", web, picture)))
			sameObjects(t, name, got, detected(t, model, picture))
		}
	}
}

// Examples are files that a verb may not replace where they are another's, and are refused where an export has none.
func TestExamplesRefused(t *testing.T) {
	dir := t.TempDir()
	model, out := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "net.onnx")
	seeded(t, model)
	mine := write(t, filepath.Join(dir, "net.py"), "# mine\n")
	for _, k := range []struct {
		flags string
		wants []string
	}{
		{"", []string{mine, "it is not replaced"}},
		{"-overwrite -outputs raw", []string{"raw", "boxes"}},
		{"-overwrite -outputs boxes -batch 2 -size 64x96", []string{"batch of 2"}},
	} {
		code, message := call(t, append([]string{"export", model, "-examples", "-out", out}, strings.Fields(k.flags)...)...)
		if code != exitError {
			t.Errorf("%s: exit code %d", k.flags, code)
		}
		wants(t, message, k.wants...)
		if _, err := os.Stat(out); err == nil || text(t, mine) != "# mine\n" {
			t.Errorf("%s: files were written", k.flags)
		}
	}
	code, message := call(t, "export", model, "-preprocess", "-outputs", "raw", "-out", out)
	if code != exitError {
		t.Errorf("raw outputs with preprocessing: exit code %d", code)
	}
	wants(t, message, "preprocessing", "export boxes or detections")
	wants(t, ok(t, "export", model, "-preprocess", "-out", out), "input  pictures uint8 [1,height,width,3]", "output boxes float32 [detections,4]", "labels int64", "-examples")
	wants(t, ok(t, "export", model, "-size", "64x96", "-out", out), "input  images float32 [1,3,64,96]", "output logits float32 [1,", "-preprocess")
}
