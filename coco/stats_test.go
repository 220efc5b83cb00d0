package coco

import (
	"reflect"
	"strings"
	"testing"
)

func TestStats(t *testing.T) {
	t.Parallel()
	d := &Dataset{
		Images:     []Image{{ID: 1, Width: 640, Height: 480}, {ID: 2, Width: 480, Height: 640}, {ID: 3}, {ID: 4, Width: 500, Height: 500}},
		Categories: []Category{{ID: 9, Name: "nine"}, {ID: 2, Name: "two"}},
		Annotations: []Annotation{
			{ImageID: 1, CategoryID: 9, Area: 1023}, {ImageID: 1, CategoryID: 9, Area: 1024}, {ImageID: 1, CategoryID: 9, Area: 9216},
			{ImageID: 2, CategoryID: 9, Area: 5000, IsCrowd: true}, {ImageID: 2, CategoryID: 2, Area: 9215.5}, {ImageID: 2, CategoryID: 2, Area: 1},
			{ImageID: 2, CategoryID: 2, Area: 1}, {ImageID: 2, CategoryID: 2, Area: 1}, {ImageID: 3, CategoryID: 7, Area: 1}, {ImageID: 99, CategoryID: 2, Area: 1},
		},
	}
	got := d.Stats()
	want := &Stats{Images: 4, Boxes: 10, Categories: 2, Crowds: 1, NoBoxes: 1, Small: 6, Medium: 2, Large: 1,
		MaxBoxes: 5, MeanBoxes: 2.25, MedianBoxes: 2, Sized: 3, MinWidth: 480, MaxWidth: 640, MinHeight: 480, MaxHeight: 640,
		Histogram: []Bin{{0, 0, 1}, {1, 1, 1}, {2, 2, 0}, {3, 4, 1}, {5, 8, 1}},
		Classes: []ClassCount{{ID: 2, Name: "two", Images: 1, Boxes: 4, Small: 3, Medium: 1},
			{ID: 9, Name: "nine", Images: 2, Boxes: 4, Crowds: 1, Small: 1, Medium: 1, Large: 1}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v want\n%+v", got, want)
	}
	for _, line := range []string{"image size  480-640 x 480-640 px   unknown for 1\n", "        3-4        1  ####", "     9  nine         2        4        1        1        1        1\n"} {
		if !strings.Contains(got.String(), line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if s := (&Dataset{}).Stats(); s.String() == "" || s.Histogram != nil {
		t.Errorf("of nothing: %+v", s)
	}
}
