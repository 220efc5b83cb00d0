package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
)

// checked lists the findings of Check, and keeps those of images.
func checked(t *testing.T, d *coco.Dataset, dir string) (all []coco.Problem, f Faulty) {
	t.Helper()
	f = Faulty{}
	for p, err := range Check(t.Context(), d, Options{Images: dir, Run: true, Headers: &Headers{}}, f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all, f
}

// A repair keeps what can be read, says what it dropped, and never writes an empty dataset.
func TestRepair(t *testing.T) {
	path := func(dir, name string) string { return filepath.Join(dir, name) }
	for name, k := range map[string]struct {
		change     func(d *coco.Dataset, dir string)
		clip, drop int    // images that are left; -1 is an error
		says       string // of the report of clip, or of the error
	}{
		"clean":                           {func(d *coco.Dataset, dir string) {}, 4, 4, "0 changes"},
		"one is missing":                  {func(d *coco.Dataset, dir string) { os.Remove(path(dir, "p1.jpg")) }, 3, 3, "image 2 (p1.jpg): missing-picture: dropped with its boxes"},
		"one cannot be decoded":           {func(d *coco.Dataset, dir string) { os.Truncate(path(dir, "p1.jpg"), 620) }, 3, 3, "image 2 (p1.jpg): broken-picture: dropped with its boxes"},
		"one has no header":               {func(d *coco.Dataset, dir string) { os.Truncate(path(dir, "p1.jpg"), 20) }, 3, 3, "broken-picture"},
		"one is turned":                   {func(d *coco.Dataset, dir string) { rotate(t, path(dir, "p1.jpg"), 6) }, 4, 3, "image 2 (p1.jpg): sides-swapped: turned as EXIF turns the image"},
		"all are turned":                  {func(d *coco.Dataset, dir string) { turnAll(t, d, dir) }, 4, -1, "4 changes"},
		"one has another ratio":           {func(d *coco.Dataset, dir string) { put(t, path(dir, "p1.jpg"), 60, 60) }, 4, 3, "left: error: other-shape"},
		"one is smaller":                  {func(d *coco.Dataset, dir string) { put(t, path(dir, "p1.jpg"), 40, 30) }, 4, 4, "0 changes"},
		"one has its sides written wrong": {func(d *coco.Dataset, dir string) { d.Images[1].Width, d.Images[1].Height = 60, 80 }, 4, 3, "its size is now the image's, 80x60"},
		"one has its sides written wrong, and its box outside": {func(d *coco.Dataset, dir string) {
			d.Images[1].Width, d.Images[1].Height = 60, 80
			d.Annotations[1].BBox[1] = 50
		}, 4, 3, "left: error: sides-swapped"},
		"all are missing":             {func(d *coco.Dataset, dir string) { removeAll(d, dir) }, -1, -1, "nothing would be left"},
		"all are broken":              {func(d *coco.Dataset, dir string) { truncateAll(d, dir) }, -1, -1, "nothing would be left"},
		"all boxes are outside":       {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.BBox[0] = 90 }) }, -1, -1, "of its 4 boxes"},
		"all categories are unknown":  {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.CategoryID = 9 }) }, -1, -1, "of its 4 boxes"},
		"no images":                   {func(d *coco.Dataset, dir string) { d.Images, d.Annotations = nil, nil }, -1, -1, "no images"},
		"no labels":                   {func(d *coco.Dataset, dir string) { d.Annotations = nil }, 4, 4, "left: error: no-labels"},
		"two categories of one name":  {func(d *coco.Dataset, dir string) { d.Categories[1].Name = "red" }, 4, 4, "left: warning: duplicate-name"},
		"annotation id 0":             {func(d *coco.Dataset, dir string) { d.Annotations[0].ID = 0 }, 4, 4, "zero-id: now has the id 5"},
		"all annotations have id 0":   {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.ID = 0 }) }, 4, 4, "now has the id 4"},
		"no size, and it is missing":  {func(d *coco.Dataset, dir string) { d.Images[0].Width = 0; os.Remove(path(dir, "p0.jpg")) }, 3, 3, "missing-picture: dropped"},
		"an item was left out before": {func(d *coco.Dataset, dir string) { d.Dropped = dropped(1) }, 4, 4, "unreadable: left out: x.csv:3"},
	} {
		for mode, want := range map[coco.Mode]int{coco.Clip: k.clip, coco.Drop: k.drop} {
			d, dir := clean(t, 4)
			k.change(d, dir)
			images, boxes := len(d.Images), len(d.Annotations)
			_, f := checked(t, d, dir)
			fixed, report, err := f.Repair(d, dir, mode)
			if (err != nil) != (want < 0) || err == nil && len(fixed.Images) != want {
				t.Errorf("%s, mode %d: %v, want %d images", name, mode, err, want)
				continue
			}
			if len(d.Images) != images || len(d.Annotations) != boxes {
				t.Errorf("%s: the dataset itself was changed", name)
			}
			if err != nil {
				if mode == coco.Clip && !strings.Contains(err.Error(), k.says) {
					t.Errorf("%s: %v, want %q", name, err, k.says)
				}
				continue
			}
			if mode == coco.Clip && !strings.Contains(report.String(), k.says) {
				t.Errorf("%s: want %q:\n%s", name, k.says, report)
			}
			if report.ImagesBefore != images || report.ImagesAfter != want || report.AnnotationsBefore != boxes || report.AnnotationsAfter != len(fixed.Annotations) {
				t.Errorf("%s: counts of\n%s", name, report)
			}
			// What is left is all that is wrong with the copy.
			after, _ := checked(t, fixed, dir)
			for _, p := range after {
				if p.Severity == coco.Error && !slices.ContainsFunc(report.Left, func(q coco.Problem) bool { return q.Kind == p.Kind }) {
					t.Errorf("%s, mode %d: the copy has %s", name, mode, p)
				}
			}
		}
	}
}

