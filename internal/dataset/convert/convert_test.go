package convert

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
)

// made is a dataset of images on disk, one of them without objects, one with a crowd region.
func made(t testing.TB, images string) *coco.Dataset {
	t.Helper()
	d := &coco.Dataset{Path: "made.json", Categories: []coco.Category{{ID: 3, Name: "cat"}, {ID: 9, Name: "big dog"}}}
	for i, size := range [][2]int{{100, 80}, {64, 48}, {50, 90}} {
		name := fmt.Sprintf("p%d.jpg", i)
		if err := os.MkdirAll(images, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := picture.New(size[0], size[1]).WriteJPEG(filepath.Join(images, name), 80); err != nil {
			t.Fatal(err)
		}
		d.Images = append(d.Images, coco.Image{ID: int64(10 + i), FileName: name, Width: size[0], Height: size[1]})
	}
	for i, a := range []struct {
		image, category int64
		box             [4]float64
		crowd           bool
	}{{10, 3, [4]float64{5, 6, 20, 30}, false}, {10, 9, [4]float64{0, 0, 100, 80}, false}, {12, 9, [4]float64{10, 20, 11, 7}, false}, {12, 3, [4]float64{1, 1, 40, 40}, true}} {
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: a.image, CategoryID: a.category, BBox: a.box, Area: a.box[2] * a.box[3], IsCrowd: a.crowd})
	}
	return d
}

// open reads a source that has no fault.
func open(t *testing.T, s Source) *coco.Dataset {
	t.Helper()
	d, _, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// flat lists what a dataset says, without ids: image, class, box, crowd.
func flat(d *coco.Dataset) []string {
	var out []string
	for _, im := range d.Images {
		n := 0
		for _, a := range d.Annotations {
			if a.ImageID != im.ID {
				continue
			}
			n++
			name := ""
			for _, c := range d.Categories {
				if c.ID == a.CategoryID {
					name = c.Name
				}
			}
			var box [4]float64
			for i, v := range a.BBox {
				box[i] = math.Round(v*1e4)/1e4 + 0
			}
			out = append(out, fmt.Sprint(im.FileName, im.Width, im.Height, name, box, a.IsCrowd))
		}
		if n == 0 {
			out = append(out, fmt.Sprint(im.FileName, im.Width, im.Height))
		}
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, what string, got, want *coco.Dataset) {
	t.Helper()
	if g, w := flat(got), flat(want); !slices.Equal(g, w) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
	if faults, _, _ := coco.CountProblems(got.Check()); faults > 0 {
		t.Errorf("%s: %v", what, got.Check())
	}
}

// withoutCrowds is what formats keep that do not know crowds.
func withoutCrowds(d *coco.Dataset) *coco.Dataset {
	out := *d
	out.Annotations = slices.DeleteFunc(slices.Clone(d.Annotations), func(a coco.Annotation) bool { return a.IsCrowd })
	return &out
}

func TestRoundTrips(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "yolo", "images", "train")
	d := made(t, images)

	voc := filepath.Join(dir, "voc")
	made(t, filepath.Join(voc, "JPEGImages"))
	if err := WriteVOC(d, voc, "train"); err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"", "train"} {
		same(t, "VOC", open(t, Source{Path: voc, Split: split}), d)
	}
	if got := open(t, Source{Path: voc, Difficult: Drop}); len(got.Annotations) != 3 {
		t.Errorf("VOC without difficult objects: %d", len(got.Annotations))
	}
	if err := WriteVOC(d, voc, "train"); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("VOC over another: %v", err)
	}

	crowds, err := WriteYOLO(d, filepath.Join(dir, "yolo"), "train", false)
	if err != nil || crowds != 1 {
		t.Fatalf("%d crowds, %v", crowds, err)
	}
	got, folder, err := Source{Path: filepath.Join(dir, "yolo", "data.yaml"), Split: "train"}.Open()
	if err != nil || folder != images {
		t.Fatalf("%s, %v", folder, err)
	}
	same(t, "YOLO", got, withoutCrowds(d))

	list, classes := filepath.Join(dir, "a.csv"), filepath.Join(dir, "c.csv")
	if crowds, err = WriteCSV(d, list, classes); err != nil || crowds != 1 {
		t.Fatalf("%d crowds, %v", crowds, err)
	}
	for _, c := range []string{classes, ""} {
		same(t, "CSV", open(t, Source{Path: list, Classes: c, Images: images}), withoutCrowds(d))
	}
	// Without a folder of images it is the CSV's own.
	beside := put(t, filepath.Join(images, "b.csv"), "p1.jpg,,,,,\np0.jpg,5,6,25,36,cat\n")
	if got, folder, err := (Source{Path: beside}).Open(); err != nil || folder != images || got.Images[0].Width != 64 || got.Annotations[0].BBox != [4]float64{5, 6, 20, 30} {
		t.Errorf("%s, %v, %v", folder, got, err)
	}

	boxes, labels, ids := filepath.Join(dir, "oi", "boxes.csv"), filepath.Join(dir, "oi", "labels.csv"), filepath.Join(dir, "oi", "ids.csv")
	if err := WriteOpenImages(d, boxes, labels, ids); err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"", "ids.csv"} {
		same(t, "OpenImages", open(t, Source{Path: boxes, Classes: labels, Images: images, Split: split}), d)
	}
}

