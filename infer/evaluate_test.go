package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// several is a dataset of images that need canvases of four sizes, two of them more than once.
func several(t *testing.T) *data.Dataset {
	t.Helper()
	dir := t.TempDir()
	c := &coco.Dataset{Path: "several.json"}
	for i, name := range []string{"circle", "square", "triangle", "star"} {
		c.Categories = append(c.Categories, coco.Category{ID: []int64{1, 2, 4, 7}[i], Name: name})
	}
	for i, s := range [][2]int{{128, 128}, {200, 90}, {90, 200}, {128, 128}, {128, 97}, {100, 100}, {128, 128}, {128, 128}, {220, 100}} {
		name := fmt.Sprintf("%d.png", i)
		if err := noise(s[0], s[1]).WritePNG(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		c.Images = append(c.Images, coco.Image{ID: int64(10 + i), FileName: name, Width: s[0], Height: s[1]})
	}
	d, err := data.New(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Evaluating a dataset finds what predicting its images one by one finds, also where norms see all of a canvas.
func TestEvaluate(t *testing.T) {
	p := load(t, low(), func(m *config.Model) { m.FPNWidth, m.HeadNorm = 32, "group" })
	d := several(t)
	c := p.Info().Config
	c.Infer.Score = .001
	var told []int
	ev, err := Evaluate(context.Background(), p.Model(), c, d, func(done, total int) { told = append(told, done, total) })
	if err != nil {
		t.Fatal(err)
	}
	if n := len(told); n < 2 || told[n-2] != d.Len() || told[n-1] != d.Len() {
		t.Errorf("progress %v", told)
	}
	for i := range d.Len() {
		pic, err := picture.Decode(d.File(i))
		if err != nil {
			t.Fatal(err)
		}
		found, err := p.Predict(t.Context(), pic)
		if err != nil {
			t.Fatal(err)
		}
		var of []coco.Detection
		for _, x := range ev.Detections {
			if x.ImageID == d.Image(i).ID {
				of = append(of, x)
			}
		}
		if len(of) != len(found) {
			t.Errorf("picture %d: %d detections, one by one %d", i, len(of), len(found))
			continue
		}
		// In a batch sums are the same numbers, in another order at most.
		for k, o := range of {
			f := found[k]
			if math.Abs(o.Score-float64(f.Score)) > 1e-5 || math.Abs(o.BBox[0]-float64(f.Box.X1)) > 1e-2 || math.Abs(o.BBox[3]-float64(f.Box.H())) > 1e-2 {
				t.Errorf("picture %d, detection %d: %+v, alone %+v", i, k, o, f)
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(ctx, p.Model(), c, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
