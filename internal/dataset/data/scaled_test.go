package data

import (
	"reflect"
	"strings"
	"testing"

	"retinago/anchors"
	"retinago/box"
	"retinago/coco"
	"retinago/config"
)

// By hand: an image of 200x100 px becomes 100x50. The box (180,20)-(220,60) is clipped at 200; crowds do not count.
func TestScaled(t *testing.T) {
	d := &coco.Dataset{
		Path:       "a.json",
		Images:     []coco.Image{{ID: 7, FileName: "a.jpg", Width: 200, Height: 100}},
		Categories: []coco.Category{{ID: 3, Name: "cat"}, {ID: 5, Name: "dog"}},
		Annotations: []coco.Annotation{
			{ID: 1, ImageID: 7, CategoryID: 5, BBox: [4]float64{180, 20, 40, 40}, Area: 1600},
			{ID: 2, ImageID: 7, CategoryID: 3, BBox: [4]float64{0, 0, 50, 50}, Area: 2500, IsCrowd: true},
		},
	}
	c := config.Data{ShortSides: []int{80, 50}, MaxSide: 1000}
	got, classes, err := Scaled(d, c)
	if err != nil {
		t.Fatal(err)
	}
	want := []anchors.Picture{{W: 100, H: 50, Scale: .5, Boxes: []box.Box{{X1: 90, Y1: 10, X2: 100, Y2: 30}}, Classes: []int32{1}}}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(classes, []string{"cat", "dog"}) {
		t.Errorf("%+v, %q, want %+v", got, classes, want)
	}
	d.Images[0].Height = 0
	if _, _, err := Scaled(d, c); err == nil || !strings.Contains(err.Error(), "a.json: image 7 (a.jpg) is 200x0 pixels") {
		t.Errorf("%v", err)
	}
}
