//go:build opencv

package infer

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"retinago/internal/media/picture"
	"retinago/internal/media/source"
	"retinago/internal/media/video"
)

// A frame of a video gives what it gives as an image.
func TestFrames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.mp4")
	w, err := video.Create(path, 160, 96, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		p := noise(160, 96)
		for y := range 30 {
			for x := range 30 {
				p.Set(10+8*i+x, 20+y, 255, 255, 0)
			}
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := video.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set, err := source.Open([]string{path}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, low())
	n := 0
	for got, err := range p.Stream(context.Background(), set.Frames, StreamOptions{Workers: 2, Then: func(r Result, pic *picture.Picture) error { return picture.Draw(pic, Marks(r.Found)) }}) {
		if err != nil || got.Broken != nil {
			t.Fatal(err, got.Broken)
		}
		if got.Count != n || got.Pic != nil {
			t.Errorf("result %d is of frame %d", n, got.Count)
		}
		n++
		pic, at, err := r.Read()
		if err != nil || at != got.Time {
			t.Fatal(at, got.Time, err)
		}
		png := filepath.Join(dir, "frame.png")
		if err := pic.WritePNG(png); err != nil {
			t.Fatal(err)
		}
		if want := predictFile(t, p, png); len(want) == 0 || !slices.Equal(got.Found, want) {
			t.Errorf("frame %d: %d detections, as a picture %d", got.Count, len(got.Found), len(want))
		}
	}
	if n != 12 {
		t.Errorf("%d frames", n)
	}
}
