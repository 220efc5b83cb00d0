package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/coco"
	"retinago/internal/dataset/doctor"
	"retinago/internal/media/picture"
)

// Boxes of any finite numbers become boxes inside of their images, or none.
func TestObjectsOfAnyNumbers(t *testing.T) {
	dir := t.TempDir()
	if err := picture.New(40, 30).WritePNG(filepath.Join(dir, "a.png")); err != nil {
		t.Fatal(err)
	}
	c := &coco.Dataset{Path: "a.json", Categories: []coco.Category{{ID: 1, Name: "a"}}, Images: []coco.Image{{ID: 1, FileName: "a.png", Width: 40, Height: 30}}}
	values := []float64{0, -1, 5, 1e-320, 1e30, -1e30, 1e300, -1e300, 2e300, math.MaxFloat64}
	for _, x := range values {
		for _, w := range values {
			for _, y := range []float64{1, 1e300, -1e300} {
				c.Annotations = append(c.Annotations, coco.Annotation{ID: int64(len(c.Annotations) + 1), ImageID: 1, CategoryID: 1, BBox: [4]float64{x, y, w, w}, Area: 1})
			}
		}
	}
	d, err := New(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	boxes, _, _ := d.Objects(0)
	if len(boxes) == 0 {
		t.Error("no boxes")
	}
	for _, b := range boxes {
		if !(b.X1 >= 0 && b.Y1 >= 0 && b.X2 <= 40 && b.Y2 <= 30 && b.X1 < b.X2 && b.Y1 < b.Y2) {
			t.Errorf("box %v", b)
		}
	}
}

// Entries that no image has are told of by name, the first of them.
func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "zero.jpg")); err != nil {
		t.Fatal(err)
	}
	image := func(name string, w, h int) *coco.Dataset {
		return &coco.Dataset{Path: "a.json", Categories: []coco.Category{{ID: 1}}, Images: []coco.Image{{ID: 7, FileName: name, Width: w, Height: h}}}
	}
	many := image("a.png", 9, 9)
	for i := range doctor.MaxBoxes + 1 {
		many.Annotations = append(many.Annotations, coco.Annotation{ID: int64(i), ImageID: 7, CategoryID: 1, BBox: [4]float64{1, 1, 2, 2}})
	}
	for want, d := range map[string]*coco.Dataset{"is 0x9 pixels": image("a.png", 0, 9), "is 9x-1 pixels": image("a.png", 9, -1), "but a pipe": image("pipe.jpg", 9, 9),
		"but a device": image("zero.jpg", 9, 9), "100001 boxes": many} {
		if _, err := New(d, dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "image 7") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	absent := image("a.png", 9, 9) // beside which all are missing
	if err := os.WriteFile(filepath.Join(dir, "a.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 200_000 {
		absent.Images = append(absent.Images, coco.Image{ID: int64(i + 10), FileName: "absent.jpg", Width: 9, Height: 9})
	}
	if _, err := New(absent, dir); err == nil || !strings.Contains(err.Error(), "and 199980 more") || len(err.Error()) > 10_000 {
		t.Errorf("%.300v", err)
	}
}

// 200,000 images of all sizes find their canvases in seconds.
func TestManySizes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := make([]Size, 200_000)
	for i := range sizes {
		sizes[i] = Size{1 + r.IntN(5000), 1 + r.IntN(5000)}
	}
	sizes[0], sizes[1], sizes[2] = Size{1, math.MaxInt32}, Size{math.MaxInt32, 1}, Size{math.MaxInt32, math.MaxInt32}
	begin := time.Now()
	for _, most := range []int{trainBuckets, len(sizes)} {
		o := newOrder(sizes, []int{480, 800}, 1333, 32, most, 2, 1)
		if c := o.largest(); c.W > 1344 || c.H > 1344 || c.W < 800 {
			t.Errorf("the largest canvas is %v", c)
		}
		if n := len(o.epoch(0)); n != len(sizes)/2 {
			t.Errorf("%d batches", n)
		}
	}
	if took := time.Since(begin); took > time.Minute {
		t.Error(fmt.Sprint(took))
	}
}

// Shapes are written below their folder, and the first failure ends them.
func TestShapesBelow(t *testing.T) {
	top := t.TempDir()
	out := filepath.Join(top, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(top, "other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../other", filepath.Join(out, "train")); err != nil {
		t.Fatal(err)
	}
	if err := Shapes(out, ShapesOptions{Train: 100_000, Val: 1, Size: 64, MaxSize: 40}); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%v", err)
	}
	if entries, _ := os.ReadDir(filepath.Join(top, "other")); len(entries) > 0 {
		t.Errorf("%d files outside", len(entries))
	}
}
