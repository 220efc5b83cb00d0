package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
	"retinago/train"
)

// plain writes a dataset of four images of 96x72 with a box each, and returns its file and the folder of its images.
func plain(t *testing.T, change func(d *coco.Dataset)) (file, images string) {
	t.Helper()
	dir := t.TempDir()
	images = filepath.Join(dir, "img")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &coco.Dataset{Categories: []coco.Category{{ID: 1, Name: "circle"}, {ID: 2, Name: "square"}}}
	for i, name := range []string{"a.png", "b.png", "c.png", "d.png"} {
		if err := picture.New(96, 72).WritePNG(filepath.Join(images, name)); err != nil {
			t.Fatal(err)
		}
		d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: name, Width: 96, Height: 72})
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: int64(i + 1), CategoryID: int64(i%2 + 1), BBox: [4]float64{8, 8, 40, 32}, Area: 1280})
	}
	if change != nil {
		change(d)
	}
	file = filepath.Join(dir, "d.json")
	if err := d.Save(file); err != nil {
		t.Fatal(err)
	}
	return file, images
}

// onto are the settings that train on a dataset.
func onto(file, images string, more ...string) []string {
	return tiny(".", append([]string{"data.root=", "data.train.source=" + file, "data.train.images=" + images, "data.val.source=" + file, "data.val.images=" + images,
		"train.steps=1", "train.warmup_steps=0", "train.threads=1"}, more...)...)
}

// What data check calls an error stops train and eval with the same words; the other findings let them go on. -ignore-findings goes on where
// that is possible.
func TestFindingsOfVerbs(t *testing.T) {
	file, images := plain(t, nil)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, onto(file, images)...)...)
	weights := filepath.Join(run, train.LastModel)
	for name, k := range map[string]struct {
		change  func(d *coco.Dataset)
		images  func(dir string)
		says    string
		stops   bool
		ignores bool
	}{
		"sides swapped":    {func(d *coco.Dataset) { d.Images[1].Width, d.Images[1].Height = 72, 96 }, nil, "sides-swapped: image 2 (b.png): the image is 96x72 pixels upright", true, true},
		"no labels":        {func(d *coco.Dataset) { d.Annotations = nil }, nil, "no-labels: the dataset: no labels were found", true, true},
		"crowds":           {func(d *coco.Dataset) { crowds(d) }, nil, "all-crowd: the dataset: all of its 4 boxes are crowds", true, true},
		"one name":         {func(d *coco.Dataset) { d.Categories[1].Name = "circle" }, nil, `both called "circle"`, true, false},
		"a missing one":    {nil, func(dir string) { os.Remove(filepath.Join(dir, "c.png")) }, "missing-picture: image 3 (c.png): no file", true, true},
		"a broken one":     {nil, func(dir string) { os.Truncate(filepath.Join(dir, "c.png"), 20) }, "broken-picture: image 3 (c.png): ", false, true},
		"annotation id 0":  {func(d *coco.Dataset) { d.Annotations[0].ID = 0 }, nil, "its id is 0", false, true},
		"a box outside":    {func(d *coco.Dataset) { d.Annotations[0].BBox[0] = 96 }, nil, "outside-box: annotations[0]", false, true},
		"a smaller one":    {nil, func(dir string) { shrink(t, filepath.Join(dir, "a.png")) }, "other-size: image 1 (a.png)", false, true},
		"an unknown image": {func(d *coco.Dataset) { d.Annotations[0].ImageID = 9 }, nil, "image_id 9 is not among the images", true, false},
	} {
		file, images := plain(t, k.change)
		if k.images != nil {
			k.images(images)
		}
		verbs := map[string][]string{
			"data check": {"data", "check", "-data", file, "-images", images},
			"train":      append([]string{"train", "-out", filepath.Join(t.TempDir(), "run")}, onto(file, images)...),
			"eval":       {"eval", "-weights", weights, "-data", file, "-images", images, "-threads", "1"},
		}
		for verb, args := range verbs {
			code, out := call(t, args...)
			if (code == 1) != k.stops || !strings.Contains(out, k.says) || strings.Contains(out, "done: ") && k.stops {
				t.Errorf("%s of %s: exit code %d; want %q in\n%s", verb, name, code, k.says, out)
			}
			if verb == "data check" || !k.stops {
				continue
			}
			if verb == "train" { // the folder was not made a run
				args = append(args, "-out", filepath.Join(t.TempDir(), "run"))
			}
			code, out = call(t, append(args, "-ignore-findings")...)
			if (code != 1) != k.ignores || !strings.Contains(out, k.says) {
				t.Errorf("%s of %s, ignored: exit code %d\n%s", verb, name, code, out)
			}
		}
	}
	// Headers can be left out.
	file, images = plain(t, func(d *coco.Dataset) { d.Images[1].Width, d.Images[1].Height = 72, 96 })
	ok(t, append([]string{"train", "-skip-headers", "-out", filepath.Join(t.TempDir(), "run")}, onto(file, images)...)...)
	ok(t, "eval", "-skip-headers", "-weights", weights, "-data", file, "-images", images)
	ok(t, "data", "check", "-skip-headers", "-data", file, "-images", images)
}

