package convert

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
)

// drawn are four images with the classes 1 car, 2 truck, 5 dog and 7 bus, of which the last image has none.
func drawn() *coco.Dataset {
	d := &coco.Dataset{Path: "drawn.json", Categories: []coco.Category{{ID: 1, Name: "car"}, {ID: 2, Name: "truck"}, {ID: 5, Name: "dog"}, {ID: 7, Name: "bus"}}}
	for i := range 4 {
		d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: fmt.Sprintf("%d.jpg", i), Width: 50, Height: 50})
	}
	for i, a := range [][2]int64{{1, 1}, {1, 2}, {2, 5}, {3, 7}, {3, 5}, {2, 99}} {
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: a[0], CategoryID: a[1], BBox: [4]float64{1, 2, 10, 10}, Area: 100})
	}
	return d
}

// shown writes the categories of a dataset and the category of each object.
func shown(d *coco.Dataset) string {
	var b strings.Builder
	for _, c := range d.Categories {
		fmt.Fprintf(&b, "%d %s, ", c.ID, c.Name)
	}
	for _, a := range d.Annotations {
		fmt.Fprintf(&b, "%d:%d ", a.ImageID, a.CategoryID)
	}
	return strings.TrimSpace(b.String())
}

// Classes are renamed, merged and left out; images stay, and so does an object of no category, which is a fault.
func TestSelection(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]struct {
		s    Selection
		want string
	}{
		"nothing":             {Selection{}, "1 car, 2 truck, 5 dog, 7 bus, 1:1 1:2 2:5 3:7 3:5 2:99"},
		"one class":           {Selection{Keep: []string{"dog"}}, "5 dog, 2:5 3:5 2:99"},
		"in another order":    {Selection{Keep: []string{"bus", "car"}}, "1 car, 7 bus, 1:1 3:7 2:99"},
		"renamed":             {Selection{Rename: []string{" dog = hound"}}, "1 car, 2 truck, 5 hound, 7 bus, 1:1 1:2 2:5 3:7 3:5 2:99"},
		"two to a new name":   {Selection{Rename: []string{"truck=vehicle", "bus=vehicle"}}, "1 car, 2 vehicle, 5 dog, 1:1 1:2 2:5 3:2 3:5 2:99"},
		"one to another":      {Selection{Rename: []string{"car=bus"}}, "2 truck, 5 dog, 7 bus, 1:7 1:2 2:5 3:7 3:5 2:99"},
		"exchanged":           {Selection{Rename: []string{"car=dog", "dog=car"}}, "1 dog, 2 truck, 5 car, 7 bus, 1:1 1:2 2:5 3:7 3:5 2:99"},
		"renamed and chosen":  {Selection{Rename: []string{"car=vehicle", "truck=vehicle"}, Keep: []string{"vehicle"}}, "1 vehicle, 1:1 1:1 2:99"},
		"said twice":          {Selection{Rename: []string{"car=bus", "car=bus"}}, "2 truck, 5 dog, 7 bus, 1:7 1:2 2:5 3:7 3:5 2:99"},
		"an absent one":       {Selection{Rename: []string{"horse=dog"}, Keep: []string{"dog", "cat"}, Absent: true}, "5 dog, 2:5 3:5 2:99"},
		"a name with a comma": {Selection{Rename: []string{"dog=dog, small"}, Keep: []string{"dog, small"}}, "5 dog, small, 2:5 3:5 2:99"},
	} {
		d := drawn()
		got, err := k.s.Of(d)
		if err != nil || shown(got) != k.want || len(got.Images) != 4 {
			t.Errorf("%s: %s, %v; want %s", name, shown(got), err, k.want)
		}
		if shown(d) != shown(drawn()) {
			t.Errorf("%s changes the dataset itself: %s", name, shown(d))
		}
	}
}

// An error names the file, the class, the one that may be meant and those that are there.
func TestSelectionErrors(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]struct {
		s     Selection
		wants []string
	}{
		"mistyped":          {Selection{Keep: []string{"trukc"}}, []string{"drawn.json", `"trukc"`, "there are car, truck, dog, bus"}},
		"nearly":            {Selection{Keep: []string{"Dogs"}}, []string{`did you mean "dog"?`}},
		"to be renamed":     {Selection{Rename: []string{"hose=horse"}}, []string{"drawn.json", `"hose=horse" cannot be renamed`, "car, truck, dog, bus"}},
		"the old name":      {Selection{Rename: []string{"car=vehicle"}, Keep: []string{"car"}}, []string{`"car" is called "vehicle"`}},
		"two new names":     {Selection{Rename: []string{"car=a", "car=b"}}, []string{`"car"`, `"a"`, `"b"`, "give one"}},
		"no new name":       {Selection{Rename: []string{"car"}}, []string{`"car"`, "OLD=NEW"}},
		"an empty new name": {Selection{Rename: []string{"car= "}}, []string{"OLD=NEW"}},
	} {
		_, err := k.s.Of(drawn())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, w := range k.wants {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %s", name, err, w)
			}
		}
	}
}

// Every format is read with the selected classes.
func TestSelectionOfFormats(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "voc", "JPEGImages")
	d := made(t, images)
	if err := d.Save(filepath.Join(dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	if err := WriteVOC(d, filepath.Join(dir, "voc"), "train"); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteCSV(d, filepath.Join(images, "a.csv"), filepath.Join(images, "classes.csv")); err != nil {
		t.Fatal(err)
	}
	s := Selection{Rename: []string{"big dog=dog"}, Keep: []string{"dog"}}
	for _, path := range []string{"a.json", "voc", "voc/JPEGImages/a.csv"} {
		got := open(t, Source{Path: filepath.Join(dir, path), Select: s})
		if len(got.Images) != 3 || len(got.Annotations) != 2 || len(got.Categories) != 1 || got.Categories[0].Name != "dog" {
			t.Errorf("%s: %d images, %s", path, len(got.Images), shown(got))
		}
	}
	if _, _, err := (Source{Path: filepath.Join(dir, "a.json"), Select: Selection{Keep: []string{"cow"}}}).Open(); err == nil || !strings.Contains(err.Error(), "cat, big dog") {
		t.Errorf("a class that is not there: %v", err)
	}
}

func TestRenumbered(t *testing.T) {
	t.Parallel()
	names := []string{"bus", "dog", "truck", "car"}
	d := drawn()
	if got := shown(Renumbered(d, names, []int64{1, 2, 3, 4})); got != "1 bus, 2 dog, 3 truck, 4 car, 1:4 1:3 2:2 3:1 3:2 2:99" {
		t.Error(got)
	}
	if shown(d) != shown(drawn()) {
		t.Errorf("the dataset itself is changed: %s", shown(d))
	}
	if Renumbered(d, names, []int64{7, 5, 2, 1}) != d {
		t.Error("a copy with the same ids")
	}
	if Renumbered(d, names[:3], []int64{1, 2, 3}) != d || Renumbered(d, []string{"bus", "dog", "truck", "cat"}, []int64{1, 2, 3, 4}) != d {
		t.Error("a dataset of other names is renumbered")
	}
}
