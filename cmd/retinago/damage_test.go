package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/weights"
)

// checkpointFile writes a small checkpoint.
func checkpointFile(t *testing.T) string {
	t.Helper()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Classes = "resnet18", 16, 16, 1, []string{"a", "b"}
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path, detector.Info{Config: c, Categories: []detector.Category{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}}); err != nil {
		t.Fatal(err)
	}
	return path
}

// onePicture is a folder with an image, p.png, and a dataset of it, d.json.
func onePicture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, 32, 32))), f.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "d.json"), `{"images":[{"id":1,"file_name":"p.png","width":32,"height":32}],"categories":[{"id":1,"name":"a"},{"id":2,"name":"b"}],`+
		`"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,9,9],"area":81,"iscrowd":0}]}`)
	return dir
}

// bounded runs a command line that must not take more than some memory and time.
func bounded(t *testing.T, most int64, args ...string) (int, string) {
	t.Helper()
	c, out := program(args...)
	begin := time.Now()
	peak := peakOf(t, c)
	line := "retinago " + strings.Join(args, " ")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("%s: %v", line, took)
	}
	if peak > most {
		t.Errorf("%s: %d MB, want at most %d", line, peak>>20, most>>20)
	}
	if code := c.ProcessState.ExitCode(); code < 0 || code == exitUsage || strings.Contains(out.String(), "goroutine ") {
		t.Errorf("%s ends with %d:\n%.2000s", line, code, out)
	}
	if out.Len() > 100_000 {
		t.Errorf("%s says %d bytes", line, out.Len())
	}
	return c.ProcessState.ExitCode(), out.String()
}

// A summary takes no memory for what it counts.
func TestSummaryMemory(t *testing.T) {
	for _, args := range [][]string{
		{"-set", "model.backbone=resnext101_64x4d", "-size", "1344x1344", "-batch", "64"},
		{"-set", "model.backbone=resnet152", "-set", "model.fpn_width=512", "-set", "model.head_depth=8", "-classes", "1000", "-layers"},
		{"-set", "model.backbone=resnet18", "-size", "8192x8192"},
	} {
		code, out := bounded(t, 200<<20, append([]string{"summary"}, args...)...)
		if code != exitOK {
			t.Errorf("%v: exit code %d", args, code)
		}
		wants(t, out, "GFLOP", "memory for training")
	}
	code, out := call(t, "summary", "-set", "model.backbone=resnet18", "-size", "999999999x999999999")
	if code != exitUsage {
		t.Errorf("a huge canvas: exit code %d", code)
	}
	wants(t, out, "67108864 pixels")
}

// A damaged checkpoint ends every verb with the name of what is damaged; one without checksums is used, with a line that says so.
func TestDamagedCheckpoint(t *testing.T) {
	path := checkpointFile(t)
	wants(t, ok(t, "weights", "inspect", path), "every tensor is as it was written")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.safetensors")
	picture := filepath.Join(onePicture(t), "p.png")
	verbs := [][]string{
		{"summary", "-weights", bad}, {"weights", "inspect", bad}, {"weights", "export", "-weights", bad, "-to", "torchvision", "-out", bad + ".out"},
		{"export", "-weights", bad, "-to", "onnx", "-out", bad + ".onnx"}, {"detect", "-weights", bad, "-source", picture, "-out", t.TempDir()},
	}
	const name = "head.classification_head.cls_logits.weight"
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	var bits []byte
	for _, v := range logits.Data[:8] {
		bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(v))
	}
	at := bytes.Index(whole, bits)
	if at < 0 {
		t.Fatal("the tensor's bytes are not in the file")
	}
	for what, k := range map[string]struct {
		at   int
		want string
	}{"a tensor": {at, name}, "the header": {20, "header"}} {
		b := bytes.Clone(whole)
		b[k.at] ^= 4
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, v := range verbs {
			code, out := call(t, v...)
			if code != exitError {
				t.Errorf("%v with %s damaged: exit code %d", v, what, code)
			}
			wants(t, out, bad, k.want, "damaged")
		}
	}
	// Under other names, the checksums are none.
	older := bytes.ReplaceAll(bytes.ReplaceAll(whole, []byte("retinago.header"), []byte("anothers.header")), []byte("retinago.sums"), []byte("anothers.sums"))
	if err := os.WriteFile(bad, older, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range verbs[:4] {
		if out := ok(t, v...); strings.Count(out, "an older file without checksums") != 1 {
			t.Errorf("%v says\n%.500s", v, out)
		}
	}
}