func put(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// By hand: VOC counts pixels from 1 and its last pixel is inside; the file's own name of the image is wrong.
func TestVOCByHand(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "Annotations", "a.xml"), `<annotation><filename>other</filename><size><width>0</width></size>
<object><name>x</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>3</ymin><xmax>10</xmax><ymax>4</ymax></bndbox></object></annotation>`)
	if err := os.MkdirAll(filepath.Join(dir, "JPEGImages"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := picture.New(30, 20).WritePNG(filepath.Join(dir, "JPEGImages", "a.png")); err != nil {
		t.Fatal(err)
	}
	d := open(t, Source{Path: dir})
	if a := d.Annotations[0]; a.BBox != [4]float64{0, 2, 10, 2} || !a.IsCrowd || d.Images[0].Width != 30 || d.Images[0].FileName != "a.png" {
		t.Errorf("%+v of %+v", a, d.Images[0])
	}
}

// By hand: centre and size as shares; names by number.
func TestYOLOByHand(t *testing.T) {
	dir := t.TempDir()
	made(t, filepath.Join(dir, "data", "images", "val", "sub"))
	file := put(t, filepath.Join(dir, "data.yaml"), "path: data\nval: images/val\nnames:\n  1: dog\n  0: cat\n")
	put(t, filepath.Join(dir, "data", "labels", "val", "sub", "p0.txt"), "1 0.5 0.25 0.2 0.5\n\n")
	d := open(t, Source{Path: file, Split: "val"})
	if a := d.Annotations[0]; a.BBox != [4]float64{40, 0, 20, 40} || a.CategoryID != 2 || d.Categories[1].Name != "dog" || len(d.Images) != 3 || d.Images[0].FileName != "sub/p0.jpg" {
		t.Errorf("%+v, %+v", a, d.Images)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "images", "x")
	made(t, images)
	bad := put(t, filepath.Join(dir, "v", "Annotations", "a.xml"), "<annotation><object>")
	nan := put(t, filepath.Join(dir, "n", "Annotations", "a.xml"), "<annotation><filename>f</filename><size><width>5</width><height>5</height></size><object><name>x</name><bndbox><xmin>NaN</xmin></bndbox></object></annotation>")
	other := put(t, filepath.Join(dir, "o", "Annotations", "a.xml"), "<html></html>")
	yaml := put(t, filepath.Join(dir, "data.yaml"), "x: images/x\nnames: [a]\n")
	put(t, filepath.Join(dir, "labels", "x", "p0.txt"), "0 .5 .5 .1\n7 .5 .5 .1 .1\n0 nan .5 .1 .1\n0 5 .5 .1 .1\n")
	lines := put(t, filepath.Join(dir, "a.csv"), "p0.jpg,1,2,x,4,cat\nabsent.jpg,,,,,\np1.jpg,1,2\np1.jpg,1,2,3,4,dog\n")
	classes := put(t, filepath.Join(dir, "c.csv"), "cat,0\n")
	gap := put(t, filepath.Join(dir, "g.csv"), "cat,0\ndog,2\n")
	lack := put(t, filepath.Join(dir, "l.csv"), "cat,0\n")
	voc := put(t, filepath.Join(dir, "c", "Annotations", "a.xml"), "<annotation><filename>f</filename><size><width>5</width><height>5</height></size><object><name>dog</name></object></annotation>")
	for name, k := range map[string]struct {
		s     Source
		wants []string
	}{
		"no folder":   {Source{Path: filepath.Join(dir, "absent"), Format: "voc"}, []string{"absent", "Annotations"}},
		"no split":    {Source{Path: filepath.Join(dir, "v"), Split: "train"}, []string{"train.txt"}},
		"cut XML":     {Source{Path: filepath.Join(dir, "v")}, []string{bad}},
		"NaN":         {Source{Path: filepath.Join(dir, "n")}, []string{nan, "object 1 (x)"}},
		"other XML":   {Source{Path: filepath.Join(dir, "o")}, []string{other}},
		"difficult":   {Source{Path: filepath.Join(dir, "v"), Difficult: "maybe"}, []string{"maybe", "crowd"}},
		"VOC classes": {Source{Path: filepath.Join(dir, "c"), Classes: lack}, []string{voc, "object 1", `"dog"`, lack}},
		"YOLO":        {Source{Path: yaml, Split: "x"}, []string{"p0.txt:1", "4 values", "p0.txt:2", `class "7"`, "p0.txt:3", `"nan"`, "p0.txt:4", `"5"`}},
		"YOLO split":  {Source{Path: yaml, Split: "train"}, []string{yaml, `"train"`, "[x]"}},
		"YOLO twice":  {Source{Path: put(t, filepath.Join(dir, "t.yaml"), "x: images/x\nnames: [a, b, a]\n"), Split: "x"}, []string{"t.yaml", "classes 0 and 2", `"a"`}},
		"CSV":         {Source{Path: lines, Classes: classes, Images: images}, []string{lines + ":1", `"x"`, lines + ":2", "absent.jpg", lines + ":3", "3 columns", lines + ":4", `"dog"`}},
		"CSV classes": {Source{Path: lines, Classes: gap, Images: images}, []string{gap, "number 1"}},
		"no class":    {Source{Path: put(t, filepath.Join(images, "k.csv"), "p0.jpg,1,2,3,4,\n")}, []string{"k.csv:1", "no name"}},
		"empty list":  {Source{Path: lines, Classes: put(t, filepath.Join(dir, "e.txt"), ""), Images: images}, []string{"e.txt", "empty"}},
		"empty CSV":   {Source{Path: put(t, filepath.Join(dir, "e.csv"), ""), Images: images}, []string{"e.csv", "empty"}},
		"names":       {Source{Path: put(t, filepath.Join(dir, "n.yaml"), "x: images/x\nnames: {0: a, 2: b}\n"), Split: "x"}, []string{"n.yaml", "class 1"}},
	} {
		checkError(t, name, k.s, k.wants...)
	}
}

// checkError wants an error, or items that are left out, with some texts.
func checkError(t *testing.T, name string, s Source, wants ...string) {
	t.Helper()
	text := ""
	if d, _, err := s.Open(); err != nil {
		text = err.Error()
	} else {
		for _, p := range d.Dropped {
			text += p.String() + "\n"
		}
	}
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%s: %q; want %q", name, text, w)
		}
	}
}

