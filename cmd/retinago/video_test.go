//go:build opencv

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// A video and an image go through together: the copy of the video has its frames, lines have their numbers, tracks are counted.
func TestDetectVideo(t *testing.T) {
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	seeded(t, at("m.safetensors"))
	w, err := video.Create(at("a.mp4"), 96, 64, 12.5)
	if err != nil {
		t.Fatal(err)
	}
	p := picture.New(96, 64)
	for i := range 10 {
		for y := 20; y < 40; y++ {
			p.Set(5*i+y, y, 200, 255, 90)
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteJPEG(at("p.jpg"), 90); err != nil {
		t.Fatal(err)
	}
	out := ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.mp4"), at("p.jpg"), "-out", at("out"), "-jsonl", at("a.jsonl"), "-summary", at("s.json"), "-score", ".005", "-track",
		"-line", "48,0,48,64", "-zone", "0,0,40,0,40,64,0,64", "-smooth", "-quiet")
	if strings.Contains(out, "warning") {
		t.Errorf("a warning of a line and a zone that are seen:\n%s", out)
	}
	wants(t, out, "11 images", at("out/a.mp4")+": 10 frames of 96x64", "line 1:", "zone 1:")
	r, err := video.Open(at("out/a.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if f := r.Format(); f.Frames != 10 || f.Rate != 12.5 || f.W != 96 || f.H != 64 {
		t.Errorf("the copy is %+v", f)
	}
	if _, err := picture.Decode(at("out/p.jpg")); err != nil {
		t.Error(err)
	}
	tracks := 0
	for i, line := range strings.Split(strings.TrimSpace(text(t, at("a.jsonl"))), "\n") {
		var v struct {
			Frame   *int
			Time    float64
			Objects []struct{ Track int }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if i < 10 && (v.Frame == nil || *v.Frame != i) || i == 10 && v.Frame != nil {
			t.Errorf("line %d: %s", i, line)
		}
		for _, o := range v.Objects {
			if o.Track > 0 {
				tracks++
				if i == 10 {
					t.Error("a track on a picture")
				}
			}
		}
	}
	var s struct {
		Counts []struct{ Counts []struct{ At string } }
	}
	if read(t, at("s.json"), &s); tracks == 0 || len(s.Counts) != 1 || len(s.Counts[0].Counts) != 2 || s.Counts[0].Counts[1].At != "zone 1" {
		t.Errorf("%d tracks, %+v", tracks, s)
	}
}

// Lines and zones outside of the frames are named once for each video, with the size of its frames; progress has its lines.
func TestRegionsOutside(t *testing.T) {
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	seeded(t, at("m.safetensors"))
	for _, name := range []string{"a.mp4", "b.mp4"} {
		w, err := video.Create(at(name), 96, 64, 10)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if err := w.Write(picture.New(96, 64)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	out := ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.mp4"), at("b.mp4"), "-jsonl", at("a.jsonl"), "-track",
		"-line", "0,400,1280,400", "-line", "48,0,48,640", "-line", "0,32,96,32", "-zone", "-10,-10,200,-10,200,200,-10,200")
	for _, name := range []string{"a.mp4", "b.mp4"} {
		for _, text := range []string{"line 1 lies outside", "a part of line 2 lies outside", "the whole border of zone 1 lies outside"} {
			if n := strings.Count(out, text+" of the frames of "+at(name)+", which have 96x64 pixels"); n != 1 {
				t.Errorf("%q stands %d times for %s in:\n%s", text, n, name, out)
			}
		}
		wants(t, out, at(name)+": frame 4/4 (0.30 s)")
	}
	if strings.Contains(out, "line 3 lies") {
		t.Errorf("a warning of a line that is seen:\n%s", out)
	}
}

// Videos and images whose names meet have results of their own in every folder.
func TestNamesOfSources(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	seeded(t, "m.safetensors")
	w, err := video.Create("clip.mp4", 96, 64, 10)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(picture.New(96, 64)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	clip := text(t, "clip.mp4")
	videos := []string{"clip.mp4", "clip.MP4", "CLIP.mp4", "a.avi", "a.avi.mp4", "a.mp4", "a.mkv", "caf\u00e9.mp4", "cafe\u0301.mp4", "b.part.mp4", "b.mp4"}
	pictures := []string{"a.jpg", "a.JPG", "A.jpg", "a.jpeg", "a.png", "a.png.jpg", "a_000000.jpg", "a.mp4.jpg", "clip_000001.png", "clip.jpg"}
	photo(t, "s/x.jpg")
	jpeg := text(t, "s/x.jpg")
	if err := os.Remove("s/x.jpg"); err != nil {
		t.Fatal(err)
	}
	for _, name := range videos {
		write(t, filepath.Join("s", name), clip)
	}
	for _, name := range pictures {
		write(t, filepath.Join("s", name), jpeg)
	}
	ok(t, "detect", "-weights", "m.safetensors", "-source", "s", "-out", "out", "-yolo", "labels", "-crops", "crops", "-jsonl", "a.jsonl", "-score", ".005", "-max", "2", "-quiet", "-threads", "1")
	all := func(pattern string, want int) {
		t.Helper()
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) != want {
			t.Errorf("%s: %d files, want %d: %q, %v", pattern, len(names), want, names, err)
		}
		folded := map[string]bool{}
		for _, n := range names {
			n = strings.ToLower(norm.NFC.String(n))
			if folded[n] {
				t.Errorf("%s is one file for some file systems", n)
			}
			folded[n] = true
		}
	}
	objects := strings.Count(text(t, "a.jsonl"), `"category_id"`)
	all("out/*.mp4", len(videos))
	all("out/*.[jJ][pP]*", len(pictures))
	all("labels/*.txt", 2*len(videos)+len(pictures))
	all("crops/*/*.jpg", objects)
	if objects < len(pictures) {
		t.Errorf("%d objects", objects)
	}
}