func turnAll(t *testing.T, d *coco.Dataset, dir string) {
	for _, im := range d.Images {
		rotate(t, filepath.Join(dir, im.FileName), 6)
	}
}

func removeAll(d *coco.Dataset, dir string) {
	for _, im := range d.Images {
		os.Remove(filepath.Join(dir, im.FileName))
	}
}

func truncateAll(d *coco.Dataset, dir string) {
	for _, im := range d.Images {
		os.Truncate(filepath.Join(dir, im.FileName), 10)
	}
}

// An image that cannot be decoded is a warning: a run goes on without it. Where none can be, that is an error.
func TestCheckDecodes(t *testing.T) {
	d, dir := clean(t, 4)
	os.Truncate(filepath.Join(dir, "p3.jpg"), 620)
	all, f := checked(t, d, dir)
	if len(all) != 1 || all[0].Severity != coco.Warning || all[0].Kind != BrokenPicture || !strings.Contains(all[0].Item, "p3.jpg") || len(f) != 1 {
		t.Errorf("%v", all)
	}
	for _, im := range d.Images {
		os.Truncate(filepath.Join(dir, im.FileName), 620)
	}
	if all, _ = checked(t, d, dir); len(all) != 5 || all[4].Severity != coco.Error {
		t.Errorf("%v", all)
	}
}

// A box that is drawn on a stored image is where the object is on the upright one, for each orientation that swaps sides.
func TestRepairTurns(t *testing.T) {
	// The image is stored 80x60, upright 60x80. The box begins 10 from the left and 12 from the top, as stored.
	for orientation, want := range map[byte][4]float64{
		5: {12, 10, 20, 30},           // mirrored along the diagonal
		6: {60 - 12 - 20, 10, 20, 30}, // the stored top is the right side
		7: {60 - 12 - 20, 80 - 10 - 30, 20, 30},
		8: {12, 80 - 10 - 30, 20, 30}, // the stored top is the left side
	} {
		d, dir := clean(t, 2)
		rotate(t, filepath.Join(dir, "p1.jpg"), orientation)
		d.Annotations[1].Segmentation = []byte("[[10,12,40,12,40,32]]")
		d.Annotations[0].Segmentation = []byte("[[10,12,40,12,40,32]]")
		_, f := checked(t, d, dir)
		fixed, report, err := f.Repair(d, dir, coco.Clip)
		if err != nil || len(report.Left) > 0 {
			t.Fatalf("%v\n%s", err, report)
		}
		a, im := fixed.Annotations[1], fixed.Images[1]
		if im.Width != 60 || im.Height != 80 || a.BBox != want || a.Area != 600 {
			t.Errorf("%d: %dx%d with %v, want 60x80 with %v", orientation, im.Width, im.Height, a.BBox, want)
		}
		mask, err := coco.ParseSegmentation(a.Segmentation)
		if err != nil || mask.BBox() != want || mask.Area() != 300 {
			t.Errorf("%d: the polygon is %s", orientation, a.Segmentation)
		}
		if b := fixed.Annotations[0]; b.BBox != [4]float64{10, 12, 30, 20} || string(b.Segmentation) != "[[10,12,40,12,40,32]]" || d.Annotations[1].BBox != b.BBox {
			t.Errorf("%d: another annotation, or the dataset itself, was changed: %v", orientation, b)
		}
		if after, _ := checked(t, fixed, dir); len(after) > 0 {
			t.Errorf("%d: the copy has %v", orientation, after)
		}
	}
}
