package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
	"retinago/train"
)

// Every format is read in place, by every reader of a dataset.
func TestInPlace(t *testing.T) {
	dir, tmp := shapes(t), t.TempDir()
	images := filepath.Join(dir, "val")
	for _, f := range []string{"voc", "yolo", "csv", "openimages"} {
		ok(t, "data", "convert", "-data", filepath.Join(dir, "val.json"), "-to", f, "-name", "val", "-out", filepath.Join(tmp, f))
	}
	for _, to := range []string{filepath.Join(tmp, "voc", "JPEGImages"), filepath.Join(tmp, "yolo", "images", "val")} {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(images, to); err != nil {
			t.Fatal(err)
		}
	}
	csv, boxes := filepath.Join(tmp, "csv"), filepath.Join(tmp, "openimages")
	sources := map[string][]string{
		"voc":        {"-data", filepath.Join(tmp, "voc"), "-split", "val"},
		"yolo":       {"-data", filepath.Join(tmp, "yolo", "data.yaml"), "-split", "val"},
		"csv":        {"-data", filepath.Join(csv, "val.csv"), "-class-list", filepath.Join(csv, "classes.csv"), "-images", images},
		"openimages": {"-data", filepath.Join(boxes, "val-annotations-bbox.csv"), "-class-list", filepath.Join(boxes, "class-descriptions-boxable.csv"), "-images", images, "-split", "val-images.csv"},
	}
	run := filepath.Join(tmp, "run")
	args := append([]string{"train", "-out", run}, tiny(tmp, "train.steps=2", "data.train.source=voc", "data.train.split=val", "data.train.images=", "data.val.source=yolo/data.yaml",
		"data.val.split=val", "data.val.images=", "model.classes=[circle, square, triangle, star]", "model.category_ids=[1, 2, 3, 4]")...)
	code, out := call(t, args...)
	if code != 1 {
		t.Errorf("classes by name and classes by list: exit code %d", code)
	}
	wants(t, out, filepath.Join(tmp, "voc"), "same order")
	wants(t, ok(t, append(args, "-set", "data.train.classes=csv/classes.csv")...), "step 2/2", "Average Precision")

	var known, numbered []coco.Detection
	for _, k := range []struct {
		at  []string
		ids *[]coco.Detection
	}{{nil, &numbered}, {sources["openimages"], &known}} {
		dets := filepath.Join(tmp, "dets.json")
		ok(t, append([]string{"detect", "-weights", filepath.Join(run, train.BestModel), "-source", filepath.Join(images, "00003.jpg"), "-json", dets, "-score", ".005"}, k.at...)...)
		var err error
		if *k.ids, err = coco.LoadResults(dets); err != nil || len(*k.ids) == 0 {
			t.Fatalf("%d detections, %v", len(*k.ids), err)
		}
	}
	if numbered[0].ImageID != 1 || known[0].ImageID != 3 {
		t.Errorf("image ids %d, want 1 without a dataset, and %d, want the dataset's 3", numbered[0].ImageID, known[0].ImageID)
	}
	for name, at := range sources {
		wants(t, ok(t, append([]string{"data", "check", "-fix", "clip", "-out", filepath.Join(tmp, name+".json")}, at...)...), "4 images", " 0 errors")
		wants(t, ok(t, "data", "stats", "-data", filepath.Join(tmp, name+".json")), "circle", "star")
	}
	at, a, b := sources["openimages"], filepath.Join(tmp, "a.json"), filepath.Join(tmp, "b.json")
	wants(t, ok(t, append([]string{"data", "stats"}, at...)...), "circle", "star")
	wants(t, ok(t, append([]string{"data", "split", "-share", ".25", "-out", a, "-rest", b}, at...)...), a+": 1 image, 1 box,", b+": 3 images, 7 boxes,")
	wants(t, ok(t, append([]string{"data", "merge", "-overwrite", "-out", a}, at...)...), "4 images")
	wants(t, ok(t, append([]string{"data", "subset", "-overwrite", "-most", "2", "-empty", "-out", a}, at...)...), "2 images")
	wants(t, ok(t, append([]string{"data", "draw", "-out", filepath.Join(tmp, "sheet.jpg")}, at...)...), "4 images")
	wants(t, ok(t, append([]string{"anchors", "fit", "-set", "data.short_sides=[64]"}, at...)...), "IoU >= .5", "sizes:")
	wants(t, ok(t, append([]string{"eval", "-weights", filepath.Join(run, train.BestModel)}, at...)...), "Average Precision", "4 images")
}

