package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/text"
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
	for _, s := range []string{
		"", "<annotation>", "<annotation/>", "\xff\xfe<\x00a\x00", `<?xml version="1.0" encoding="ISO-8859-1"?><annotation><filename>f.jpg</filename></annotation>`,
		`<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotation><filename>&b;</filename></annotation>`,
		`<!DOCTYPE a SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>`,
		`<annotation><filename>../../f.jpg</filename><size><width>-5</width><height>99999999999</height></size></annotation>`,
		`<annotation><filename>f&#0;.jpg</filename><size><width>5</width><height>5</height></size><object><name>&#x1b;[2J</name></object></annotation>`,
		`<annotation><filename>f.jpg</filename><size><width>5</width><height>5</height></size><object><name> x </name><difficult>1</difficult><bndbox><xmin>NaN</xmin><ymin>-1e308</ymin><xmax>Inf</xmax><ymax>1e309</ymax></bndbox></object></annotation>`,
		strings.Repeat("<annotation>", 200), `<annotation><object><object><object/></object></object><![CDATA[]]>]]></annotation>`,
	} {
		f.Add([]byte(s))
	}
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
	f.Add("a: &a [x, x]\nb: &b [*a, *a]\nnames: *b\n", "-1 .5 .5 .1 .1\n")
	f.Add("a: &a {0: x, 1: y}\nnames: *a\n", "1 0x1p-2 .5 1_0 1e-400\n")
	f.Add("a: &a {b: c}\n<<: [*a, *a]\nnames: {0: a, 0: b}\n", "0\t.5\t.5\t.1\t.1\r\n")
	f.Add("names: {-1: a}\npath: ../../..\n", "99999999999999999999 .5 .5 .1 .1\n")
	f.Add("names: [\"\\e[2J\", \"=1+1\"]\n---\nnames: [b]\n", "\x00 \xff\n")
	f.Add("names: !!binary aGk=\n", "")
	f.Add("? [a]\n: b\nnames: "+strings.Repeat("[", 100)+"\n", "")
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
	f.Add("'=p0.jpg,1,2,3,4,'=cat\np0.jpg,1,2,3,4,=cat\n", "'=cat,0\n''=cat,1\n")
	f.Add("../p0.jpg,0x1p4,+1,1_0,Inf,a\n/dev/null,1,2,3,4,a\n", "a,0\na,0\nb,-1\n,2\n")
	f.Add("p0.jpg,1,2,3,4,\"never closed\n", "a,99999999999999999999\n")
	f.Add("p0.jpg,,,,,\np0.jpg,,,,,\n\r\n\n,,,,,\n", "a,1\n")
	f.Add("p0\x00.jpg,1,2,3,4,\x1b[2J\n", "\xff\xfea,0\n")
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
	f.Add("ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf,Confidence", "p0,/m/1,-1,2,0x1p-1,Inf,-1,0\np0,/m/1,0,1,0,1,2,.5\n", "/m/1,'=Cat\n/m/1,Cat\n/m/2,'=Cat\n", "../p0\n/\n\n")
	f.Add(strings.Join(openImagesHeader, ","), "p0\np0,\"\n", "LabelName,DisplayName\n", "ImageID\n'=p0\np0\np0\n")
	f.Add("\xef\xbb\xbfImageID,LabelName,XMin,XMax,YMin,YMax", "p9,/m/1,0,1,0,1\n", "/m/1,\x1b[2J\n", "")
	f.Fuzz(func(t *testing.T, header, rows, classes, ids string) {
		s := Source{Path: put(t, filepath.Join(dir, "boxes.csv"), header+"\n"+rows), Format: "openimages", Images: images}
		fuzzed(t, s)
		put(t, filepath.Join(dir, "ids.csv"), ids)
		s.Classes, s.Split = put(t, filepath.Join(dir, "classes.csv"), classes), "ids.csv"
		fuzzed(t, s)
	})
}

// FuzzWrite writes images and classes of any name: nothing appears beside the folder, and CSV is read as it was.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"a.jpg", "../../x.png", "/x", "a/../../x.jpg", "..", ".", "", "a\x00b", "=1+1.jpg", "'=x", "a\nb.jpg", "a,\"b\".jpg", "a\r\nb", "\r\n", " a", "\tx", "-1.5", "\xff.jpg"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, class string) {
		top := t.TempDir()
		out := filepath.Join(top, "x", "y", "out")
		d := &coco.Dataset{Categories: []coco.Category{{ID: 1, Name: class}, {ID: 2, Name: "b"}}, Images: []coco.Image{{ID: 1, FileName: name, Width: 9, Height: 9}},
			Annotations: []coco.Annotation{{ID: 1, ImageID: 1, CategoryID: 1, BBox: [4]float64{1, 2, 3, 4}, Area: 12}}}
		WriteYOLO(d, filepath.Join(out, "yolo"), "train", false)
		WriteVOC(d, filepath.Join(out, "voc"), "train")
		boxes := filepath.Join(out, "csv", "a.csv")
		if _, err := WriteCSV(d, boxes, filepath.Join(out, "csv", "b.csv")); err != nil {
			t.Fatal(err)
		}
		if err := WriteOpenImages(d, filepath.Join(out, "oi", "a"), filepath.Join(out, "oi", "b"), filepath.Join(out, "oi", "c")); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{top, filepath.Join(top, "x"), filepath.Join(top, "x", "y")} {
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Fatalf("%v in %s", entries, dir)
			}
		}
		err := eachRecord(boxes, func(_ int, r []string) {
			plain := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") } // as CSV is read
			if text.FromCell(r[0]) != plain(name) || text.FromCell(r[5]) != plain(class) {
				t.Errorf("%q, %q are read as %q", name, class, r)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}
