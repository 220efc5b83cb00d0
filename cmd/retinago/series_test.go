//go:build opencv

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/detector"
	"retinago/infer"
	"retinago/internal/media/picture"
)

// The pictures of a folder are tracked as one sequence, in the order of their numbers; the file of several frames is told.
func TestDetectSeries(t *testing.T) {
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	seeded(t, at("m.safetensors"))
	if err := os.Mkdir(at("img"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 12; i++ {
		p := picture.New(96, 64)
		for y := 20; y < 40; y++ {
			for x := range 20 {
				p.Set(4*i+x, y, 200, 255, 90)
			}
		}
		if err := p.WritePNG(at(fmt.Sprintf("img/frame%d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	out := ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("img"), "-out", at("out"), "-jsonl", at("a.jsonl"), "-score", ".005", "-track", "-line", "48,0,48,64", "-quiet")
	wants(t, out, "12 images", at("img")+": line 1:")
	tracks := map[int]int{} // frames of each
	for i, line := range strings.Split(strings.TrimSpace(text(t, at("a.jsonl"))), "\n") {
		var v struct {
			Source  string
			Objects []struct{ Track int }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("frame%d.png", i+1); filepath.Base(v.Source) != want {
			t.Errorf("line %d is of %s, want %s", i+1, v.Source, want)
		}
		for _, o := range v.Objects {
			tracks[o.Track]++
		}
	}
	long := 0
	for track, n := range tracks {
		if track > 0 && n > 1 {
			long++
		}
	}
	if long == 0 {
		t.Errorf("no track has two pictures: %v", tracks)
	}

	film := &gif.GIF{}
	for range 3 {
		film.Image, film.Delay = append(film.Image, image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{color.Black, color.White})), append(film.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, film); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("a.gif"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out = ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.gif"), "-jsonl", at("b.jsonl"), "-summary", at("s.json"))
	wants(t, out, "the first of 3", "1 image files", "2 more")
	wants(t, text(t, at("b.jsonl")), `"further_pages":2`)
	wants(t, text(t, at("s.json")), `"further_pages": 2`)
}

// The line of a picture counts objects by class in the order of the model's classes, whatever was found first.
func TestByClass(t *testing.T) {
	of := func(class int, name string) infer.Detection {
		return infer.Detection{Class: class, Category: detector.Category{ID: int64(9 - class), Name: name}}
	}
	for _, k := range []struct {
		found []infer.Detection
		want  string
	}{
		{nil, ""},
		{[]infer.Detection{of(2, "star"), of(0, "circle"), of(2, "star")}, ": 1 circle, 2 star"},
		{[]infer.Detection{of(0, "circle"), of(2, "star"), of(2, "star")}, ": 1 circle, 2 star"},
		{[]infer.Detection{of(1, "a\x1b[2Jb")}, ": 1 a\\x1b[2Jb"},
	} {
		if got := byClass(k.found); got != k.want {
			t.Errorf("%q, want %q", got, k.want)
		}
	}
}
