//go:build opencv

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// seeded writes a model that was never trained.
func seeded(t *testing.T, path string) {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth = "resnet18", 16, 16, 1
	c.Model.Classes, c.Model.CategoryIDs = []string{"a", "b"}, []int64{1, 2}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 96, 32
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Save(path, detector.Info{Config: c, Categories: []detector.Category{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}}); err != nil {
		t.Fatal(err)
	}
}

// A video and a picture go through together: the copy of the video has its frames, lines have their numbers, tracks are counted.
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
	wants(t, out, "11 pictures", at("out/a.mp4")+": 10 frames of 96x64", "line 1:", "zone 1:")
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
