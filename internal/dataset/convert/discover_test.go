package convert

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// tree makes files below a folder. A JSON is a COCO file of one image, a.jpg.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := ""
		switch filepath.Ext(f) {
		case ".json":
			text = `{"images":[{"id":1,"file_name":"a.jpg","width":8,"height":8}],"annotations":[],"categories":[{"id":1,"name":"cat"}]}`
		case ".yaml":
			text = "train: images/train\nval: images/val\nnames: [cat]\n"
		case ".csv":
			text = "a.jpg,1,2,3,4,cat\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The layouts that exporters write are recognised by the folder alone, or by a file in it.
func TestDiscover(t *testing.T) {
	for name, k := range map[string]struct {
		files      []string
		give       string // below the folder
		train, val Source
	}{
		"YOLO's folder": {[]string{"data.yaml", "images/train/a.jpg"}, "", Source{Path: "data.yaml", Split: "train"}, Source{Path: "data.yaml", Split: "val"}},
		"YOLO's file":   {[]string{"my.yaml", "images/train/a.jpg"}, "my.yaml", Source{Path: "my.yaml", Split: "train"}, Source{Path: "my.yaml", Split: "val"}},
		"Roboflow's COCO": {[]string{"train/_annotations.coco.json", "train/a.jpg", "valid/_annotations.coco.json", "valid/a.jpg", "README.txt"}, "",
			Source{Path: "train/_annotations.coco.json", Images: "train"}, Source{Path: "valid/_annotations.coco.json", Images: "valid"}},
		"Roboflow's VOC": {[]string{"train/a.xml", "train/a.jpg", "valid/a.xml"}, "", Source{Path: "train"}, Source{Path: "valid"}},
		"Roboflow's CSV": {[]string{"train/_annotations.csv", "test/_annotations.csv"}, "", Source{Path: "train/_annotations.csv"}, Source{Path: "test/_annotations.csv"}},
		"COCO 2017": {[]string{"annotations/instances_train2017.json", "annotations/instances_val2017.json", "train2017/a.jpg", "val2017/a.jpg"}, "",
			Source{Path: "annotations/instances_train2017.json", Images: "train2017"}, Source{Path: "annotations/instances_val2017.json", Images: "val2017"}},
		"COCO 2017 as it is downloaded": {[]string{"annotations/captions_train2017.json", "annotations/captions_val2017.json", "annotations/instances_train2017.json", "annotations/instances_val2017.json",
			"annotations/person_keypoints_train2017.json", "annotations/person_keypoints_val2017.json", "train2017/a.jpg", "val2017/a.jpg"}, "",
			Source{Path: "annotations/instances_train2017.json", Images: "train2017"}, Source{Path: "annotations/instances_val2017.json", Images: "val2017"}},
		"Kaggle's VOC in small letters": {[]string{"annotations/a.xml", "images/a.png"}, "", Source{}, Source{}},
		"COCO's images below images":    {[]string{"train.json", "images/train/a.jpg"}, "", Source{Path: "train.json", Images: "images/train"}, Source{}},
		"COCO's images beside":          {[]string{"labels.json", "a.jpg"}, "", Source{Path: "labels.json", Images: "."}, Source{}},
		"CVAT's COCO":                   {[]string{"annotations/instances_default.json", "images/default/a.jpg"}, "annotations/instances_default.json", Source{Path: "annotations/instances_default.json", Images: "images/default"}, Source{}},
		"a COCO file and its sister":    {[]string{"train.json", "val.json", "train/a.jpg", "val/a.jpg"}, "train.json", Source{Path: "train.json", Images: "train"}, Source{Path: "val.json", Images: "val"}},
		"VOC with lists":                {[]string{"Annotations/a.xml", "JPEGImages/a.jpg", "ImageSets/Main/train.txt", "ImageSets/Main/val.txt", "ImageSets/Main/trainval.txt"}, "", Source{Split: "train"}, Source{Split: "val"}},
		"VOC 2007, trainval and test":   {[]string{"Annotations/a.xml", "ImageSets/Main/trainval.txt", "ImageSets/Main/test.txt"}, "", Source{Split: "trainval"}, Source{Split: "test"}},
		"trainval has val in it":        {[]string{"Annotations/a.xml", "ImageSets/Main/trainval.txt", "ImageSets/Main/val.txt"}, "", Source{Split: "trainval"}, Source{}},
		"VOC without lists":             {[]string{"Annotations/a.xml", "JPEGImages/a.jpg"}, "", Source{}, Source{}},
		"labelImg's flat VOC":           {[]string{"a.xml", "a.jpg"}, "", Source{}, Source{}},
		"CSVs":                          {[]string{"train.csv", "val.csv"}, "", Source{Path: "train.csv"}, Source{Path: "val.csv"}},
		"VOC in a folder":               {[]string{"VOC/Annotations/a.xml", "VOC/JPEGImages/a.jpg", "VOC/ImageSets/Main/train.txt", "colors.txt"}, "", Source{Path: "VOC", Split: "train"}, Source{}},
		"one CSV":                       {[]string{"boxes.csv"}, "boxes.csv", Source{Path: "boxes.csv"}, Source{}},
	} {
		dir := tree(t, k.files...)
		below := func(s Source, is bool) Source {
			if is {
				s.Path = filepath.Join(dir, s.Path)
			}
			if s.Images != "" {
				s.Images = filepath.Join(dir, s.Images)
			}
			return s
		}
		train, val, err := Discover(Source{Path: filepath.Join(dir, k.give)})
		if err != nil || !reflect.DeepEqual(train, below(k.train, true)) || !reflect.DeepEqual(val, below(k.val, !reflect.DeepEqual(k.val, Source{}))) {
			t.Errorf("%s: %+v\n%+v\n%v", name, train, val, err)
		}
	}
	for name, k := range map[string]struct {
		files []string
		give  string
		want  string
	}{
		"an empty folder":     {nil, "", "Annotations"},
		"images alone":        {[]string{"a.jpg"}, "", "data.yaml"},
		"not there":           {nil, "photos", "photos"},
		"many JSON files":     {[]string{"a.json", "b.json", "a.jpg"}, "", "give the file"},
		"COCO without images": {[]string{"train.json"}, "train.json", `"a.jpg"`},
		"YOLO without train":  {[]string{"x/data.yaml"}, "x", "x"},
	} {
		dir := tree(t, k.files...)
		if name == "YOLO without train" {
			put(t, filepath.Join(dir, "x", "data.yaml"), "test: images\nnames: [cat]\n")
			k.want = "[test]"
		}
		if _, _, err := Discover(Source{Path: filepath.Join(dir, k.give)}); err == nil || !strings.Contains(err.Error(), k.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A relative path is named with the folder that it starts from.
	here := t.TempDir()
	t.Chdir(here)
	for _, path := range []string{"nowhere", "nowhere/data.yaml", "nowhere.csv"} {
		for _, open := range []func(Source) error{func(s Source) error { _, _, err := Discover(s); return err }, func(s Source) error { _, err := s.format(); return err }} {
			if err := open(Source{Path: path}); err == nil || !strings.Contains(err.Error(), "no "+path+" in "+here) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	// An item that cannot be read and an image that is missing do not hide the folder of the images.
	for name, text := range map[string]string{
		"a box with a word":       `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":["1","x",2,3]}],"categories":[{"id":1,"name":"cat"}]}`,
		"an id with a word":       `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"id":1,"image_id":[],"category_id":1,"bbox":[1,1,2,3]}],"categories":[{"id":1,"name":"cat"}]}`,
		"the first one missing":   `{"images":[{"id":1,"file_name":"0.jpg"},{"id":2,"file_name":"a.jpg"}],"annotations":[],"categories":[{"id":1,"name":"cat"}]}`,
		"the first one of a word": `{"images":[{"id":1,"file_name":7},{"id":2,"file_name":"a.jpg"}],"annotations":[],"categories":[{"id":1,"name":"cat"}]}`,
		"no annotations":          `{"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"cat"}]}`,
	} {
		dir := tree(t, "images/train/a.jpg")
		path := put(t, filepath.Join(dir, "train.json"), text)
		if train, _, err := Discover(Source{Path: dir}); err != nil || train.Path != path || train.Images != filepath.Join(dir, "images", "train") {
			t.Errorf("%s: %+v, %v", name, train, err)
		}
	}
	// What the user says is kept.
	dir := tree(t, "data.yaml", "images/train/a.jpg")
	if train, val, err := Discover(Source{Path: dir, Split: "val"}); err != nil || train.Split != "val" || !reflect.DeepEqual(val, Source{}) {
		t.Errorf("%+v, %+v, %v", train, val, err)
	}
}
