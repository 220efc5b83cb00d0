package doctor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
)

// clean is a dataset of n images of 80x60 with a box each, and its folder.
func clean(t *testing.T, n int) (*coco.Dataset, string) {
	t.Helper()
	dir := t.TempDir()
	d := &coco.Dataset{Path: "x.json", Categories: []coco.Category{{ID: 1, Name: "red"}, {ID: 2, Name: "blue"}}}
	for i := range n {
		name := fmt.Sprintf("p%d.jpg", i)
		put(t, filepath.Join(dir, name), 80, 60)
		d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: name, Width: 80, Height: 60})
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: int64(i + 1), CategoryID: int64(1 + i%2), BBox: [4]float64{10, 12, 30, 20}, Area: 600})
	}
	return d, dir
}

func put(t *testing.T, path string, w, h int) {
	t.Helper()
	if err := picture.New(w, h).WriteJPEG(path, 90); err != nil {
		t.Fatal(err)
	}
}

// rotate gives a JPEG an EXIF orientation. (EXIF 2.3, 4.6.4 A.)
func rotate(t *testing.T, path string, orientation byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00")
	block[24] = orientation
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(block)+2))
	if err := os.WriteFile(path, slices.Concat(head, block, b[2:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// found lists findings as "severity kind".
func found(t *testing.T, d *coco.Dataset, o Options) (out []string) {
	t.Helper()
	for p, err := range examine(t.Context(), d, o) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Severity > coco.Info {
			out = append(out, fmt.Sprint(p.Severity, " ", p.Kind))
		}
		if p.Item == "" || p.Seen == "" || p.Advice == "" {
			t.Errorf("%+v lacks a part", p)
		}
	}
	return out
}

// Each fault of a dataset has its grade; nothing is said of a clean one.
func TestFindings(t *testing.T) {
	const stops, warns = "error ", "warning "
	for name, k := range map[string]struct {
		change func(d *coco.Dataset, dir string)
		want   []string
	}{
		"clean":                  {func(d *coco.Dataset, dir string) {}, nil},
		"turned to the right":    {func(d *coco.Dataset, dir string) { rotate(t, filepath.Join(dir, "p0.jpg"), 6) }, []string{stops + "sides-swapped"}},
		"turned to the left":     {func(d *coco.Dataset, dir string) { rotate(t, filepath.Join(dir, "p1.jpg"), 8) }, []string{stops + "sides-swapped"}},
		"turned and mirrored":    {func(d *coco.Dataset, dir string) { rotate(t, filepath.Join(dir, "p1.jpg"), 5) }, []string{stops + "sides-swapped"}},
		"upside down":            {func(d *coco.Dataset, dir string) { rotate(t, filepath.Join(dir, "p1.jpg"), 3) }, nil}, // sides are the same
		"swapped in the dataset": {func(d *coco.Dataset, dir string) { d.Images[2].Width, d.Images[2].Height = 60, 80 }, []string{stops + "sides-swapped"}},
		"half the size":          {func(d *coco.Dataset, dir string) { put(t, filepath.Join(dir, "p0.jpg"), 40, 30) }, []string{warns + "other-size"}},
		"a rounded third":        {func(d *coco.Dataset, dir string) { put(t, filepath.Join(dir, "p0.jpg"), 27, 20) }, []string{warns + "other-size"}},
		"another ratio":          {func(d *coco.Dataset, dir string) { put(t, filepath.Join(dir, "p0.jpg"), 80, 80) }, []string{stops + "other-shape"}},
		"no size":                {func(d *coco.Dataset, dir string) { d.Images[0].Width = 0 }, []string{stops + "no-size"}},
		"a negative size":        {func(d *coco.Dataset, dir string) { d.Images[0].Height = -60 }, []string{stops + "no-size"}},
		"no file name":           {func(d *coco.Dataset, dir string) { d.Images[0].FileName = "" }, []string{stops + "no-file-name"}},
		"a missing image":        {func(d *coco.Dataset, dir string) { os.Remove(filepath.Join(dir, "p0.jpg")) }, []string{stops + "missing-picture"}},
		"all are missing":        {func(d *coco.Dataset, dir string) { removeAll(d, dir) }, []string{stops + "no-pictures"}},
		"all but one missing": {func(d *coco.Dataset, dir string) {
			for i := range 3 {
				os.Remove(filepath.Join(dir, fmt.Sprintf("p%d.jpg", i)))
			}
		}, []string{stops + "missing-picture", stops + "missing-picture", stops + "missing-picture"}},
		"a link to nothing":  {func(d *coco.Dataset, dir string) { link(t, "gone", filepath.Join(dir, "p0.jpg")) }, []string{stops + "missing-picture"}},
		"a link to an image": {func(d *coco.Dataset, dir string) { link(t, "p1.jpg", filepath.Join(dir, "p0.jpg")) }, nil},
		"a folder":           {func(d *coco.Dataset, dir string) { d.Images[0].FileName = "." }, []string{stops + "missing-picture"}},
		"a pipe": {func(d *coco.Dataset, dir string) {
			syscall.Mkfifo(filepath.Join(dir, "q"), 0o600)
			d.Images[0].FileName = "q"
		}, []string{stops + "missing-picture"}},
		"a cut header":      {func(d *coco.Dataset, dir string) { os.Truncate(filepath.Join(dir, "p0.jpg"), 30) }, []string{warns + "broken-picture"}},
		"an empty file":     {func(d *coco.Dataset, dir string) { os.Truncate(filepath.Join(dir, "p0.jpg"), 0) }, []string{warns + "broken-picture"}},
		"a page of the web": {func(d *coco.Dataset, dir string) { os.WriteFile(filepath.Join(dir, "p0.jpg"), []byte("<html>"), 0o644) }, []string{warns + "broken-picture"}},
		"most are broken": {func(d *coco.Dataset, dir string) {
			for i := range 3 {
				os.Truncate(filepath.Join(dir, fmt.Sprintf("p%d.jpg", i)), 9)
			}
		}, []string{stops + "broken-picture", stops + "broken-picture", stops + "broken-picture"}},
		"no labels":    {func(d *coco.Dataset, dir string) { d.Annotations = nil }, []string{stops + "no-labels"}},
		"crowds alone": {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.IsCrowd = true }) }, []string{stops + "all-crowd"}},
		"one crowd":    {func(d *coco.Dataset, dir string) { d.Annotations[0].IsCrowd = true }, nil},
		"shares for pixels": {func(d *coco.Dataset, dir string) {
			each(d, func(a *coco.Annotation) { a.BBox = [4]float64{.1, .2, .5, .8}; a.Area = .4 })
		}, []string{stops + "shares"}},
		"one box below a pixel": {func(d *coco.Dataset, dir string) {
			d.Annotations[0].BBox, d.Annotations[0].Area = [4]float64{.1, .2, .5, .5}, .25
		}, nil},
		"all boxes outside":        {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.BBox[0] = 80 }) }, slices.Concat(slices.Repeat([]string{warns + "outside-box"}, 4), []string{stops + "no-objects"})},
		"all boxes without area":   {func(d *coco.Dataset, dir string) { each(d, func(a *coco.Annotation) { a.BBox[3] = 0 }) }, slices.Concat(slices.Repeat([]string{warns + "empty-box"}, 4), []string{stops + "no-objects"})},
		"a box outside":            {func(d *coco.Dataset, dir string) { d.Annotations[0].BBox[0] = 80 }, []string{warns + "outside-box"}},
		"a box without area":       {func(d *coco.Dataset, dir string) { d.Annotations[0].BBox[2] = 0 }, []string{warns + "empty-box"}},
		"a box of 1e300":           {func(d *coco.Dataset, dir string) { d.Annotations[0].BBox = [4]float64{1, 1, 1e300, 1e300} }, []string{warns + "huge-box"}},
		"annotation id 0":          {func(d *coco.Dataset, dir string) { d.Annotations[0].ID = 0 }, []string{warns + "zero-id"}},
		"an annotation's id twice": {func(d *coco.Dataset, dir string) { d.Annotations[0].ID = 2 }, []string{stops + "duplicate-annotation"}},
		"an image's id twice":      {func(d *coco.Dataset, dir string) { d.Images[3].ID = 1; d.Annotations[3].ImageID = 1 }, []string{stops + "duplicate-image"}},
		"a file twice":             {func(d *coco.Dataset, dir string) { d.Images[3].FileName = "p0.jpg" }, []string{warns + "duplicate-file"}},
		"two categories, one name": {func(d *coco.Dataset, dir string) { d.Categories[1].Name = "red" }, []string{stops + "duplicate-name"}},
		"a name of blanks":         {func(d *coco.Dataset, dir string) { d.Categories[1].Name = " \t" }, []string{stops + "blank-name"}},
		"no name":                  {func(d *coco.Dataset, dir string) { d.Categories[1].Name = "" }, []string{warns + "no-name"}},
		"the name of one without":  {func(d *coco.Dataset, dir string) { d.Categories[1].Name = ""; d.Categories[0].Name = "category 2" }, []string{warns + "no-name", stops + "duplicate-name"}},
		"a category's id twice": {func(d *coco.Dataset, dir string) {
			d.Categories = append(d.Categories, coco.Category{ID: 1, Name: "red"})
		}, []string{stops + "duplicate-category"}},
		"no categories": {func(d *coco.Dataset, dir string) {
			d.Categories = nil
			each(d, func(a *coco.Annotation) { a.CategoryID = 1 })
		}, slices.Concat([]string{stops + "no-categories"}, slices.Repeat([]string{stops + "unknown-category"}, 4))},
		"no images":                 {func(d *coco.Dataset, dir string) { d.Images, d.Annotations = nil, nil }, []string{stops + "no-images"}},
		"an item that was left out": {func(d *coco.Dataset, dir string) { d.Dropped = dropped(1) }, []string{warns + "unreadable"}},
		"most items were left out":  {func(d *coco.Dataset, dir string) { d.Dropped = dropped(9) }, []string{warns + "unreadable", stops + "left-out"}},
	} {
		d, dir := clean(t, 4)
		k.change(d, dir)
		if got := found(t, d, Options{Images: dir, Run: true, Headers: &Headers{}}); !slices.Equal(got, k.want) {
			t.Errorf("%s: %v, want %v", name, got, k.want)
		}
		r, err := Look(t.Context(), d, Options{Images: dir, Run: true, Headers: &Headers{}})
		if err != nil {
			t.Fatal(err)
		}
		stopped := slices.ContainsFunc(k.want, func(s string) bool { return strings.HasPrefix(s, stops) })
		if (r.Err(false) != nil) != stopped {
			t.Errorf("%s: %v", name, r.Err(false))
		}
		// What passes can be indexed.
		if _, err := d.Index(); r.Err(true) == nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func each(d *coco.Dataset, f func(*coco.Annotation)) {
	for i := range d.Annotations {
		f(&d.Annotations[i])
	}
}

func dropped(n int) []coco.Problem {
	return []coco.Problem{{Severity: coco.Error, Kind: coco.Unreadable, Item: "x.csv", Seen: "x.csv:3: 5 columns", Advice: "correct it", More: n - 1}}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := errors.Join(os.Remove(path), os.Symlink(to, path)); err != nil {
		t.Fatal(err)
	}
}

// Without headers and without a run, files are only looked for.
func TestFindingsOfUse(t *testing.T) {
	d, dir := clean(t, 4)
	rotate(t, filepath.Join(dir, "p0.jpg"), 6)
	os.Truncate(filepath.Join(dir, "p1.jpg"), 9)
	os.Remove(filepath.Join(dir, "p2.jpg"))
	d.Annotations = nil
	if got := found(t, d, Options{Images: dir}); !slices.Equal(got, []string{"error missing-picture"}) {
		t.Error(got)
	}
	if got := found(t, d, Options{}); len(got) > 0 {
		t.Error(got)
	}
}

// Some errors can be ignored, and are named then; others cannot.
func TestIgnore(t *testing.T) {
	d, dir := clean(t, 4)
	put(t, filepath.Join(dir, "p0.jpg"), 60, 80)
	o := Options{Images: dir, Run: true, Headers: &Headers{}}
	r, err := Look(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(false); err == nil || !strings.Contains(err.Error(), ignoreOption) || !strings.Contains(err.Error(), "x.json: sides-swapped: image 1 (p0.jpg): ") {
		t.Error(err)
	}
	var log strings.Builder
	if r.Print(&log); r.Err(true) != nil || !strings.Contains(log.String(), "p0.jpg") || !strings.Contains(log.String(), "ignored") {
		t.Errorf("%v\n%s", r.Err(true), &log)
	}
	d.Categories[1].Name = "red"
	if r, err = Look(t.Context(), d, o); err != nil {
		t.Fatal(err)
	}
	if err := r.Err(true); err == nil || strings.Contains(err.Error(), "p0.jpg") || !strings.Contains(err.Error(), "both called") || strings.Contains(err.Error(), ignoreOption) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, d, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Reports are short, whatever the number of findings.
func TestShort(t *testing.T) {
	d, dir := clean(t, 1)
	for i := range 500 {
		d.Images = append(d.Images, coco.Image{ID: int64(i + 10), FileName: fmt.Sprint(i, "\x1b[2J.jpg"), Width: 9, Height: 9})
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 10), ImageID: 1, CategoryID: 1, BBox: [4]float64{900, 1, 1, 1}, Area: 1})
	}
	r, err := Look(t.Context(), d, Options{Images: dir, Run: true, Headers: &Headers{}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	r.Print(&log)
	text := r.Err(false).Error() + log.String()
	if !strings.Contains(text, "and 480 more") || !strings.Contains(text, "(and 495 more, which") || len(text) > 20_000 || strings.Contains(text, "\x1b") {
		t.Errorf("%.3000s", text)
	}
}
