package convert

import (
	"os"
	"path/filepath"
	"testing"

	"retinago/coco"
	"retinago/internal/file"
)

// A part that is written again has the labels of its images alone. Labels from elsewhere stay.
func TestReplacedYOLOPart(t *testing.T) {
	dir := t.TempDir()
	set := func(names ...string) *coco.Dataset {
		d := &coco.Dataset{Path: "set", Categories: []coco.Category{{ID: 1, Name: "a"}}}
		for i, n := range names {
			id := int64(i + 1)
			d.Images = append(d.Images, coco.Image{ID: id, FileName: n, Width: 10, Height: 10})
			d.Annotations = append(d.Annotations, coco.Annotation{ID: id, ImageID: id, CategoryID: 1, BBox: [4]float64{1, 1, 2, 2}, Area: 4})
		}
		return d
	}
	if _, err := WriteYOLO(set("a.jpg", "b.jpg", "sub/c.jpg"), dir, "train", false); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, "labels", "train", name) }
	if !file.Mine(at("b.txt")) {
		t.Skip("this file system keeps no marks of files")
	}
	put(t, at("others.txt"), "0 .5 .5 .1 .1\n")
	put(t, at("sub/c.txt"), "0 .5 .5 .1 .1\n") // corrected by hand
	if _, err := WriteYOLO(set("a.jpg", "d.jpg"), dir, "train", true); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a.txt": true, "b.txt": false, "sub/c.txt": true, "d.txt": true, "others.txt": true} {
		if _, err := os.Stat(at(name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := WriteYOLO(&coco.Dataset{Path: "none", Categories: []coco.Category{{ID: 1, Name: "a"}}}, dir, "test", true); err != nil {
		t.Errorf("a part without images: %v", err)
	}
}