// Faulty boxes are listed one by one, and both repairs leave a dataset that trains.
func TestCheckFixes(t *testing.T) {
	tmp := t.TempDir()
	bad := write(t, filepath.Join(tmp, "bad.json"), `{"images":[{"id":1,"file_name":"00001.jpg","width":96,"height":72},{"id":2,"file_name":"00002.jpg","width":96,"height":72}],
"categories":[{"id":1,"name":"circle"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[10,10,20,20],"area":400,"iscrowd":0},
{"id":2,"image_id":1,"category_id":1,"bbox":[10,10,0,20],"area":0,"iscrowd":0},
{"id":3,"image_id":1,"category_id":1,"bbox":[80,10,40,20],"area":800,"iscrowd":0},
{"id":4,"image_id":2,"category_id":1,"bbox":[-5,-5,-3,20],"area":60,"iscrowd":0},
{"id":5,"image_id":2,"category_id":1,"bbox":[NaN,5,3,20],"area":60,"iscrowd":0},
{"id":6,"image_id":2,"category_id":7,"bbox":[5,5,3,20],"area":60,"iscrowd":0}]}`)
	code, out := call(t, "data", "check", "-data", bad)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	wants(t, out, "(id 2,", "(id 3,", "(id 4,", "(id 5,", "(id 6,")
	boxes := map[string]int{"clip": 2, "drop": 1}
	for mode, want := range boxes {
		fixed := filepath.Join(tmp, mode+".json")
		ok(t, "data", "check", "-data", bad, "-fix", mode, "-out", fixed)
		ok(t, "data", "check", "-data", fixed)
		d, err := coco.Load(fixed)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Annotations) != want || len(d.Images) != 2 {
			t.Errorf("%s: %d boxes on %d images, want %d on 2", mode, len(d.Annotations), len(d.Images), want)
		}
	}
}

// A part of a dataset whose parts are folders is repaired by its name; without it, and with a wrong one, the parts are listed.
func TestCheckPart(t *testing.T) {
	dir := t.TempDir()
	for part, right := range map[string]string{"train": "130", "valid": "40", "test": "40"} {
		if err := os.MkdirAll(filepath.Join(dir, part), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := picture.New(96, 72).WritePNG(filepath.Join(dir, part, "a.png")); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, part, "a.xml"), "<annotation><size><width>96</width><height>72</height></size><object><name>cat</name><bndbox><xmin>11</xmin><ymin>13</ymin><xmax>"+
			right+"</xmax><ymax>32</ymax></bndbox></object></annotation>")
	}
	fixed := filepath.Join(t.TempDir(), "fixed.json")
	wants(t, ok(t, "data", "check", "-data", dir, "-split", "train", "-fix", "clip", "-out", fixed), filepath.Join(dir, "train")+": 1 image, 1 box", "clipped from [10 12 120 20]", "repaired copy: "+fixed)
	d, err := coco.Load(fixed)
	if err != nil || len(d.Annotations) != 1 || d.Annotations[0].BBox != [4]float64{10, 12, 86, 20} {
		t.Errorf("%+v, %v", d, err)
	}
	wants(t, ok(t, "data", "check", "-data", dir), filepath.Join(dir, "train")+": 1 image,", filepath.Join(dir, "valid")+": 1 image,")
	for _, args := range [][]string{{"check", "-split", "trian"}, {"stats", "-split", "trian"}, {"stats"}, {"draw", "-split", "trian", "-out", filepath.Join(t.TempDir(), "s.jpg")}} {
		code, out := call(t, append([]string{"data", args[0], "-data", dir}, args[1:]...)...)
		if code != 1 {
			t.Errorf("%v: exit code %d", args, code)
		}
		wants(t, out, dir, "[test train valid]")
	}
}