func crowds(d *coco.Dataset) {
	for i := range d.Annotations {
		d.Annotations[i].IsCrowd = true
	}
}

func shrink(t *testing.T, path string) {
	t.Helper()
	if err := picture.New(48, 36).WritePNG(path); err != nil {
		t.Fatal(err)
	}
}

// A repair writes no copy without images, nothing over the dataset, and says where the images of any format are.
func TestFixKeeps(t *testing.T) {
	file, images := plain(t, nil)
	out := filepath.Join(t.TempDir(), "fixed.json")
	code, told := call(t, "data", "check", "-data", file, "-images", filepath.Dir(file), "-fix", "clip", "-out", out)
	if code != 1 || !strings.Contains(told, "nothing would be left") || !strings.Contains(told, "no copy was written") {
		t.Errorf("the wrong folder: exit code %d\n%s", code, told)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("an empty copy was written")
	}
	before := text(t, file)
	link := filepath.Join(t.TempDir(), "link.json")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if code, told = call(t, "data", "check", "-data", file, "-fix", "clip", "-out", path); code != exitUsage || text(t, file) != before {
			t.Errorf("-out is -data: exit code %d\n%s", code, told)
		}
	}
	tmp := t.TempDir()
	for _, to := range []string{"voc", "yolo", "csv", "openimages"} {
		ok(t, "data", "convert", "-data", file, "-to", to, "-out", filepath.Join(tmp, to))
	}
	for at, below := range map[string][]string{"voc": {"JPEGImages"}, "yolo": {"images", "train"}, "csv": {"img"}, "openimages": {"img"}} {
		dir := filepath.Join(append([]string{tmp, at}, below...)...)
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(dir, os.DirFS(images)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(dir, "b.png"), 70); err != nil { // has a header
			t.Fatal(err)
		}
		source := map[string][]string{
			"voc":        {"-data", filepath.Join(tmp, at)},
			"yolo":       {"-data", filepath.Join(tmp, at, "data.yaml"), "-split", "train"},
			"csv":        {"-data", filepath.Join(tmp, at, "train.csv"), "-images", dir},
			"openimages": {"-data", filepath.Join(tmp, at, "train-annotations-bbox.csv"), "-class-list", filepath.Join(tmp, at, "class-descriptions-boxable.csv"), "-images", dir},
		}[at]
		fixed := filepath.Join(tmp, at+".json")
		told := ok(t, append([]string{"data", "check", "-fix", "clip", "-out", fixed}, source...)...)
		wants(t, told, "image 2 (b.png): broken-picture: dropped with its boxes", "images 4 -> 3, annotations 4 -> 3", "repaired copy: "+fixed, "images: "+dir)
		wants(t, ok(t, "data", "check", "-data", fixed, "-images", dir), "3 images, 3 boxes: 0 errors, 0 warnings")
	}
}

// A model is measured on a dataset with fewer classes, with more, in another order and with other ids.
func TestEvalByName(t *testing.T) {
	file, images := plain(t, nil)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, onto(file, images)...)...)
	weights := filepath.Join(run, train.LastModel)
	for name, k := range map[string]struct {
		categories []coco.Category
		ids        [2]int64 // of circle and square, 0 for none
		says       []string
	}{
		"other ids":     {[]coco.Category{{ID: 70, Name: "circle"}, {ID: 90, Name: "square"}}, [2]int64{70, 90}, []string{"Average Precision"}},
		"another order": {[]coco.Category{{ID: 1, Name: "square"}, {ID: 2, Name: "circle"}}, [2]int64{2, 1}, []string{"Average Precision"}},
		"fewer":         {[]coco.Category{{ID: 3, Name: "square"}}, [2]int64{0, 3}, []string{"classes: 1 are measured", "not looked for, since the dataset does not have them: circle"}},
		"more":          {[]coco.Category{{ID: 1, Name: "circle"}, {ID: 2, Name: "hexagon"}, {ID: 3, Name: "square"}}, [2]int64{1, 3}, []string{"2 are measured", "not measured, since the model does not know them: hexagon"}},
	} {
		other, images := plain(t, func(d *coco.Dataset) {
			all := d.Annotations
			d.Categories, d.Annotations = k.categories, nil
			for _, a := range all {
				if a.CategoryID = k.ids[a.CategoryID-1]; a.CategoryID != 0 {
					d.Annotations = append(d.Annotations, a)
				}
			}
		})
		results := filepath.Join(t.TempDir(), "r.json")
		told := ok(t, "eval", "-weights", weights, "-data", other, "-images", images, "-results", results, "-classes")
		wants(t, told, k.says...)
		found, err := coco.LoadResults(results)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if !slices.Contains(k.ids[:], x.CategoryID) {
				t.Errorf("%s: a detection of category %d", name, x.CategoryID)
			}
		}
		if strings.Contains(told, "{") {
			t.Errorf("%s: %s", name, told)
		}
	}
	renamed, images := plain(t, func(d *coco.Dataset) { d.Categories[0].Name = "ring" })
	args := []string{"eval", "-weights", weights, "-data", renamed, "-images", images}
	if code, told := call(t, args...); code != 1 || !strings.Contains(told, "knows circle, and "+renamed+" has ring instead") {
		t.Errorf("a class renamed: exit code %d\n%s", code, told)
	}
	wants(t, ok(t, append(args, "-ignore-findings")...), "1 are measured, which model and dataset both have: square", "Average Precision")
	other, images := plain(t, func(d *coco.Dataset) { d.Categories[0].Name, d.Categories[1].Name = "cat", "dog" })
	code, told := call(t, "eval", "-weights", weights, "-data", other, "-images", images)
	if wants(t, told, "circle, square", "cat, dog"); code != 1 || strings.Contains(told, "{") {
		t.Errorf("no class in common: exit code %d\n%s", code, told)
	}
}

