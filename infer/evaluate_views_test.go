package infer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retinago/coco"
	"retinago/internal/dataset/data"
)

// An evaluation in tiles, mirrored and at several scales has the detections of Predict with these views, to the bit.
func TestEvaluateViews(t *testing.T) {
	o := low()
	o.Choice = Choice{Flip: true, Scales: []float64{1, 1.5}, Tile: 100, Overlap: .2}
	p := load(t, o)
	d := several(t)
	var done []int
	ev, err := p.Evaluate(t.Context(), d, func(n, total int) { done = append(done, n) })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(done, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("progress %v", done)
	}
	var want []coco.Detection
	for i := range d.Len() {
		found, err := p.PredictFile(t.Context(), d.File(i))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			want = append(want, coco.Detection{ImageID: d.Image(i).ID, CategoryID: f.Category.ID, Score: float64(f.Score),
				BBox: [4]float64{float64(f.Box.X1), float64(f.Box.Y1), float64(f.Box.W()), float64(f.Box.H())}})
		}
	}
	if len(want) == 0 || !slices.Equal(ev.Detections, want) {
		t.Errorf("%d detections, one by one %d, or others", len(ev.Detections), len(want))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Evaluate(ctx, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A dataset with fewer classes, half the sizes and a broken image: only its classes are looked for, boxes are in its pixels, and the
// broken image is named.
func TestEvaluateViewsOfOther(t *testing.T) {
	o := low()
	o.Choice = Choice{Tile: 100, Overlap: .2}
	p := load(t, o)
	d := several(t)
	whole, err := p.Evaluate(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *d.COCO()
	c.Categories = []coco.Category{{ID: 30, Name: "square"}}
	c.Images = slices.Clone(c.Images[:2])
	for i := range c.Images {
		c.Images[i].Width /= 2
		c.Images[i].Height /= 2
	}
	if err := os.WriteFile(d.File(0), []byte("broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	half, err := data.New(&c, filepath.Dir(d.File(0)))
	if err != nil {
		t.Fatal(err)
	}
	ev, err := p.Evaluate(t.Context(), half, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ev.Broken[half.File(0)] == nil || len(ev.Broken) != 1 {
		t.Errorf("broken: %v", ev.Broken)
	}
	best := func(of []coco.Detection, category int64) coco.Detection {
		i := slices.IndexFunc(of, func(x coco.Detection) bool { return x.ImageID == 11 && x.CategoryID == category })
		if i < 0 {
			t.Fatalf("no detection of category %d", category)
		}
		return of[i]
	}
	a, b := best(whole.Detections, 2), best(ev.Detections, 30)
	for i := range b.BBox {
		if b.BBox[i] != a.BBox[i]/2 || a.Score != b.Score {
			t.Errorf("%+v, want half of %+v", b, a)
		}
	}
	if slices.ContainsFunc(ev.Detections, func(x coco.Detection) bool { return x.CategoryID != 30 }) {
		t.Error("a detection of another class")
	}
}