// The blood cells: real VOC XML with splits.
func TestBloodCells(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "bccd")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real VOC dataset of %s is not here", dir)
	}
	d := open(t, Source{Path: dir})
	count := map[string]int{}
	for _, a := range d.Annotations {
		count[d.Categories[a.CategoryID-1].Name]++
	}
	if len(d.Images) != 364 || count["RBC"] != 4155 || count["WBC"] != 372 || count["Platelets"] != 361 {
		t.Errorf("%d pictures, %v", len(d.Images), count)
	}
	total := 0
	for _, split := range []string{"train", "val", "test"} {
		s := open(t, Source{Path: dir, Split: split})
		if !reflect.DeepEqual(s.Categories, d.Categories) {
			t.Errorf("%s has the categories %v", split, s.Categories)
		}
		total += len(s.Images)
	}
	if total != 364 {
		t.Errorf("%d pictures in the splits", total)
	}
}

func TestSplit(t *testing.T) {
	d := &coco.Dataset{Categories: []coco.Category{{ID: 1, Name: "common"}, {ID: 2, Name: "rare"}}}
	for i := range 100 {
		d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: fmt.Sprint(i), Width: 9, Height: 9})
		class := int64(1)
		if i%10 == 0 {
			class = 2
		}
		if i%4 != 3 {
			d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: int64(i + 1), CategoryID: class, BBox: [4]float64{1, 1, 2, 2}, Area: 4})
		}
	}
	part, rest, err := Split(d, .2, 1)
	if err != nil {
		t.Fatal(err)
	}
	rare := 0
	for _, a := range part.Annotations {
		if a.CategoryID == 2 {
			rare++
		}
	}
	if len(part.Images) != 20 || len(rest.Images) != 80 || rare != 2 {
		t.Errorf("%d and %d images, %d rare objects", len(part.Images), len(rest.Images), rare)
	}
	joined, err := Merge(part, rest)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "merged", joined, d)
	again, _, err := Split(d, .2, 1)
	if err != nil || !slices.Equal(flat(again), flat(part)) {
		t.Error("the same seed splits otherwise")
	}
	if _, err := Merge(part, part); err == nil || !strings.Contains(err.Error(), "too") {
		t.Errorf("twice the same: %v", err)
	}
	for _, share := range []float64{0, 1, math.NaN()} {
		if _, _, err := Split(d, share, 1); err == nil {
			t.Errorf("a share of %g", share)
		}
	}
}

func TestSubset(t *testing.T) {
	d := made(t, t.TempDir())
	s, err := Subset(d, []string{"big dog"}, 0, false)
	if err != nil || len(s.Images) != 2 || len(s.Annotations) != 2 || len(s.Categories) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = Subset(d, nil, 2, true); err != nil || len(s.Images) != 2 || len(s.Annotations) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err = Subset(d, []string{"horse"}, 0, false); err == nil || !strings.Contains(err.Error(), "horse") {
		t.Errorf("an unknown class: %v", err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "convert")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	d := &coco.Dataset{Images: []coco.Image{{ID: 1, FileName: "a.jpg", Width: 100, Height: 50}}, Categories: []coco.Category{{ID: 7, Name: "cat"}},
		Annotations: []coco.Annotation{{ID: 1, ImageID: 1, CategoryID: 7, BBox: [4]float64{10, 10, 20, 30}, Area: 600}}}
	if _, err := WriteYOLO(d, dir, "train", false); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "labels", "train", "a.txt"))
	if err != nil {
		panic(err)
	}
	fmt.Print(string(b))
	// Output: 0 0.2 0.5 0.2 0.6
}
