package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
)

// lay makes files below a folder: images by their endings, others with the text behind "=", labels with one box of class 1 otherwise.
func lay(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, text, given := strings.Cut(f, "=")
		switch {
		case isPicture(name):
			blank(t, dir, name)
		case given:
			put(t, filepath.Join(dir, name), text)
		default:
			put(t, filepath.Join(dir, name), "1 .5 .5 .2 .4\n")
		}
	}
	return dir
}

// Folders of YOLO without a data.yaml, as exporters write them: each part has one image with a dog.
func TestYOLOFolders(t *testing.T) {
	const names = "cat\ndog\n"
	for name, k := range map[string]struct {
		files      []string
		train, val string // splits
	}{
		"Ultralytics without its file": {[]string{"images/train/a.png", "labels/train/a.txt", "images/val/b.png", "labels/val/b.txt", "classes.txt=" + names}, "train", "val"},
		"names beside the labels":      {[]string{"images/train/a.png", "labels/train/a.txt", "labels/train/classes.txt=" + names}, "train", ""},
		"Label Studio":                 {[]string{"images/a.png", "labels/a.txt", "classes.txt=" + names, `notes.json={"categories":[]}`}, "", ""},
		"labelImg":                     {[]string{"a.png", "a.txt", "classes.txt=" + names}, "", ""},
		"Roboflow's Darknet":           {[]string{"train/a.png", "train/a.txt", "train/_darknet.labels=" + names, "valid/b.png", "valid/b.txt", "valid/_darknet.labels=" + names}, "train", "valid"},
		"Roboflow without its file":    {[]string{"train/images/a.png", "train/labels/a.txt", "test/images/b.png", "test/labels/b.txt", "classes.txt=" + names}, "train", "test"},
		"CVAT's YOLO 1.1": {[]string{"obj.data=classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n", "obj.names=" + names,
			"train.txt=data/obj_train_data/a.png\n", "obj_train_data/a.png", "obj_train_data/a.txt"}, "train", ""},
		"Darknet with two lists": {[]string{"my.data=classes=2\ntrain=data/train.txt\nvalid=data/test.txt\nnames=data/my.names\n", "my.names=" + names,
			"train.txt=C:\\darknet\\data\\obj\\a.png\n", "test.txt=data/obj/b.png\n", "obj/a.png", "obj/a.txt", "obj/b.png", "obj/b.txt"}, "train", "valid"},
		"FiftyOne's YOLOv4":   {[]string{"data/a.png", "data/a.txt", "obj.names=" + names, "images.txt=data/a.png\n"}, "", ""},
		"Supervisely":         {[]string{"data_config.yaml=names: [cat, dog]\ncolors: [[1, 2, 3]]\nnc: 2\ntrain: ../project/images/train\nval: ../project/images/val\n", "images/train/a.png", "labels/train/a.txt", "images/val/b.png", "labels/val/b.txt"}, "train", "val"},
		"capitals":            {[]string{"Images/a.png", "Labels/a.txt", "classes.txt=" + names}, "", ""},
		"labels below images": {[]string{"a.png", "labels/a.txt", "classes.txt=" + names}, "", ""},
		"an unpacked archive": {[]string{"set/images/a.png", "set/labels/a.txt", "set/classes.txt=" + names, "__MACOSX/._a.png", "README.txt=x"}, "", ""},
		"some without labels": {[]string{"images/0.png", "images/a.png", "labels/a.txt", "classes.txt=" + names}, "", ""},
		"settings beside":     {[]string{"data.yaml=train: images/train\nnames: [cat, dog]\n", "hyp.yaml=lr0: .01\noptimizer: SGD\n", "images/train/a.png", "labels/train/a.txt"}, "train", ""},
		"names beside a file": {[]string{"data.yaml=train: images/train\nnc: 2\n", "images/train/a.png", "labels/train/a.txt", "classes.txt=" + names}, "train", ""},
	} {
		dir := lay(t, k.files...)
		train, val, err := Discover(Source{Path: dir})
		if err != nil || train.Split != k.train || val.Split != k.val || (val.Path == "") != (k.val == "") {
			t.Errorf("%s: %+v, %+v, %v", name, train, val, err)
			continue
		}
		for _, s := range []Source{train, val} {
			if s.Path == "" {
				continue
			}
			d, images, err := s.Open()
			if err != nil {
				t.Errorf("%s, %q: %v", name, s.Split, err)
				continue
			}
			if len(d.Annotations) != 1 || d.Annotations[0].BBox != [4]float64{40, 15, 20, 20} || len(d.Categories) != 2 || d.Categories[d.Annotations[0].CategoryID-1].Name != "dog" ||
				len(d.Dropped)+len(d.Notes) > 0 {
				t.Errorf("%s, %q: %+v", name, s.Split, d)
			}
			for _, im := range d.Images {
				if _, err := os.Stat(filepath.Join(images, im.FileName)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// Without a list, classes are called by their numbers, the same in all parts, and it is said.
func TestYOLOWithoutNames(t *testing.T) {
	for name, dir := range map[string]string{
		"folders":   lay(t, "images/train/a.png", "labels/train/a.txt", "images/val/b.png", "labels/val/b.txt=3 .5 .5 .2 .4\n"),
		"data.yaml": lay(t, "data.yaml=train: images/train\nval: images/val\n", "images/train/a.png", "labels/train/a.txt", "images/val/b.png", "labels/val/b.txt=3 .5 .5 .2 .4\n"),
		"nc":        lay(t, "data.yaml=train: images/train\nval: images/val\nnc: 4\n", "images/train/a.png", "labels/train/a.txt", "images/val/b.png", "labels/val/b.txt"),
	} {
		train, val, err := Discover(Source{Path: dir})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range []Source{train, val} {
			d := open(t, s)
			if len(d.Categories) != 4 || d.Categories[3].Name != "class 3" || len(d.Annotations) != 1 || len(d.Notes) != 1 || d.Notes[0].Kind != coco.Assumed || !strings.Contains(d.Notes[0].Seen, "class 0 to class 3") {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
	for _, k := range []struct{ dir, want string }{
		{lay(t, "data.yaml=train: images\n", "images/a.png"), "no file lists the classes"},
		{lay(t, "images/a.png", "labels/a.txt", "classes.txt=\n"), "classes.txt names no class"},
		{lay(t, "images/a.png", "labels/a.txt", "classes.txt=cat\ncat\n"), `classes.txt: classes 0 and 1 are both called "cat"`},
		{lay(t, "a.png", "a.txt=a photo of a cat\n"), "no dataset of a known layout"},
		{lay(t, "obj.data=classes = 2\n", "a.png"), "no dataset of a known layout"},
	} {
		train, _, err := Discover(Source{Path: k.dir})
		if err == nil {
			_, _, err = train.Open()
		}
		if err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v, want %q", err, k.want)
		}
	}
}

// An image that several folders and lists of a split have counts once, and it is said.
func TestYOLORepeated(t *testing.T) {
	for _, k := range []struct {
		val   string
		twice int
	}{
		{"images/val", 0}, {"[val.txt, images/val]", 2}, {"[images/val, ./images/val]", 2}, {"[images, images/val]", 2}, {"twice.txt", 1},
	} {
		dir := lay(t, "images/val/a.png", "labels/val/a.txt", "images/val/b.png", "val.txt=images/val/a.png\n./images/val/b.png\n", "twice.txt=images/val/a.png\n"+`images\val\a.png`+"\nimages/val/b.png\n",
			"data.yaml=names: [cat, dog]\nval: "+k.val+"\n")
		d := open(t, Source{Path: filepath.Join(dir, "data.yaml"), Split: "val"})
		said := slices.ContainsFunc(d.Notes, func(p coco.Problem) bool {
			return p.Kind == coco.Repeated && strings.HasPrefix(p.Seen, fmt.Sprint(k.twice, " images of the split \"val\""))
		})
		if len(d.Images) != 2 || len(d.Annotations) != 1 || said != (k.twice > 0) || len(d.Dropped) > 0 {
			t.Errorf("%s: %+v", k.val, d)
		}
		if found := d.Check(); said && (found[0].Kind != coco.Repeated || found[0].Severity != coco.Warning) {
			t.Errorf("%s: %v", k.val, found)
		}
		if fixed, _ := d.Fix(coco.Clip); len(fixed.Notes) > 0 {
			t.Errorf("%s: a repaired copy has %v", k.val, fixed.Notes)
		}
	}
}
