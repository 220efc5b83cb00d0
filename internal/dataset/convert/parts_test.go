package convert

import (
	"path/filepath"
	"strings"
	"testing"
)

// A split names a folder of a dataset whose parts are folders, whatever their format.
func TestParts(t *testing.T) {
	const xml = "=<annotation><filename>a.png</filename>" + vocBody
	const csv = "=filename,xmin,ymin,xmax,ymax,class\na.png,10,12,40,32,cat\n"
	const json = `={"images":[{"id":1,"file_name":"a.png","width":100,"height":50}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[10,12,30,20],"area":600,"iscrowd":0}],"categories":[{"id":1,"name":"cat"}]}`
	for name, files := range map[string][]string{
		"Roboflow's VOC":       {"train/a.xml" + xml, "train/a.png", "valid/b.xml" + xml, "valid/b.png", "test/c.xml" + xml, "test/c.png"},
		"VOC with folders":     {"train/Annotations/a.xml" + xml, "train/JPEGImages/a.png", "valid/annotations/b.xml" + xml, "valid/images/b.png", "test/c.xml" + xml, "test/c.png"},
		"Roboflow's COCO":      {"train/_annotations.coco.json" + json, "train/a.png", "valid/_annotations.coco.json" + json, "valid/a.png", "test/_annotations.coco.json" + json, "test/a.png"},
		"FiftyOne's COCO":      {"train/labels.json" + json, "train/data/a.png", "valid/labels.json" + json, "valid/data/a.png", "test/labels.json" + json, "test/data/a.png"},
		"Roboflow's CSV":       {"train/_annotations.csv" + csv, "train/a.png", "valid/_annotations.csv" + csv, "valid/a.png", "test/_annotations.csv" + csv, "test/a.png"},
		"Roboflow's YOLO":      {"data.yaml=train: ../train/images\nvalid: ../valid/images\ntest: ../test/images\nnames: [cat, dog]\n", "train/images/a.png", "train/labels/a.txt", "valid/images/b.png", "valid/labels/b.txt", "test/images/c.png", "test/labels/c.txt"},
		"YOLO without a file":  {"train/images/a.png", "train/labels/a.txt", "valid/images/b.png", "valid/labels/b.txt", "test/images/c.png", "test/labels/c.txt", "classes.txt=cat\ndog\n"},
		"YOLO's other folders": {"images/train/a.png", "labels/train/a.txt", "images/valid/b.png", "labels/valid/b.txt", "images/test/c.png", "labels/test/c.txt", "classes.txt=cat\ndog\n"},
	} {
		dir := lay(t, files...)
		for _, split := range []string{"train", "valid", "test"} {
			s, val, err := Discover(Source{Path: dir, Split: split})
			if err != nil || val.Path == s.Path && val.Split == s.Split {
				t.Errorf("%s, %s: %+v, %+v, %v", name, split, s, val, err)
				continue
			}
			for _, s := range []Source{s, {Path: dir, Split: split}} {
				d, images, err := s.Open()
				if err != nil || len(d.Images) != 1 || len(d.Annotations) != 1 || len(d.Dropped) > 0 || !strings.Contains(filepath.Join(images, d.Images[0].FileName), split) {
					t.Errorf("%s, %+v: %+v in %s, %v", name, s, d, images, err)
				}
			}
		}
		for _, split := range []string{"trian", ""} {
			want := []string{dir, "[test train valid]"}
			if split != "" {
				want = append(want, `"trian"`)
			}
			checkError(t, name, Source{Path: dir, Split: split}, want...)
		}
	}
	voc := lay(t, "Annotations/a.xml"+xml, "JPEGImages/a.png", "ImageSets/Main/trainval.txt=a\n", "ImageSets/Main/test.txt=a\n")
	checkError(t, "VOC", Source{Path: voc, Split: "train"}, "train.txt", "there are [test trainval]")
	checkError(t, "VOC without lists", Source{Path: lay(t, "Annotations/a.xml"+xml, "JPEGImages/a.png"), Split: "train"}, "train.txt", "there is none")
}

// A list of classes beside a CSV is found, and is not taken for a dataset.
func TestClassesBeside(t *testing.T) {
	const rows, boxes = "=a.png,10,12,40,32,dog\n", "=ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/d,.1,.4,.24,.64\n"
	for name, k := range map[string]struct {
		files []string
		give  string
		want  string // the list
	}{
		"Roboflow's retinanet": {[]string{"train/a.png", "train/_annotations.csv" + rows, "train/_classes.csv=cat,0\ndog,1\n"}, "", "train/_classes.csv"},
		"keras-retinanet":      {[]string{"a.png", "annotations.csv" + rows, "classes.csv=cat,0\ndog,1\n"}, "", "classes.csv"},
		"the file":             {[]string{"a.png", "annotations.csv" + rows, "classes.csv=cat,0\ndog,1\n"}, "annotations.csv", "classes.csv"},
		"OpenImages":           {[]string{"train/a.png", "train-annotations-bbox.csv" + boxes, "class-descriptions-boxable.csv=/m/c,cat\n/m/d,dog\n"}, "", "class-descriptions-boxable.csv"},
		"another table":        {[]string{"a.png", "annotations.csv" + rows, "classification.csv=a,b,c\n"}, "annotations.csv", ""},
	} {
		dir := lay(t, k.files...)
		s, _, err := Discover(Source{Path: filepath.Join(dir, k.give)})
		if err != nil || s.Classes != "" && s.Classes != filepath.Join(dir, k.want) || (s.Classes == "") != (k.want == "") {
			t.Errorf("%s: %+v, %v", name, s, err)
			continue
		}
		if d := open(t, s); len(d.Annotations) != 1 || k.want != "" && (len(d.Categories) != 2 || d.Annotations[0].CategoryID != 2 || d.Categories[1].Name != "dog") {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