// Every verb reads a folder with COCO's files and their images, as train -data does; a COCO file finds its images.
func TestFolderOfCOCO(t *testing.T) {
	dir, tmp := shapes(t), t.TempDir()
	out := func(name string) string { return filepath.Join(tmp, name) }
	for _, args := range [][]string{
		{"stats"}, {"convert", "-out", out("a.json")}, {"convert", "-to", "voc", "-out", out("voc")}, {"draw", "-out", out("a.jpg")},
		{"subset", "-out", out("b.json")}, {"merge", "-out", out("c.json")}, {"split", "-out", out("d.json"), "-rest", out("e.json")},
	} {
		args = append([]string{"data", args[0], "-data", dir}, args[1:]...)
		code, got := call(t, args...)
		if code != 1 {
			t.Errorf("%v: exit code %d", args, code)
		}
		wants(t, got, "it has the parts [train val]")
		ok(t, append(args, "-split", "val")...)
	}
	wants(t, ok(t, "data", "stats", dir, "-split", "val"), filepath.Join(dir, "val.json"))
	wants(t, ok(t, "anchors", "fit", "-data", dir, "-set", "data.short_sides=[64]"), "reading "+filepath.Join(dir, "train.json"), "IoU >= .5")
	wants(t, ok(t, "data", "draw", "-data", filepath.Join(dir, "val.json"), "-out", out("b.jpg")), "4 images")
	model := out("model.safetensors")
	seeded(t, model)
	wants(t, ok(t, "eval", model, "-data", dir, "-rename", "circle=a", "-ignore-findings"), "reading "+filepath.Join(dir, "val.json"), "4 images in")
}

// Parts of a dataset are written into one YOLO dataset one after the other. A refused call writes nothing, and -overwrite replaces a part.
func TestConvertParts(t *testing.T) {
	dir, tmp := shapes(t), t.TempDir()
	out := filepath.Join(tmp, "yolo")
	part := func(name string, more ...string) (int, string) {
		return call(t, append([]string{"data", "convert", "-data", dir, "-split", name, "-to", "yolo", "-name", name, "-out", out}, more...)...)
	}
	for _, name := range []string{"val", "train"} {
		code, got := part(name)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", name, code, got)
		}
		to := filepath.Join(out, "images", name)
		wants(t, got, "put those of "+filepath.Join(dir, name)+" into "+to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, name), to); err != nil {
			t.Fatal(err)
		}
		wants(t, ok(t, "data", "check", out), "("+name+")", " 0 errors")
	}
	before := text(t, filepath.Join(out, "data.yaml"))
	wants(t, before, "train: images/train", "val: images/val")
	code, got := part("train")
	if code != 1 {
		t.Errorf("a part that is there: exit code %d", code)
	}
	wants(t, got, `the part "train" is there already`, "-overwrite")
	code, got = part("train", "-classes", "star", "-name", "other")
	if code != 1 {
		t.Errorf("a part with other classes: exit code %d", code)
	}
	wants(t, got, "same in one order")
	if _, err := os.Stat(filepath.Join(out, "labels", "other")); err == nil || text(t, filepath.Join(out, "data.yaml")) != before {
		t.Errorf("a refused part was written: %v", err)
	}
	label := filepath.Join(out, "labels", "train", "00001.txt")
	right := text(t, label)
	write(t, label, "0 .5 .5 .1 .1\n")
	if code, got := part("train", "-overwrite"); code != 0 || text(t, label) != right {
		t.Errorf("-overwrite: exit code %d: %s", code, got)
	}
}

