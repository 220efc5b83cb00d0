package convert

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"retinago/coco"
)

// By hand: shares of images of 100x80 and 64x48; a group, an unknown group, a negative row, a row of an image that is
// not in the folder, columns in another order and one that is unknown.
func TestOpenImagesByHand(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "images")
	made(t, filepath.Join(images, "train_0"))
	boxes := put(t, filepath.Join(dir, "boxes.csv"), "\xef\xbb\xbfImageID,Future,LabelName,XMin,XMax,YMin,YMax,IsGroupOf,Confidence\r\n"+
		"p0,?,/m/b,0.1,0.5,0.25,0.75,0,1\r\n"+
		"p0,?,/m/a,0,1,0,1,1,1\r\n"+
		"p1,?,/m/a,0.5,0.75,0.5,1,-1,1\r\n"+
		"p1,?,/m/a,0,0,0,0,0,0\r\n"+
		"elsewhere,?,/m/zzz,x,x,x,x,x,x\r\n")
	want := []coco.Annotation{
		{ID: 1, ImageID: 1, CategoryID: 2, BBox: [4]float64{10, 20, 40, 40}, Area: 1600},
		{ID: 2, ImageID: 1, CategoryID: 1, BBox: [4]float64{0, 0, 100, 80}, Area: 8000, IsCrowd: true},
		{ID: 3, ImageID: 2, CategoryID: 1, BBox: [4]float64{32, 24, 16, 24}, Area: 384},
	}
	for _, header := range []string{"LabelName,DisplayName\n", ""} {
		classes := put(t, filepath.Join(dir, "classes.csv"), header+"/m/a,\"Zebra, wild\"\n/m/b,Ant\n/m/c,Bee\n")
		d, folder, err := Source{Path: boxes, Classes: classes, Images: images}.Open()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d.Annotations, want) || folder != images {
			t.Errorf("%+v in %s", d.Annotations, folder)
		}
		// The order of the list, and classes without boxes too.
		if c := d.Categories; len(c) != 3 || c[0].Name != "Zebra, wild" || c[1].Name != "Ant" || c[2].Name != "Bee" || c[2].ID != 3 {
			t.Errorf("%+v", d.Categories)
		}
		if im := d.Images; len(im) != 3 || im[0].FileName != "train_0/p0.jpg" || im[0].Width != 100 || im[2].FileName != "train_0/p2.jpg" {
			t.Errorf("%+v", d.Images)
		}
	}
	// A list beside the CSV is taken. Without one, classes are called by their labels, in their order.
	if d := open(t, Source{Path: boxes, Images: images}); len(d.Categories) != 3 || d.Categories[0].Name != "Zebra, wild" {
		t.Errorf("%+v", d.Categories)
	}
	if err := os.Remove(filepath.Join(dir, "classes.csv")); err != nil {
		t.Fatal(err)
	}
	if d := open(t, Source{Path: boxes, Images: images}); d.Categories[0].Name != "/m/a" || d.Annotations[0].CategoryID != 2 {
		t.Errorf("%+v", d.Categories)
	}
	// A split lists images, in its order.
	for _, list := range []string{"p2\ntrain/p0\n", "Subset,ImageID,Rotation\ntrain,p2,0\ntrain,p0,\n"} {
		put(t, filepath.Join(dir, "list.csv"), list)
		d := open(t, Source{Path: boxes, Images: images, Split: "list.csv"})
		if len(d.Images) != 2 || d.Images[0].FileName != "train_0/p2.jpg" || len(d.Annotations) != 2 || d.Annotations[0].ImageID != 2 {
			t.Errorf("%q: %+v, %+v", list, d.Images, d.Annotations)
		}
	}
}