// Checkpoints that ask for much end every verb with a word.
func TestHostileCheckpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("the same in every build")
	}
	f, err := weights.Open(checkpointFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	yaml, model := f.Metadata["retinago.config"], f.Metadata["retinago.model"]
	set := func(from, to string) string {
		if !strings.Contains(yaml, from) {
			t.Fatalf("%q is not in\n%s", from, yaml)
		}
		return strings.Replace(yaml, from, to, 1)
	}
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		aliases += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	dir, given := t.TempDir(), onePicture(t)
	path := filepath.Join(dir, "w.safetensors")
	own := func(config, model string) func() {
		return func() {
			err := weights.Write(path, map[string]string{"retinago.config": config, "retinago.model": model}, []weights.Tensor{{Name: "x", Shape: []int{1}, Data: []float32{1}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	bare := func(header string) func() {
		return func() {
			b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
			if err := os.WriteFile(path, append(b, header...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := [][]string{
		{"summary", "-weights", path}, {"detect", "-weights", path, "-source", filepath.Join(given, "p.png"), "-out", dir}, {"eval", "-weights", path, "-data", filepath.Join(given, "d.json"), "-images", given},
		{"weights", "inspect", path}, {"weights", "import", path, "-out", path + ".out"}, {"export", "-weights", path, "-to", "onnx", "-out", path + ".onnx"},
	}
	for name, k := range map[string]struct {
		write func()
		verbs [][]string
	}{
		"a wide pyramid":       {own(set("fpn_width: 16", "fpn_width: 100000000"), model), all},
		"a wide backbone":      {own(set("backbone_width: 16", "backbone_width: 1048576"), model), all[:1]},
		"aliases":              {own(aliases, model), all[:2]},
		"a deep configuration": {own(strings.Repeat("[", 1<<20), model), all[:1]},
		"a long configuration": {own(strings.Repeat("a: b\n", 1<<20), model), all[:1]},
		"a wide configuration": {own("model: ["+strings.Repeat("1,", 1<<20)+"]", model), all[:1]},
		"deep metadata":        {own(yaml, strings.Repeat(`{"categories":`, 1<<20)), all[:1]},
		"many categories":      {own(yaml, `{"categories":[`+strings.Repeat("{},", 1<<20)+"{}]}"), all[:1]},
		"an absurd shape":      {bare(`{"x":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}}`), all},
		"an endless shape":     {bare(`{"x":{"dtype":"F32","shape":[` + strings.Repeat("1,", 1<<20) + `1],"data_offsets":[0,4]}}`), all[3:5]},
		"a deep header":        {bare(`{"x":` + strings.Repeat("[", 1<<20)), all[3:5]},
		"many entries":         {bare("{" + strings.Repeat(`"x":1,`, 1<<18) + `"x":1}`), all[3:5]},
		"a large header":       {func() { bare("")(); truncated(t, path, 100<<20) }, all[3:4]},
	} {
		k.write()
		for _, v := range k.verbs {
			code, out := bounded(t, 300<<20, v...)
			if inspected := v[1] == "inspect"; code != exitError && !(inspected && code == exitOK) {
				t.Errorf("%s: %v: exit code %d\n%.500s", name, v, code, out)
			}
			if !strings.Contains(out, path) && v[1] != "import" {
				t.Errorf("%s: %v does not name the file:\n%.500s", name, v, out)
			}
		}
	}
}

// truncated makes a file of zeros after a header length of its size.
func truncated(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.WriteFile(path, binary.LittleEndian.AppendUint64(nil, uint64(size-8)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skip("this file system has no sparse files: ", err)
	}
}
