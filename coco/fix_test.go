package coco

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// faulty has one of every fault; images are 100 x 50.
func faulty() *Dataset {
	box := func(id, image, category int64, x, y, w, h, area float64) Annotation {
		return Annotation{ID: id, ImageID: image, CategoryID: category, BBox: [4]float64{x, y, w, h}, Area: area}
	}
	return &Dataset{
		Path: "x.json",
		Images: []Image{
			{ID: 1, FileName: "a.jpg", Width: 100, Height: 50},
			{ID: 2, FileName: "b.jpg", Width: 100, Height: 50}, // no boxes
			{ID: 1, FileName: "c.jpg", Width: 100, Height: 50}, // id twice
			{ID: 3, FileName: "a.jpg"},                         // file twice, no size
			{ID: 4},                                            // no file name, no size
		},
		Categories: []Category{{ID: 1, Name: "one"}, {ID: 1, Name: "uno"}, {ID: 2, Name: "one"}, {ID: 3}},
		Annotations: []Annotation{
			box(10, 1, 1, 10, 10, 20, 20, 400),                                        // 0: right
			box(11, 9, 1, 10, 10, 20, 20, 400),                                        // 1: unknown image
			box(12, 1, 9, 10, 10, 20, 20, 400),                                        // 2: unknown category
			box(13, 1, 1, 10, 10, 0, 20, 0),                                           // 3: no width
			box(14, 1, 1, 30, 10, -20, 20, 400),                                       // 4: negative width
			box(15, 1, 1, 100, 10, 20, 20, 400),                                       // 5: right of the image
			box(16, 1, 1, -20, 10, 20, 20, 400),                                       // 6: left of it
			box(17, 1, 1, 90, 40, 20, 20, 400),                                        // 7: over the corner; the area is the box's
			box(18, 1, 1, -5, -5, 20, 20, 90),                                         // 8: over the other corner; the area is a mask's
			box(19, 1, 1, 80, 10, 20.05, 20, 401),                                     // 9: rounding, right
			box(20, 1, 1, 10, 10, 20, 20, 0),                                          // 10: area zero
			box(10, 1, 1, 10, 10, 20, 20, 400),                                        // 11: the same as 0
			box(10, 1, 1, 40, 10, 20, 20, 400),                                        // 12: another box with the id of 0
			box(21, 3, 1, 5000, 10, 20, 20, 400),                                      // 13: image of unknown size, right
			box(22, 3, 1, -10, 10, 20, 20, 400),                                       // 14: image of unknown size, over the left edge
			{ID: 0, ImageID: 1, CategoryID: 1, BBox: [4]float64{1, 1, 2, 2}, Area: 4}, // 15: id 0
		},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	type row struct {
		s    Severity
		k    Kind
		item string
	}
	var got []row
	d := faulty()
	for _, p := range d.Check() {
		name, _, _ := strings.Cut(p.Item, " ")
		got = append(got, row{p.Severity, p.Kind, name})
		if p.Seen == "" || p.Advice == "" {
			t.Errorf("%s says too little", p)
		}
	}
	want := []row{
		{Error, DuplicateImage, "images[2]"}, {Warning, DuplicateFile, "images[3]"}, {Warning, NoSize, "images[3]"},
		{Error, NoFileName, "images[4]"}, {Warning, NoSize, "images[4]"},
		{Error, DuplicateCategory, "categories[1]"}, {Warning, DuplicateName, "categories[2]"}, {Warning, NoName, "categories[3]"},
		{Error, UnknownImage, "annotations[1]"}, {Error, UnknownCategory, "annotations[2]"},
		{Error, EmptyBox, "annotations[3]"}, {Error, EmptyBox, "annotations[4]"},
		{Error, OutsideBox, "annotations[5]"}, {Error, OutsideBox, "annotations[6]"},
		{Warning, OverhangingBox, "annotations[7]"}, {Warning, OverhangingBox, "annotations[8]"},
		{Warning, BadArea, "annotations[10]"},
		{Error, DuplicateAnnotation, "annotations[11]"}, {Error, DuplicateAnnotation, "annotations[12]"},
		{Warning, OverhangingBox, "annotations[14]"}, {Info, ZeroID, "annotations[15]"},
		{Info, NoBoxes, "images[1]"}, {Info, NoBoxes, "images[4]"},
		{Info, UnusedCategory, "categories[2]"}, {Info, UnusedCategory, "categories[3]"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	errs, warnings, infos := CountProblems(d.Check())
	if errs != 11 || warnings != 9 || infos != 5 {
		t.Errorf("%d errors, %d warnings, %d infos; want 11, 9, 5", errs, warnings, infos)
	}
	if s := Summary(d.Check()); !strings.HasPrefix(s, "error    duplicate-image              1\n") || !strings.Contains(s, "overhanging-box              3\n") {
		t.Errorf("summary\n%s", s)
	}
	if _, err := d.Index(); err == nil || !strings.Contains(err.Error(), "x.json: annotations[1] (id 11): image_id 9") {
		t.Errorf("Index: %v", err)
	}
}

func TestFix(t *testing.T) {
	t.Parallel()
	type kept struct {
		id   int64
		box  [4]float64
		area float64
	}
	right := []kept{{10, [4]float64{10, 10, 20, 20}, 400}}
	tail := []kept{{21, [4]float64{5000, 10, 20, 20}, 400}}
	zero := func(id int64) kept { return kept{id, [4]float64{1, 1, 2, 2}, 4} } // which had the id 0
	rounded := kept{19, [4]float64{80, 10, 20.05, 20}, 401}
	for _, c := range []struct {
		mode    Mode
		want    []kept
		changes int
	}{
		{Clip, append(append(right[:1:1],
			kept{17, [4]float64{90, 40, 10, 10}, 100}, // area follows the box
			kept{18, [4]float64{0, 0, 15, 15}, 90},    // the mask's stays
			rounded, kept{20, [4]float64{10, 10, 20, 20}, 400}, kept{23, [4]float64{40, 10, 20, 20}, 400}),
			tail[0], kept{22, [4]float64{0, 10, 10, 20}, 200}, zero(24)), 15},
		{Drop, append(right[:1:1], rounded, tail[0], zero(23)), 15},
	} {
		d := faulty()
		fixed, report := d.Fix(c.mode)
		if !reflect.DeepEqual(d, faulty()) {
			t.Fatalf("mode %d changes the original", c.mode)
		}
		var got []kept
		for _, a := range fixed.Annotations {
			got = append(got, kept{a.ID, a.BBox, a.Area})
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("mode %d: got\n%v\nwant\n%v", c.mode, got, c.want)
		}
		if len(report.Changes) != c.changes {
			t.Errorf("mode %d: %d changes, want %d\n%s", c.mode, len(report.Changes), c.changes, report)
		}
		if len(fixed.Images) != 4 || len(fixed.Categories) != 3 {
			t.Errorf("mode %d: %d images and %d categories, want 4 and 3", c.mode, len(fixed.Images), len(fixed.Categories))
		}
		for _, p := range report.Left { // only what needs a person
			switch p.Kind {
			case NoFileName, NoSize, DuplicateFile, DuplicateName, NoName:
			default:
				t.Errorf("mode %d left %s", c.mode, p)
			}
		}
		if _, err := fixed.Index(); err != nil {
			t.Errorf("mode %d: %v", c.mode, err)
		}
		again, second := fixed.Fix(c.mode)
		if len(second.Changes) != 0 || !reflect.DeepEqual(again.Annotations, fixed.Annotations) {
			t.Errorf("mode %d: a second fix changes something:\n%s", c.mode, second)
		}
	}
}

func TestIndex(t *testing.T) {
	t.Parallel()
	x, err := read(t, small).Index()
	if err != nil {
		t.Fatal(err)
	}
	want := &Index{ImageOf: map[int64]int{7: 0, 0: 1}, Annotations: [][]int32{{0}, {1}},
		ClassOf: map[int64]int{0: 0, 9: 1}, CategoryIDs: []int64{0, 9}, Names: []string{"zero", `café "x"`}}
	if !reflect.DeepEqual(x, want) {
		t.Errorf("got %+v, want %+v", x, want)
	}
	empty := &Dataset{Path: "x.json"}
	if _, err := empty.Index(); err == nil || !strings.Contains(err.Error(), "no categories") {
		t.Errorf("no categories: %v", err)
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	d := read(t, small)
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	if err := d.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := LoadWith(path, LoadOptions{Segmentation: true, Extra: true})
	if err != nil {
		t.Fatal(err)
	}
	sameData(t, again, d)

	before, _ := os.ReadFile(path)
	d.Annotations[1].Segmentation = []byte("[[1,2")
	if err := d.Save(path); err == nil {
		t.Error("broken kept text was saved")
	}
	after, _ := os.ReadFile(path)
	if string(before) != string(after) {
		t.Error("a failed Save changed the old file")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("a failed Save left %d files, want 1", len(files))
	}
	if err := d.Save(filepath.Join(dir, "none", "out.json")); err == nil || !strings.Contains(err.Error(), "does not exist: make it first") {
		t.Errorf("a missing folder: %v", err)
	}
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := faulty().Save(link); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Error("Save replaced a link instead of the file it points to")
	}
	if got, err := Load(path); err != nil || len(got.Annotations) != 16 {
		t.Errorf("behind the link: %v", err)
	}
	if err := faulty().Save(os.DevNull); err != nil {
		t.Errorf("a device: %v", err)
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Mode{"clip": Clip, "drop": Drop} {
		if got, err := ParseMode(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if _, err := ParseMode("Clip"); err == nil || !strings.Contains(err.Error(), "want clip or drop") {
		t.Errorf("got %v", err)
	}
}
