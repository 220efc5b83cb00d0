package data

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
)

var fewShapes = ShapesOptions{Train: 12, Val: 3, Size: 96, MaxSize: 60, MaxObjects: 6, Empty: .3, Seed: 5}

// The dataset is without faults, its boxes lie on the images and have the asked sizes, some images are empty, all
// classes occur.
func TestShapes(t *testing.T) {
	dir := t.TempDir()
	if err := Shapes(dir, fewShapes); err != nil {
		t.Fatal(err)
	}
	for split, n := range map[string]int{"train": 12, "val": 3} {
		c, err := coco.Load(filepath.Join(dir, split+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if faults, warnings, _ := coco.CountProblems(c.Check()); faults+warnings > 0 {
			t.Errorf("%s: %v", split, c.Check())
		}
		if len(c.Images) != n || len(c.Categories) != len(shapeClasses) {
			t.Errorf("%s: %d pictures, %d categories", split, len(c.Images), len(c.Categories))
		}
		filled := map[int64]int{}
		for _, a := range c.Annotations {
			filled[a.ImageID]++
			if long := max(a.BBox[2], a.BBox[3]); long > 62 || long < 8 {
				t.Errorf("%s: annotation %d is %g px long", split, a.ID, long)
			}
		}
		if split == "train" && (len(filled) == n || len(filled) == 0) {
			t.Errorf("%d of %d pictures have shapes, want some without", len(filled), n)
		}
		for _, im := range c.Images {
			p, err := picture.Decode(filepath.Join(dir, split, im.FileName))
			if err != nil {
				t.Fatal(err)
			}
			if p.W != im.Width || p.H != im.Height {
				t.Errorf("%s is %dx%d, its entry says %dx%d", im.FileName, p.W, p.H, im.Width, im.Height)
			}
		}
	}
}

// Equal seeds make equal files, other seeds other ones.
func TestShapesSeed(t *testing.T) {
	content := func(seed uint64) []byte {
		dir := t.TempDir()
		o := fewShapes
		o.Seed = seed
		if err := Shapes(dir, o); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, f := range []string{"train.json", "train/00007.jpg", "val.json", "val/00002.jpg"} {
			b, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	a := content(1)
	if !bytes.Equal(a, content(1)) {
		t.Error("the same seed makes another dataset")
	}
	if bytes.Equal(a, content(2)) {
		t.Error("another seed makes the same dataset")
	}
}

func TestShapesOptions(t *testing.T) {
	for name, o := range map[string]ShapesOptions{
		"size":      {Size: 20},
		"objects":   {MinObjects: 5, MaxObjects: 2},
		"shapes":    {MinSize: 50, MaxSize: 20},
		"large":     {Size: 100, MaxSize: 90},
		"empty":     {Empty: 2},
		"none":      {Train: -1},
		"balance":   {Imbalance: .5},
		"extreme":   {Imbalance: 1e5},
		"no number": {Imbalance: math.NaN()},
	} {
		if err := Shapes(t.TempDir(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// An imbalance of 27 makes each class a third as frequent as the one before it, on the images to train on alone.
func TestShapesImbalance(t *testing.T) {
	dir := t.TempDir()
	if err := Shapes(dir, ShapesOptions{Train: 300, Val: 100, Size: 64, MinSize: 4, MaxSize: 8, MinObjects: 8, MaxObjects: 8, Empty: -1, Imbalance: 27}); err != nil {
		t.Fatal(err)
	}
	for split, shares := range map[string][]float64{"train": {27. / 40, 9. / 40, 3. / 40, 1. / 40}, "val": {.25, .25, .25, .25}} {
		d, err := coco.Load(filepath.Join(dir, split+".json"))
		if err != nil {
			t.Fatal(err)
		}
		count := map[int64]float64{}
		for _, a := range d.Annotations {
			count[a.CategoryID]++
		}
		n := float64(len(d.Annotations))
		for k, p := range shares {
			// Four standard errors of a share.
			if got := count[shapeClasses[k].ID] / n; math.Abs(got-p) > 4*math.Sqrt(p*(1-p)/n) {
				t.Errorf("%s: %s is %.3f of %.0f shapes, want %.3f", split, shapeClasses[k].Name, got, n, p)
			}
		}
	}
}

// Shapes of 4 to 12 px on large images keep their size.
func TestShapesTiny(t *testing.T) {
	dir := t.TempDir()
	if err := Shapes(dir, ShapesOptions{Train: 2, Val: 1, Size: 1024, MinSize: 4, MaxSize: 12, MinObjects: 20, MaxObjects: 20, Empty: -1}); err != nil {
		t.Fatal(err)
	}
	d, err := coco.Load(filepath.Join(dir, "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Annotations) != 40 {
		t.Errorf("%d shapes, want 40", len(d.Annotations))
	}
	for _, a := range d.Annotations {
		if long := max(a.BBox[2], a.BBox[3]); long < 2 || long > 12.5 {
			t.Errorf("annotation %d is %g px long", a.ID, long)
		}
	}
}

// A shape's box is as tight as can be: its outline touches all four sides.
func TestShapeBounds(t *testing.T) {
	dir := t.TempDir()
	o := fewShapes
	o.Train, o.Empty = 30, -1
	if err := Shapes(dir, o); err != nil {
		t.Fatal(err)
	}
	c, err := coco.Load(filepath.Join(dir, "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range c.Annotations {
		if share := a.Area / (a.BBox[2] * a.BBox[3]); share < .15 || share > 1.001 {
			t.Errorf("annotation %d of category %d fills %.2f of its box", a.ID, a.CategoryID, share)
		}
	}
}
