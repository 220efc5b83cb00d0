package data

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/convert"
)

// A configuration takes exactly the formats that can be read, and its relative paths are below the root.
func TestSourceOfConfig(t *testing.T) {
	for _, format := range convert.Formats() {
		c := config.Default()
		c.Data.Val.Format = format
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	c := config.Default()
	c.Data.Train.Format, c.Data.Val.Difficult = "bmp", "maybe"
	err := c.Validate()
	for _, want := range append(convert.Formats(), "data.train.format", "data.val.difficult", "crowd, keep, drop") {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	d := config.Data{Root: "r", Classes: []string{"b"}, Rename: []string{"a=b"}}
	got := Source(d, config.Set{Source: "a.csv", Format: "csv", Images: "/i", Split: "s", Classes: "c", Difficult: "keep"})
	if want := (convert.Source{Path: filepath.Join("r", "a.csv"), Format: "csv", Images: "/i", Split: "s", Classes: filepath.Join("r", "c"), Difficult: convert.Keep, Select: convert.Selection{Keep: []string{"b"}, Rename: []string{"a=b"}, Absent: true}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	d.Train.Source = "a.csv"
	if Source(d, d.Train).Select.Absent {
		t.Error("the training set may lack a class that is selected")
	}
}

func TestOpenWantsImages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	d := coco.Dataset{Images: []coco.Image{{ID: 1, FileName: "a.jpg", Width: 9, Height: 9}}, Categories: []coco.Category{{ID: 1, Name: "cat"}}}
	if err := d.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(convert.Source{Path: path}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "images") {
		t.Errorf("no folder of pictures: %v", err)
	}
}
