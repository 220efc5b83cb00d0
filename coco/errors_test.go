package coco

import (
	"fmt"
	"strings"
	"testing"
)

// pets is an image with a cat at (0,0,10,10), a dog at (50,0,10,10), another cat at (0,50,10,10) and a crowd of cats
// at (50,50,40,40).
func pets() *Dataset {
	return &Dataset{
		Images:     []Image{{ID: 1, Width: 100, Height: 100}, {ID: 2, Width: 100, Height: 100}},
		Categories: []Category{{ID: 5, Name: "dog"}, {ID: 2, Name: "cat"}},
		Annotations: []Annotation{
			{ID: 1, ImageID: 1, CategoryID: 2, BBox: [4]float64{0, 0, 10, 10}, Area: 100},
			{ID: 2, ImageID: 1, CategoryID: 5, BBox: [4]float64{50, 0, 10, 10}, Area: 100},
			{ID: 3, ImageID: 1, CategoryID: 2, BBox: [4]float64{0, 50, 10, 10}, Area: 100},
			{ID: 4, ImageID: 1, CategoryID: 2, BBox: [4]float64{50, 50, 40, 40}, Area: 1600, IsCrowd: true},
		},
	}
}

// One detection of each kind, by hand.
func TestAnalyse(t *testing.T) {
	t.Parallel()
	at := func(category int64, score, x, y float64) Detection {
		return Detection{ImageID: 1, CategoryID: category, Score: score, BBox: [4]float64{x, y, 10, 10}}
	}
	dt := []Detection{
		at(2, .9, 0, 0),   // correct
		at(2, .8, 1, 0),   // duplicate
		at(2, .7, 50, 0),  // class: the dog
		at(2, .6, 6, 50),  // localisation: IoU 40/160 = .25
		at(5, .5, 0, 55),  // both: IoU 50/150 with a cat
		at(5, .4, 30, 30), // background
		at(2, .4, 60, 60), // in the crowd
		at(2, .1, 80, 10), // below the score
		at(9, .9, 0, 0),   // of no category
	}
	e, err := Analyse(pets(), dt, ErrorParams{})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(e.Objects, e.Detections, e.Correct, e.Class, e.Localisation, e.Both, e.Duplicate, e.Background, e.Missed)
	// The dog is explained by the wrong class, the second cat by the wrong place.
	if got != "3 6 1 1 1 1 1 1 0" {
		t.Errorf("%s", got)
	}
	// Classes are in the order of their ids: cat, dog. The cat is found, the dog taken for a cat, the second cat missed;
	// on the background are three cats' boxes (the duplicate, the shifted one ...) and two dogs'.
	if want := "[[1 0 1] [1 0 0] [2 2 0]]"; fmt.Sprint(e.Confusion) != want {
		t.Errorf("confusion %v, want %s", e.Confusion, want)
	}
	for _, s := range []string{"localisation", "confusion", "cat", "background"} {
		if !strings.Contains(e.String(), s) {
			t.Errorf("%q is missing in\n%s", s, e)
		}
	}
}

func TestAnalyseNothing(t *testing.T) {
	t.Parallel()
	e, err := Analyse(pets(), nil, ErrorParams{})
	if err != nil || e.Missed != 3 || e.Detections != 0 || e.Confusion[0][2] != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := Analyse(pets(), []Detection{{ImageID: 7}}, ErrorParams{}); err == nil {
		t.Error("a detection on an unknown image")
	}
	if _, err := Analyse(pets(), nil, ErrorParams{Background: .6}); err == nil {
		t.Error("near above found")
	}
}

// Every detection and object has one kind: the sums agree.
func TestAnalyseAddsUp(t *testing.T) {
	t.Parallel()
	d, err := Load(shared(t, "coco_eval", "instances_val2014_100.json"))
	if err != nil {
		t.Fatal(err)
	}
	dt, err := LoadResults(shared(t, "coco_eval", "instances_val2014_fakebbox100_results.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, score := range []float64{.05, .3, .7} {
		e, err := Analyse(d, dt, ErrorParams{Score: score})
		if err != nil {
			t.Fatal(err)
		}
		if n := e.Correct + e.Class + e.Localisation + e.Both + e.Duplicate + e.Background; n != e.Detections || e.Correct == 0 {
			t.Errorf("score %g: %d of %d detections have a kind", score, n, e.Detections)
		}
		if e.Correct+e.Missed > e.Objects {
			t.Errorf("score %g: %d found and %d missed of %d", score, e.Correct, e.Missed, e.Objects)
		}
		objects := 0
		for _, row := range e.Confusion[:len(e.Names)] {
			for _, n := range row {
				objects += n
			}
		}
		if objects != e.Objects {
			t.Errorf("score %g: the confusion matrix has %d objects of %d", score, objects, e.Objects)
		}
	}
}
