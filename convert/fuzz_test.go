package convert

import (
	"path/filepath"
	"strings"
	"testing"
)

// fuzzed reads a source: a fault is an error, and what is read can be checked and indexed.
func fuzzed(t *testing.T, s Source) {
	d, _, err := s.Open()
	if err != nil {
		return
	}
	d.Check()
	if _, err := d.Index(); err != nil && len(d.Categories) > 0 {
		t.Errorf("read without an error: %v", err)
	}
}

func FuzzVOC(f *testing.F) {
	f.Add([]byte(`<annotation><filename>f.jpg</filename><size><width>5</width><height>5</height></size><object><name>x</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "Annotations", "a.xml"), string(b))
		fuzzed(t, Source{Path: dir, Difficult: Keep})
	})
}

func FuzzYOLO(f *testing.F) {
	dir := f.TempDir()
	made(f, filepath.Join(dir, "images", "train"))
	f.Add("names: [a, b]\n", "1 .5 .25 .2 .5\n\n0 .1 .1 .1 .1\n")
	f.Add("nc: 2\nnames:\n  0: a\n  1: b\n", "0 nan 1e400 -1 2\n")
	f.Add("path: .\nnames: {}\n", "0 .5 .5 .1 .1 .2 .2 .3 .3\n")
	f.Fuzz(func(t *testing.T, names, boxes string) {
		put(t, filepath.Join(dir, "labels", "train", "p0.txt"), boxes)
		fuzzed(t, Source{Path: put(t, filepath.Join(dir, "data.yaml"), "train: images/train\n"+names), Split: "train"})
	})
}

func FuzzCSV(f *testing.F) {
	dir := f.TempDir()
	made(f, dir)
	f.Add("p0.jpg,1,2,30,40,cat\np1.jpg,,,,,\n", "cat,0\ndog,1\n")
	f.Add("\xef\xbb\xbfp0.jpg,1e400,nan,-1,4,\"big, dog\"\r\n", "\"big, dog\",0")
	f.Add("p0.jpg,1,2,3\n", "")
	f.Fuzz(func(t *testing.T, boxes, classes string) {
		s := Source{Path: put(t, filepath.Join(dir, "boxes.csv"), boxes), Format: "csv"}
		fuzzed(t, s)
		s.Classes = put(t, filepath.Join(dir, "classes.csv"), classes)
		fuzzed(t, s)
	})
}

func FuzzOpenImages(f *testing.F) {
	dir := f.TempDir()
	images := filepath.Join(dir, "images")
	made(f, images)
	f.Add(strings.Join(openImagesHeader, ","), "p0,xclick,/m/1,1,.1,.5,.2,.4,0,0,1,0,0\n", "/m/1,Cat\n", "p0\n")
	f.Add("XMin,XMax,YMin,YMax,LabelName,ImageID", "0,1,nan,1,/m/1,p1\n", "LabelName,DisplayName\n/m/1,\"Cat, big\"\n", "Subset,ImageID\ntrain,p1\n")
	f.Add("ImageID,ImageID,LabelName,XMin,XMax,YMin,YMax", "p0\n", "", "train/p2\n")
	f.Fuzz(func(t *testing.T, header, rows, classes, ids string) {
		s := Source{Path: put(t, filepath.Join(dir, "boxes.csv"), header+"\n"+rows), Format: "openimages", Images: images}
		fuzzed(t, s)
		put(t, filepath.Join(dir, "ids.csv"), ids)
		s.Classes, s.Split = put(t, filepath.Join(dir, "classes.csv"), classes), "ids.csv"
		fuzzed(t, s)
	})
}
