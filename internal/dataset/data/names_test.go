package data

import (
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
)

// Categories that a model could not tell apart stop a run before its first step.
func TestNames(t *testing.T) {
	for want, names := range map[string][]string{
		`categories 1 and 3 are both called "red"`: {"red", "blue", "red"},
		`category 2 is called " "`:                 {"red", " "},
		`category 1 is called "\t"`:                {"\t"},
	} {
		d := &coco.Dataset{Path: "x.json", Images: []coco.Image{{ID: 1, FileName: "a.png", Width: 9, Height: 9}}}
		for i, n := range names {
			d.Categories = append(d.Categories, coco.Category{ID: int64(i + 1), Name: n})
		}
		if _, err := New(d, t.TempDir()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.json") {
			t.Errorf("%q: %v; want %q", names, err, want)
		}
	}
}

// An image that a dataset names by an absolute path is taken from there.
func TestAbsoluteName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "far.png")
	if err := picture.New(9, 9).WritePNG(path); err != nil {
		t.Fatal(err)
	}
	c := &coco.Dataset{Images: []coco.Image{{ID: 1, FileName: path, Width: 9, Height: 9}}, Categories: []coco.Category{{ID: 1, Name: "a"}}}
	d, err := New(c, t.TempDir())
	if err != nil || d.File(0) != path {
		t.Errorf("%v, %v", d, err)
	}
}
