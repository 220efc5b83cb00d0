//go:build opencv

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/detector"
	"retinago/infer"
	"retinago/internal/media/picture"
)

// The images of a folder are tracked as one sequence, in the order of their numbers; the frames of a GIF are read, those of a PNG counted.
func TestDetectSeries(t *testing.T) {
	tmp := t.TempDir()
	at := func(name ...string) string { return filepath.Join(append([]string{tmp}, name...)...) }
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
	// An animation of PNG is not read: its still image is, and the frames are counted.
	var still bytes.Buffer
	if err := png.Encode(&still, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		t.Fatal(err)
	}
	const header = 8 + 25
	control := append([]byte("acTL"), 0, 0, 0, 2, 0, 0, 0, 0)
	chunk := binary.BigEndian.AppendUint32(append([]byte{0, 0, 0, 8}, control...), crc32.ChecksumIEEE(control))
	if err := os.WriteFile(at("a.png"), slices.Concat(still.Bytes()[:header], chunk, still.Bytes()[header:]), 0o644); err != nil {
		t.Fatal(err)
	}
	out = ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.png"), "-jsonl", at("b.jsonl"), "-summary", at("s.json"))
	wants(t, out, "the first of 3", "1 image files", "2 more")
	wants(t, text(t, at("b.jsonl")), `"further_pages":2`)
	wants(t, text(t, at("s.json")), `"further_pages": 2`)

	// The frames of a GIF are images of their own, and may be tracked.
	out = ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.gif"), "-jsonl", at("c.jsonl"), "-csv", at("c.csv"), "-out", at("frames"), "-yolo", at("labels"), "-track", "-score", ".001")
	wants(t, out, "a.gif page or frame 1/3", "a.gif page or frame 3/3", "3 images")
	wants(t, text(t, at("c.jsonl")), `"frame":0,"time":0,`, `"frame":1,"time":0.1,`, `"frame":2,"time":0.2,`)
	if strings.Contains(text(t, at("c.jsonl")), "further_pages") {
		t.Error("frames that are read have further ones")
	}
	wants(t, text(t, at("c.csv")), "a.gif,2,0.200,")
	for n := range 3 {
		for _, name := range []string{at("frames", fmt.Sprintf("a_%06d.gif.jpg", n)), at("labels", fmt.Sprintf("a_%06d.txt", n))} {
			if _, err := os.Stat(name); err != nil {
				t.Error(err)
			}
		}
	}
	// A dataset has one image for a file: its first frame.
	write(t, at("one.json"), `{"images": [{"id": 7, "file_name": "a.gif", "width": 64, "height": 48}], "annotations": [], "categories": [{"id": 1, "name": "circle"}]}`)
	out = ok(t, "detect", "-weights", at("m.safetensors"), "-source", at("a.gif"), "-data", at("one.json"), "-json", at("c.json"))
	wants(t, out, "the first of 3", "1 image,")
}

// The line of an image counts objects by class in the order of the model's classes, whatever was found first.
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