// Shapes fit on images of any size without flags for theirs; a size of 0 is refused.
func TestShapesOfSize(t *testing.T) {
	dir := t.TempDir()
	for _, flags := range []string{"-size 64", "-size 128", "-size 128 -max-size 12"} {
		ok(t, append([]string{"data", "shapes", "-train", "2", "-val", "1", "-overwrite", "-out", dir}, strings.Fields(flags)...)...)
		d, err := coco.Load(filepath.Join(dir, "train.json"))
		if err != nil || len(d.Annotations) == 0 {
			t.Errorf("%s: %d shapes, %v", flags, len(d.Annotations), err)
		}
	}
	for _, flag := range []string{"-min-size", "-max-size"} {
		if code, out := call(t, "data", "shapes", "-out", dir, flag, "0"); code != exitUsage || !strings.Contains(out, "must be above 0") {
			t.Errorf("%s 0: exit code %d: %s", flag, code, out)
		}
	}
}

// data check names the parts that it did not look at, and eval measures a run on another part of its dataset.
func TestOtherParts(t *testing.T) {
	dir := shapes(t)
	for _, from := range [][2]string{{"val.json", "test.json"}, {"val", "test"}} {
		if err := os.Symlink(filepath.Join(dir, from[0]), filepath.Join(dir, from[1])); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, ok(t, "data", "check", dir), "val.json: 4 images", "not checked: test (give -split test)")
	out := ok(t, "data", "check", dir, "-split", "test")
	if wants(t, out, "test.json: 4 images"); strings.Contains(out, "not checked") {
		t.Errorf("a part that is named: %s", out)
	}
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...)...)
	page := filepath.Join(t.TempDir(), "r.html")
	wants(t, ok(t, "eval", run, "-split", "test", "-report", page), "4 images in")
	wants(t, text(t, page), filepath.Join(dir, "test.json"))
	for flag, want := range map[string]string{"-split": "there are [test train val]", "-images": "-images needs -data"} {
		code, out := call(t, "eval", run, flag, "absent")
		if code == 0 {
			t.Errorf("%s absent is taken: %s", flag, out)
		}
		wants(t, out, want)
	}
}

// Where the folder of the images is another one, only that is advised: a repair would drop all images.
func TestAdviceWithoutPictures(t *testing.T) {
	val, tmp := filepath.Join(shapes(t), "val.json"), t.TempDir()
	model := filepath.Join(tmp, "model.safetensors")
	seeded(t, model)
	for _, args := range [][]string{{"data", "check", "-data", val}, {"eval", model, "-data", val, "-rename", "circle=a"}} {
		code, out := call(t, append(args, "-images", tmp)...)
		if code != 1 || strings.Contains(out, "-fix") {
			t.Errorf("%v: exit code %d: %s", args, code, out)
		}
		wants(t, out, "give the folder of the images with -images")
	}
}

// Boxes of Pascal VOC whose corners are one pixel are counted in a warning.
func TestCheckPixelBoxes(t *testing.T) {
	for right, want := range map[string]int{"11": 1, "12": 0} {
		dir := t.TempDir()
		if err := picture.New(96, 72).WritePNG(filepath.Join(dir, "a.png")); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "a.xml"), "<annotation><size><width>96</width><height>72</height></size><object><name>cat</name><bndbox><xmin>11</xmin><ymin>13</ymin><xmax>"+
			right+"</xmax><ymax>13</ymax></bndbox></object></annotation>")
		out := ok(t, "data", "check", "-data", dir)
		if n := strings.Count(out, "warning: pixel-box: the dataset: 1 px objects: xmin = xmax and ymin = ymax in 1 box"); n != want {
			t.Errorf("xmax %s: %d warnings, want %d: %s", right, n, want, out)
		}
	}
}
