package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// photo writes an image with some texture.
func photo(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	p := picture.New(96, 64)
	for y := range 64 {
		for x := range 96 {
			p.Set(x, y, uint8(x*y), uint8(7*x), uint8(len(path)*y))
		}
	}
	jpeg := path + ".tmp.jpg"
	if err := p.WriteJPEG(jpeg, 90); err != nil {
		t.Fatal(err)
	}
	// Not as a result: the bytes are a user's.
	b, err := os.ReadFile(jpeg)
	if err == nil {
		err = os.Remove(jpeg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return write(t, path, string(b))
}

// sums are the files below a folder with their content.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever the folders are, no file of the user changes, and the run says which it was.
func TestResultsNeverHarm(t *testing.T) {
	model := filepath.Join(t.TempDir(), "m.safetensors")
	seeded(t, model)
	for _, k := range []struct {
		name  string
		args  string // with -weights M unless they begin with other weights; paths relative to a folder with the files below
		code  int
		wants []string
	}{
		{"copies over the originals", "-source photos -out photos", 1, []string{"photos/a.jpg is", "give another -out"}},
		{"the same, with overwrite", "-source photos -out photos -overwrite", 1, []string{"photos/a.jpg is", "a source of this run"}},
		{"copies over one original", "-source photos/a.jpg -out photos", 1, []string{"photos/a.jpg is what -source names"}},
		{"copies beside the original", "-source photos/c.png -out photos", 0, nil},
		{"by a linked folder", "-source photos -out linked -overwrite", 1, []string{"linked/a.jpg is a source"}},
		{"by a hard link", "-source photos/a.jpg -out hard -overwrite", 1, []string{"hard/a.jpg is"}},
		{"by a linked file", "-source photos/a.jpg -out soft -overwrite", 1, []string{"soft/a.jpg is what -source names"}},
		{"copies over other images", "-source photos/a.jpg -out others", 1, []string{"others/a.jpg is there", "-overwrite"}},
		{"source below the results", "-source others/sub -out others", 0, nil},
		{"labels over annotations", "-source photos/a.jpg -yolo labels", 1, []string{"labels/a.txt is there", "-overwrite"}},
		{"labels over annotations of no object", "-source photos/b.jpg -yolo labels", 1, []string{"labels/b.txt is there"}},
		{"labels below photos", "-source photos -yolo photos", 0, nil},
		{"json over the weights", "-source photos -json M", 1, []string{"what -weights names"}},
		{"jsonl over the weights", "-source photos -jsonl M -overwrite", 1, []string{"what -weights names"}},
		{"csv over the dataset", "-source photos -data data.json -csv data.json -overwrite", 1, []string{"what -data names"}},
		{"summary over a source", "-source photos -summary photos/a.jpg", 1, []string{"photos/a.jpg is"}},
		{"json over the model of a run", "-weights run -source photos -json run/best.safetensors -overwrite", 1, []string{"run/best.safetensors is part of what -weights names"}},
		{"jsonl over the log of a run", "-weights run -source photos -jsonl run/log.jsonl -overwrite", 1, []string{"run/log.jsonl is part of what -weights names"}},
		{"csv over a run's dataset", "-weights run -source photos -csv data.json -overwrite", 1, []string{"data.json is a dataset of the run"}},
		{"labels into a run", "-weights run -source photos -yolo run -overwrite", 0, nil},
		{"copies into the folder of a dataset", "-source photos -data voc -out voc/found -overwrite", 0, nil},
		{"json over a file of a dataset", "-source photos -data voc -json voc/Annotations/a.xml -overwrite", 1, []string{"a.xml is part of what -data names"}},
		{"csv over a list of others", "-source photos -csv list.csv", 1, []string{"list.csv is there", "-overwrite"}},
		{"csv over an empty file", "-source photos -csv empty.csv", 0, nil},
		{"two options, one file", "-source photos -csv x -json x", 2, []string{"-csv", "-json", "both x"}},
		{"two options, one file, spelt otherwise", "-source photos -jsonl x -summary photos/../X", 2, []string{"-jsonl", "-summary"}},
		{"a file as the folder", "-source photos -out list.csv", 1, []string{"list.csv is a file"}},
		{"a folder as the file", "-source photos -json photos", 1, []string{"photos is a folder"}},
		{"no folder for the file", "-source photos -json absent/x.json", 1, []string{"no folder absent"}},
		{"a folder in a copy's place", "-source photos -out blocked", 3, []string{"not written", "a.jpg", "1 file not written"}},
		{"a folder in a label's place", "-source photos -yolo blocked", 3, []string{"not written", "b.txt", "1 file not written"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			for _, name := range []string{"photos/a.jpg", "photos/b.jpg", "photos/c.png", "others/a.jpg", "others/sub/z.jpg"} {
				photo(t, at(name))
			}
			for _, folder := range []string{"labels", "hard", "soft", "blocked/a.jpg", "blocked/b.txt"} {
				if err := os.MkdirAll(at(folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			write(t, at("labels/a.txt"), "0 .5 .5 .1 .1\n")
			write(t, at("labels/b.txt"), "")
			write(t, at("list.csv"), "name,price\n")
			write(t, at("empty.csv"), "")
			write(t, at("data.json"), `{"images":[{"id":1,"file_name":"a.jpg","width":96,"height":64}],"categories":[{"id":1,"name":"a"}],"annotations":[]}`)
			for _, err := range []error{os.Symlink("photos", at("linked")), os.Link(at("photos/a.jpg"), at("hard/a.jpg")), os.Symlink("../photos/a.jpg", at("soft/a.jpg"))} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, folder := range []string{"run", "voc/Annotations"} {
				if err := os.MkdirAll(at(folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			write(t, at("voc/Annotations/a.xml"), "<annotation><filename>a.jpg</filename><size><width>96</width><height>64</height></size></annotation>")
			write(t, at("run/config.yaml"), "data: {train: {source: data.json}}\n")
			write(t, at("run/log.jsonl"), "{}\n")
			write(t, at("run/best.safetensors"), text(t, model))
			weights := at("M")
			write(t, weights, text(t, model))
			args := strings.Fields(k.args)
			if args[0] != "-weights" {
				args = append([]string{"-weights", "M"}, args...)
			}
			before := sums(t, dir)
			delete(before, at("empty.csv"))
			c, out := program(append([]string{"detect", "-score", ".005", "-threads", "1"}, args...)...)
			c.Dir = dir
			c.Run()
			if code := c.ProcessState.ExitCode(); code != k.code {
				t.Errorf("exit code %d, want %d\n%s", code, k.code, out)
			}
			wants(t, out.String(), k.wants...)
			after := sums(t, dir)
			for path, sum := range before {
				if after[path] != sum {
					t.Errorf("%s changed\n%s", path, out)
				}
			}
			if k.code == 1 || k.code == 2 {
				for path := range after {
					if _, was := before[path]; !was && path != at("empty.csv") {
						t.Errorf("%s was written by a run that was refused", path)
					}
				}
			}
		})
	}
}

// A second run replaces its own results, looks at the same sources, and asks where a result was changed by hand.
func TestSecondRun(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	seeded(t, "m.safetensors")
	photo(t, "photos/a.jpg")
	photo(t, "photos/sub/b.png")
	if err := file.Put("mark", nil); err != nil || !file.Mine("mark") {
		t.Skipf("this file system keeps no extended attributes, %v", err)
	}
	args := []string{"detect", "-weights", "m.safetensors", "-source", "photos", "-out", "photos/found", "-crops", "photos/crops", "-yolo", "labels", "-jsonl", "a.jsonl", "-csv", "a.csv",
		"-json", "a.json", "-summary", "s.json", "-score", ".005", "-max", "3", "-threads", "1", "-convolutions", "fixed"}
	wants(t, ok(t, args...), "2 images", "2 images with 3 objects, the most that -max allows")
	first := sums(t, dir)
	out := ok(t, args...)
	wants(t, out, "2 images", "left out: results in photos/found are no sources", "left out: results in photos/crops are no sources")
	second := sums(t, dir)
	for path := range second {
		if _, was := first[path]; !was {
			t.Errorf("the second run wrote %s too", path)
		}
	}
	if len(first) != len(second) || first[filepath.Join(dir, "a.jsonl")] != second[filepath.Join(dir, "a.jsonl")] {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
	// The folder of results as one of the sources, as a shell's photos/* gives it, and results and images in one folder.
	wants(t, ok(t, append(slices.Clone(args), "-source", "photos/a.jpg", "photos/found", "photos/sub")...), "4 images")
	for range 2 {
		wants(t, ok(t, "detect", "-weights", "m.safetensors", "-source", "photos/sub", "-out", "photos/sub", "-quiet", "-threads", "1"), "1 image,")
	}
	if entries, err := os.ReadDir("photos/sub"); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	write(t, "labels/a.txt", "1 .5 .5 .2 .2\n")
	code, out := call(t, args...)
	if code != 1 || text(t, "labels/a.txt") != "1 .5 .5 .2 .2\n" {
		t.Errorf("a label that was corrected: exit code %d\n%s", code, out)
	}
	wants(t, out, "labels/a.txt is there", "-overwrite")
	ok(t, append(args, "-overwrite")...)
	if strings.HasPrefix(text(t, "labels/a.txt"), "1 .5 ") {
		t.Error("-overwrite does not overwrite")
	}
	// One writer that fails does not end the others.
	if _, err := os.Stat("/dev/full"); err == nil {
		code, out = call(t, "detect", "-weights", "m.safetensors", "-source", "photos/a.jpg", "photos/sub", "-csv", "/dev/full", "-jsonl", "b.jsonl", "-threads", "1")
		if code != exitPartial || strings.Count(text(t, "b.jsonl"), "\n") < 2 {
			t.Errorf("a full disk for one of two files: exit code %d\n%s", code, out)
		}
		wants(t, out, "not written: ", "/dev/full", "no space left", "1 file not written")
		code, out = call(t, "detect", "-weights", "m.safetensors", "-source", "photos/a.jpg", "-csv", "/dev/full", "-threads", "1")
		if code != exitError {
			t.Errorf("a full disk for the only file: exit code %d\n%s", code, out)
		}
	}
	// Nothing passes a high threshold: the summary gives the highest score.
	out = ok(t, "detect", "-weights", "m.safetensors", "-source", "photos/a.jpg", "-summary", "s.json", "-score", ".99", "-threads", "1")
	wants(t, out, "0 objects", "the highest score was 0.0")
	var s struct {
		Highest float64 `json:"highest_score"`
	}
	if read(t, "s.json", &s); s.Highest <= .005 || s.Highest >= .99 {
		t.Errorf("the highest score is %g", s.Highest)
	}
}

// Files that other verbs write are guarded too.
func TestGuardedVerbs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "mine", "precious")
	write(t, "mine.jpg", "precious")
	write(t, "config.yaml", "# mine\ntrain: {steps: 1}\n")
	for _, name := range []string{"train.json", "report.html", "results.md", "a.csv", "view.json"} {
		write(t, name, "precious")
	}
	if err := os.WriteFile("data.json", []byte(`{"images":[{"id":1,"file_name":"a.jpg","width":9,"height":9}],"categories":[{"id":1,"name":"a"}],"annotations":[]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("run", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "run/config.yaml", "data: {train: {source: data.json, images: .}}\n")
	before := sums(t, dir)
	for _, args := range []string{
		"eval -weights absent -data absent -json mine", "eval -gt data.json -dt absent -report mine", "eval -weights absent -data absent -results mine",
		"eval -gt data.json -dt absent -json data.json", "eval -gt data.json -dt absent -json data.json -overwrite",
		"data check -data data.json -fix clip -out mine", "data check -data data.json -fix clip -out data.json -overwrite",
		"data check -data run -fix clip -out data.json -overwrite",
		"data split -data data.json -out mine -rest x.json", "data split -data data.json -out x.json -rest mine", "data split -data data.json -out data.json -rest x.json -overwrite",
		"data merge -data data.json -data absent -out mine", "data merge -data absent -data data.json -out data.json -overwrite",
		"data subset -data data.json -out mine", "data subset -data data.json -out data.json -overwrite",
		"data draw -data absent -out mine.jpg", "data convert -data data.json -to coco -out mine", "data convert -data data.json -to coco -out data.json -overwrite",
		"data convert -data data.json -to csv -name a -out .", "data shapes -out .",
		"weights import absent -out mine", "weights import mine -out mine -overwrite", "weights fetch resnet50-0676ba61 -cache absent -mirror http://127.0.0.1:1 -out mine",
		"export -weights absent -out mine", "export -weights mine -out mine -overwrite", "weights export -weights absent -to onnx -out mine", "quantize -weights absent -images absent -out mine",
		"bench speed -weights absent -json mine", "bench speed -weights absent -outputs mine", "bench view -weights absent -data absent -out .", "bench losses -config config.yaml -out .",
		"train -config config.yaml -out .",
	} {
		code, out := call(t, strings.Fields(args)...)
		if code != 1 && code != 2 {
			t.Errorf("%s: exit code %d\n%s", args, code, out)
		}
		if !strings.Contains(out, "it is not replaced") && !strings.Contains(out, "itself") {
			t.Errorf("%s: %s", args, out)
		}
	}
	for _, args := range []string{"data split -data data.json -out x.json -rest ./x.json", "bench speed -weights absent -json x -outputs x", "eval -weights absent -data absent -json x -results X"} {
		if code, out := call(t, strings.Fields(args)...); code != 2 || !strings.Contains(out, "one path is given twice") {
			t.Errorf("%s: exit code %d\n%s", args, code, out)
		}
	}
	after := sums(t, dir)
	for path, sum := range before {
		if after[path] != sum {
			t.Errorf("%s changed", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files, then %d", len(before), len(after))
	}
}

// An image's id is that of the file, or of the name that agrees with the longest end of the path. What several names fit is refused.
func TestImageIDs(t *testing.T) {
	names := func(names ...string) *coco.Dataset {
		d := &coco.Dataset{Path: "d.json"}
		for i, n := range names {
			d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: n})
		}
		return d
	}
	for _, k := range []struct {
		images []string
		folder string
		path   string
		want   int64 // 0 is an error
	}{
		{[]string{"a.jpg", "b.jpg"}, "", "x/b.jpg", 2},
		{[]string{"cam1/1.jpg", "cam2/1.jpg"}, "", "all/cam2/1.jpg", 2},
		{[]string{"cam1/1.jpg", "cam2/1.jpg"}, "", "elsewhere/1.jpg", 0},
		{[]string{"cam1/1.jpg", "cam2/1.jpg"}, "/all", "/all/cam1/1.jpg", 1},
		{[]string{"cam1/1.jpg", "cam2/1.jpg"}, "/all/cam2/..", "/all/cam2/1.jpg", 2},
		{[]string{"1.jpg", "cam2/1.jpg"}, "/all", "/all/1.jpg", 1},
		{[]string{"1.jpg", "cam2/1.jpg"}, "/all", "/all/cam2/1.jpg", 2},
		{[]string{"1.jpg", "cam2/1.jpg"}, "", "/all/cam2/1.jpg", 2},
		{[]string{"1.jpg", "cam2/1.jpg"}, "", "/all/1.jpg", 1},
		{[]string{"day1/cam/1.jpg", "day2/cam/1.jpg"}, "", "/all/cam/1.jpg", 0},
		{[]string{"day1/cam/1.jpg", "day2/cam/1.jpg"}, "", "/all/day2/cam/1.jpg", 2},
		{[]string{"1.jpg", "1.jpg"}, "", "1.jpg", 0},
		{[]string{"1.jpg", "1.jpg"}, "/all", "/all/1.jpg", 0},
		{[]string{`C:\photos\cam1\1.jpg`, `C:\photos\cam2\1.jpg`}, "", "/mnt/cam2/1.jpg", 2},
		{[]string{"/data/cam1/1.jpg", "/data/cam2/1.jpg"}, "", "/other/cam1/1.jpg", 1},
		{[]string{"./cam1/1.jpg", "cam2//1.jpg"}, "", "/x/cam2/1.jpg", 2},
		{[]string{"A.JPG", "b.jpg"}, "", "/x/a.jpg", 1},
		{[]string{"a.jpg", "A.jpg"}, "", "/x/A.jpg", 2},
		{[]string{"a.JPG", "A.JPG"}, "", "/x/a.jpg", 0},
		{[]string{"caf\u00e9.jpg"}, "", "/x/cafe\u0301.jpg", 1},
		{[]string{"val/1.jpg"}, "", "/x/test/1.jpg", 1},
		{[]string{"cam12/1.jpg", "cam2/1.jpg"}, "", "/x/cam2/1.jpg", 2},
		{[]string{"a.jpg"}, "", "/x/b.jpg", 0},
		{nil, "", "/x/b.jpg", 0},
	} {
		id, err := newImages(names(k.images...), k.folder).id(k.path)
		if k.want == 0 && (err == nil || !strings.Contains(err.Error(), k.path)) || k.want != 0 && (err != nil || id != k.want) {
			t.Errorf("%q in %q of %q: id %d, %v, want %d", k.path, k.folder, k.images, id, err, k.want)
		}
	}
	_, err := newImages(names("day1/1.jpg", "day2/1.jpg", "x.jpg"), "").id("1.jpg")
	if err == nil || !strings.Contains(err.Error(), "day1/1.jpg (id 1), day2/1.jpg (id 2)") || !strings.Contains(err.Error(), "-images") {
		t.Errorf("%v does not name the images", err)
	}
}