// Files of images without annotations, as they are published for test sets, give detect its image ids. Nothing is measured on them.
func TestDetectOnTestSets(t *testing.T) {
	file, images := plain(t, nil)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, onto(file, images)...)...)
	for name, members := range map[string]string{
		"image_info":     `"info":{"year":2017},"licenses":[],"categories":[{"id":1,"name":"circle"}]`,
		"no categories":  `"info":{}`,
		"null lists":     `"annotations":[],"categories":[]`,
		"other members":  `"categories":[],"videos":[{"id":3}]`,
		"nothing at all": ``,
	} {
		if members != "" {
			members = "," + members
		}
		info := write(t, filepath.Join(t.TempDir(), "info.json"), `{"images":[{"id":581929,"file_name":"a.png","height":72,"width":96,"coco_url":"http://x/a.png"}]`+members+`}`)
		out := filepath.Join(t.TempDir(), "o.json")
		ok(t, "detect", "-weights", filepath.Join(run, train.LastModel), "-source", filepath.Join(images, "a.png"), "-data", info, "-json", out, "-score", ".0001", "-threads", "1")
		var found []struct {
			Image int64 `json:"image_id"`
		}
		if read(t, out, &found); len(found) == 0 || found[0].Image != 581929 {
			t.Errorf("%s: %d detections, %v", name, len(found), found[:min(1, len(found))])
		}
		if name == "image_info" {
			code, told := call(t, "eval", "-weights", filepath.Join(run, train.LastModel), "-data", info, "-images", images)
			if wants(t, told, `has no "annotations", as the files of test sets`); code != 1 {
				t.Errorf("eval: exit code %d", code)
			}
		}
	}
	empty := write(t, filepath.Join(t.TempDir(), "no.json"), `{"annotations":[]}`)
	code, told := call(t, "detect", "-weights", filepath.Join(run, train.LastModel), "-source", filepath.Join(images, "a.png"), "-data", empty, "-json", filepath.Join(t.TempDir(), "o.json"))
	if wants(t, told, `has no "images"`); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// A split that is given is the only part that is checked, and can be repaired.
func TestCheckSplit(t *testing.T) {
	dir := t.TempDir()
	for _, part := range []string{"train", "val"} {
		for _, n := range []string{"a", "b"} {
			photo(t, filepath.Join(dir, "images", part, n+".jpg"))
			name := filepath.Join(dir, "labels", part, n+".txt")
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, name, "0 .5 .5 .4 .4\n")
		}
	}
	write(t, filepath.Join(dir, "data.yaml"), "train: images/train\nval: images/val\nnames: [a]\n")
	for split, other := range map[string]string{"train": "(val)", "val": "(train)"} {
		for _, more := range []string{"", " -fix clip -out " + filepath.Join(dir, split+".json")} {
			for _, path := range []string{dir, filepath.Join(dir, "data.yaml")} {
				out := ok(t, strings.Fields("data check -data "+path+" -split "+split+more+" -overwrite")...)
				if !strings.Contains(out, "("+split+"): 2 images, 2 boxes: 0 errors") || strings.Contains(out, other) {
					t.Errorf("%s%s: %s", split, more, out)
				}
			}
		}
	}
}

// A run on -data names its findings once, how it computes a batch, and the verbs that follow.
func TestFindingsOnce(t *testing.T) {
	file, images := plain(t, func(d *coco.Dataset) { d.Annotations[0].ID = 0 })
	run := filepath.Join(t.TempDir(), "run")
	out := ok(t, "train", file, "-images", images, "-size", "64", "-epochs", "1", "-batch", "2", "-init", "none", "-set", "train.accumulate=2", "-out", run)
	if n := strings.Count(out, "its id is 0"); n != 1 {
		t.Errorf("the finding is named %d times:\n%s", n, out)
	}
	wants(t, out, "for a batch of 2 in 2 parts (train.accumulate) on ", "done: "+run, "retinago eval "+run+" -data DATASET;", "retinago detect "+run)
}