func TestOpenImagesErrors(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "images")
	made(t, images)
	twice := filepath.Join(dir, "twice")
	made(t, filepath.Join(twice, "a"))
	made(t, filepath.Join(twice, "b"))
	const header = "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
	boxes := put(t, filepath.Join(dir, "boxes.csv"), header+
		"p0,/m/a,1,0,1,0,1,0\np0,/m/a,1\np0,/m/a,2,0,1,0,1,0\np0,/m/a,1,0,5,0,1,0\np0,/m/a,1,0,1,nan,1,0\np0,/m/a,1,0,1,0,1,2\np0,/m/z,1,0,1,0,1,0\n")
	classes := put(t, filepath.Join(dir, "classes.csv"), "/m/a,Cat\n")
	ids := put(t, filepath.Join(dir, "ids.csv"), "p0\nabsent\np0\n")
	for name, k := range map[string]struct {
		s     Source
		wants []string
	}{
		"rows": {Source{Path: boxes, Classes: classes, Images: images}, []string{boxes + ":3: 3 columns", boxes + `:4: Confidence "2"`, boxes + `:5: XMax "5"`,
			boxes + `:6: YMin "nan"`, boxes + `:7: IsGroupOf "2"`, boxes + `:8: LabelName "/m/z"`, classes}},
		"header":          {Source{Path: put(t, filepath.Join(dir, "h.csv"), "ImageID,LabelName,XMin,XMax,YMin\n"), Images: images}, []string{"h.csv:1", "no column YMax"}},
		"empty":           {Source{Path: put(t, filepath.Join(dir, "e.csv"), ""), Format: "openimages", Images: images}, []string{"e.csv", "header"}},
		"no images":       {Source{Path: put(t, filepath.Join(dir, "a", "lone", "b.csv"), header)}, []string{filepath.Join("lone", "b.csv") + ": neither images nor a folder", "give images"}},
		"no images there": {Source{Path: boxes, Images: filepath.Join(dir, "none")}, []string{boxes, "none"}},
		"no row":          {Source{Path: put(t, filepath.Join(dir, "o.csv"), header+"x,/m/a,1,0,1,0,1,0\n"), Images: images}, []string{"o.csv", "none of its 1 rows", images}},
		"two of one":      {Source{Path: boxes, Images: twice}, []string{"a/p0.jpg", "b/p0.jpg", twice}},
		"list":            {Source{Path: boxes, Images: images, Split: "ids.csv"}, []string{ids + ":2: absent", ids + ":3: p0"}},
		"no list":         {Source{Path: boxes, Images: images, Split: "no.csv"}, []string{filepath.Join(dir, "no.csv")}},
		"names":           {Source{Path: boxes, Images: images, Classes: put(t, filepath.Join(dir, "n.csv"), "/m/a,Cat\n/m/b\n/m/c,Cat\n")}, []string{"n.csv:2", "n.csv:3", `"Cat"`}},
		"no names":        {Source{Path: boxes, Images: images, Classes: put(t, filepath.Join(dir, "m.csv"), "LabelName,DisplayName\n")}, []string{"m.csv", "no class"}},
	} {
		checkError(t, name, k.s, k.wants...)
	}
	d := made(t, filepath.Join(dir, "more"))
	d.Images[1].FileName = "sub/p0.png"
	out := filepath.Join(dir, "out")
	if err := WriteOpenImages(d, filepath.Join(out, "b"), filepath.Join(out, "c"), filepath.Join(out, "l")); err == nil || !strings.Contains(err.Error(), "sub/p0.png") {
		t.Errorf("two pictures of one id: %v", err)
	}
}

// What is written begins as OpenImages' own files do.
func TestWriteOpenImages(t *testing.T) {
	dir := t.TempDir()
	d := made(t, dir)
	boxes, classes := filepath.Join(dir, "b.csv"), filepath.Join(dir, "c.csv")
	if err := WriteOpenImages(d, boxes, classes, filepath.Join(dir, "l.csv")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		boxes: "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n" +
			"p0,retinago,/category/3,1,0.05,0.25,0.075,0.45,-1,-1,0,-1,-1\n",
		classes: "/category/3,cat\n/category/9,big dog\n",
	} {
		b, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s, %v; want\n%s", b, err, want)
		}
	}
}

// Images are found beside the CSV, in images, in a folder of the CSV's part, or in FiftyOne's data; and the header may be in another case.
func TestOpenImagesBeside(t *testing.T) {
	const row = "ImageID,LabelName,XMin,XMax,YMin,YMax\np0,/m/a,0.1,0.5,0.25,0.75\n"
	for _, k := range []struct{ csv, images, text string }{
		{"train-annotations-bbox.csv", "train", row},
		{"oidv6-train-annotations-bbox.csv", "train", row},
		{"validation-annotations-bbox.csv", "validation", row},
		{"validation-annotations-bbox.csv", "val", row},
		{"boxes.csv", "images", row},
		{"boxes.csv", ".", row},
		{"train-annotations-bbox.csv", "images/train", row},
		{"labels/detections.csv", "data", row},
		{"annotations/test-annotations-bbox.csv", "test", row},
		{"boxes.csv", "images", strings.ToLower(row)},
	} {
		dir := t.TempDir()
		images := filepath.Join(dir, k.images)
		made(t, images)
		d, folder, err := Source{Path: put(t, filepath.Join(dir, k.csv), k.text)}.Open()
		if err != nil || folder != images || len(d.Images) != 3 || len(d.Annotations) != 1 || d.Annotations[0].BBox != [4]float64{10, 20, 40, 40} {
			t.Errorf("%s with %s: %+v in %s, %v", k.csv, k.images, d, folder, err)
		}
	}
}
