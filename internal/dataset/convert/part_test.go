package convert

import (
	"path/filepath"
	"strings"
	"testing"
)

// A verb that reads one dataset takes the part of a folder that is named, or that fits its use.
func TestOne(t *testing.T) {
	beside := []string{"train.json", "val.json", "test.json", "train/a.jpg", "val/a.jpg", "test/a.jpg"}
	below := []string{"annotations/instances_train2017.json", "annotations/captions_train2017.json", "annotations/instances_val2017.json", "train2017/a.jpg", "val2017/a.jpg"}
	for name, k := range map[string]struct {
		files      []string
		give       string // below the folder
		split      string
		use        Use
		path, part string // path and split of the Source; the first with parts is an error where path is empty
		of         string
	}{
		"a name":                 {beside, "", "test", Described, "test.json", "", ""},
		"no name":                {beside, "", "", Described, "", "[test train val]", ""},
		"another name":           {beside, "", "valid", Training, "", "[test train val]", ""},
		"to train on":            {beside, "", "", Training, "train.json", "", "test train val"},
		"to measure on":          {beside, "", "", Measuring, "val.json", "", "test train val"},
		"a file":                 {beside, "train.json", "", Measuring, "train.json", "", ""},
		"a folder of files":      {below, "", "", Training, "annotations/instances_train2017.json", "", "train2017 val2017"},
		"one part":               {[]string{"train.json", "train/a.jpg"}, "", "", Described, "train.json", "", ""},
		"one file of no part":    {[]string{"labels.json", "a.jpg"}, "", "", Described, "labels.json", "", ""},
		"an archive's folder":    {[]string{"set/train.json", "set/train/a.jpg"}, "", "", Described, "set/train.json", "", ""},
		"folders of parts":       {[]string{"train/l.json", "train/a.jpg", "valid/l.json", "valid/a.jpg"}, "", "", Measuring, "valid/l.json", "", "train valid"},
		"CSVs":                   {[]string{"train.csv", "val.csv"}, "", "val", Described, "val.csv", "", ""},
		"YOLO's folder":          {[]string{"data.yaml", "images/train/a.jpg"}, "", "", Measuring, "data.yaml", "val", "train val"},
		"YOLO's file":            {[]string{"data.yaml", "images/train/a.jpg"}, "data.yaml", "", Training, "data.yaml", "train", "train val"},
		"YOLO's file and a name": {[]string{"data.yaml", "images/train/a.jpg"}, "data.yaml", "nix", Training, "data.yaml", "nix", ""},
		"VOC, whole":             {[]string{"Annotations/a.xml", "ImageSets/Main/train.txt", "ImageSets/Main/val.txt"}, "", "", Measuring, ".", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, k.files...)
			s, of, err := Source{Path: filepath.Join(dir, k.give), Split: k.split}.One(k.use)
			if k.path == "" {
				if err == nil || !strings.Contains(err.Error(), k.part) {
					t.Errorf("%+v, %v, want an error with %s", s, err, k.part)
				}
				return
			}
			if path, _ := filepath.Rel(dir, s.Path); err != nil || path != k.path || s.Split != k.part || strings.Join(of, " ") != k.of {
				t.Errorf("%+v of %v, %v", s, of, err)
			}
		})
	}
}

// The images of a COCO file are found beside it; a folder that is given stays.
func TestWithImages(t *testing.T) {
	dir := tree(t, "train.json", "images/train/a.jpg", "lost/val.json")
	file := filepath.Join(dir, "train.json")
	if s, err := (Source{Path: file}).WithImages(); err != nil || s.Images != filepath.Join(dir, "images", "train") {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := (Source{Path: file, Images: "there"}).WithImages(); err != nil || s.Images != "there" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := (Source{Path: filepath.Join(dir, "lost", "val.json")}).WithImages(); err == nil || !strings.Contains(err.Error(), `"a.jpg"`) {
		t.Errorf("pictures that are nowhere: %v", err)
	}
}
