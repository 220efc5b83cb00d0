package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
	"retinago/train"
)

// checkDetect looks at images with every choice and output.
func checkDetect(t *testing.T, best, pictures string) {
	t.Helper()
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	out := ok(t, "detect", "-weights", best, "-source", filepath.Join(pictures, "00001.jpg")+","+filepath.Join(pictures, "00002.jpg"), filepath.Join(pictures, "0000[34].jpg"),
		"-out", at("out"), "-jsonl", at("a.jsonl"), "-csv", at("a.csv"), "-yolo", at("yolo"), "-crops", at("crops"), "-summary", at("s.json"), "-score", ".02,star=.99", "-max", "3",
		"-class", "circle", "-class", "square", "-class", "star", "-flip", "-scales", "1,1.5", "-tile", "64", "-overlap", ".3", "-merge", "nms", "-method", "diou", "-batch", "2", "-workers", "2", "-verbose")
	wants(t, out, "4 images", "network ", "ms:", "at the peak")
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
	wants(t, errs.String(), fmt.Sprintf("interrupted after %d images", told))
	if told < 2 || told > 100 {
		t.Errorf("%d pictures after the signal", told)
	}
	if _, err := coco.LoadResults(dets); err != nil {
		t.Error(err)
	}
}

// Images twice as large as the network wants are read at half their size, and measured in their own pixels.
func TestFastDecode(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=2", "data.fast_decode=true", "data.short_sides=[32]", "data.max_side=48")...)...)
	best, val, dets := filepath.Join(run, train.BestModel), filepath.Join(dir, "val.json"), filepath.Join(run, "d.json")
	ok(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-json", dets, "-score", ".001", "-data", val)
	ok(t, "detect", "-weights", best, "-source", filepath.Join(dir, "val"), "-json", dets, "-score", ".001", "-data", val, "-fast-decode", "-out", filepath.Join(run, "found"))
	wants(t, ok(t, "eval", "-weights", best, "-data", val, "-images", filepath.Join(dir, "val"), "-fast-decode"), "4 images")
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
