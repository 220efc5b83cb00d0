package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The format is told from the path, and a choice that it does not have is refused.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "voc", "JPEGImages")
	d := made(t, images)
	json := filepath.Join(dir, "a.json")
	if err := d.Save(json); err != nil {
		t.Fatal(err)
	}
	voc := filepath.Join(dir, "voc")
	if err := WriteVOC(d, voc, "train"); err != nil {
		t.Fatal(err)
	}
	text := put(t, filepath.Join(dir, "texts", "a.txt"), "x")
	boxes := put(t, filepath.Join(dir, "boxes.csv"), "ImageID,LabelName,XMin,XMax,YMin,YMax\np0,/m/1,0,1,0,1\n")
	cvat := put(t, filepath.Join(dir, "cvat", "annotations.xml"), "<?xml version=\"1.0\"?><annotations><version>1.1</version></annotations>")
	plain := put(t, filepath.Join(images, "plain.csv"), "p0.jpg,1,2,3,4,cat\n")
	yolo := put(t, filepath.Join(dir, "data.YML"), "train: voc/JPEGImages\nnames: [a]\n")
	for _, k := range []struct {
		s      Source
		images string
		boxes  int
	}{
		{Source{Path: json}, "", 4},
		{Source{Path: json, Images: images}, images, 4},
		{Source{Path: voc}, images, 4},
		{Source{Path: voc, Split: "train", Difficult: Keep, Images: images}, images, 4},
		{Source{Path: yolo, Split: "train"}, images, 0},
		{Source{Path: plain}, images, 1},
		{Source{Path: boxes, Images: images}, images, 1},
	} {
		got, folder, err := k.s.Open()
		if err != nil || folder != k.images || len(got.Annotations) != k.boxes {
			t.Errorf("%+v: pictures in %q, %v", k.s, folder, err)
		}
	}
	for name, k := range map[string]struct {
		s     Source
		wants []string
	}{
		"no such format": {Source{Path: json, Format: "bmp"}, []string{json, `"bmp"`, "coco, voc, yolo, csv, openimages"}},
		"strange ending": {Source{Path: text}, []string{text, `".txt"`, "openimages"}},
		"CVAT's XML":     {Source{Path: cvat}, []string{cvat, "folder"}},
		"CVAT's folder":  {Source{Path: filepath.Dir(cvat)}, []string{"annotations.xml", "<annotations>", "export it as Pascal VOC"}},
		"absent":         {Source{Path: filepath.Join(dir, "absent.csv")}, []string{"absent.csv"}},
		"a folder":       {Source{Path: filepath.Dir(text)}, []string{filepath.Dir(text), "Annotations", "data.yaml"}},
		"a split":        {Source{Path: json, Split: "train"}, []string{json, "coco", "split", `"train"`}},
		"classes":        {Source{Path: yolo, Split: "train", Classes: plain}, []string{"yolo", "classes"}},
		"images":         {Source{Path: yolo, Split: "train", Images: images}, []string{"yolo", "images"}},
		"difficult":      {Source{Path: plain, Difficult: Keep}, []string{"csv", "difficult"}},
	} {
		checkError(t, name, k.s, k.wants...)
	}
}

// Classes of VOC are those of all its files, or those of a list; every split has the same.
func TestVOCClasses(t *testing.T) {
	dir := t.TempDir()
	for name, class := range map[string]string{"a": "dog", "b": "cat"} {
		put(t, filepath.Join(dir, "Annotations", name+".xml"), "<annotation><filename>"+name+".jpg</filename><size><width>9</width><height>9</height></size><object><name> "+
			class+" </name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>")
		put(t, filepath.Join(dir, "ImageSets", "Main", name+".txt"), name+"\n")
	}
	list := put(t, filepath.Join(dir, "classes.csv"), "dog,1\nbird,0\ncat,2\n")
	for _, k := range []struct {
		classes string
		want    []string
		a, b    int64 // categories of the dog and the cat
	}{{"", []string{"cat", "dog"}, 2, 1}, {list, []string{"bird", "dog", "cat"}, 2, 3}} {
		for split, id := range map[string]int64{"a": k.a, "b": k.b} {
			d := open(t, Source{Path: dir, Split: split, Classes: k.classes})
			var names []string
			for _, c := range d.Categories {
				names = append(names, c.Name)
			}
			if strings.Join(names, " ") != strings.Join(k.want, " ") || len(d.Annotations) != 1 || d.Annotations[0].CategoryID != id {
				t.Errorf("split %s with %q: %v, %+v", split, k.classes, names, d.Annotations)
			}
		}
	}
}

// A COCO file keeps what it has besides boxes only where it is asked to; folders may be links.
func TestWhole(t *testing.T) {
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "a.json"), `{"images":[{"id":1,"file_name":"a.jpg","width":9,"height":9,"license":3}],"categories":[],"annotations":[]}`)
	for _, whole := range []bool{false, true} {
		if d := open(t, Source{Path: path, Whole: whole}); (d.Images[0].Extra != nil) != whole {
			t.Errorf("whole %v: %s", whole, d.Images[0].Extra)
		}
	}
	made(t, filepath.Join(dir, "real"))
	if err := os.Symlink("real", filepath.Join(dir, "images")); err != nil {
		t.Skip(err)
	}
	yolo := put(t, filepath.Join(dir, "data.yaml"), "train: images\nnames: [a]\n")
	if d := open(t, Source{Path: yolo, Split: "train"}); len(d.Images) != 3 || d.Images[0].FileName != "p0.jpg" {
		t.Errorf("through a link: %+v", d.Images)
	}
}
