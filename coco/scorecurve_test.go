package coco

import (
	"math"
	"reflect"
	"testing"
)

// Two objects and five detections, by hand.
func TestByScore(t *testing.T) {
	t.Parallel()
	crowd := Annotation{BBox: [4]float64{0, 150, 50, 50}, IsCrowd: true}
	gt := scene(object(0, 0, 50, 50), object(100, 100, 50, 50), crowd)
	gt.Categories = append(gt.Categories, Category{ID: 2, Name: "without objects"}, Category{ID: 3, Name: "without detections"})
	gt.Annotations = append(gt.Annotations, Annotation{ID: 99, ImageID: 1, CategoryID: 3, BBox: [4]float64{0, 0, 9, 9}, Area: 81})
	dt := []Detection{
		det(.9, 0, 0, 50, 50),     // right
		det(.7, 60, 0, 20, 20),    // wrong
		det(.7, 100, 100, 50, 50), // right, and of the same score
		det(.6, 0, 150, 50, 50),   // in the crowd: neither
		det(.2, 60, 60, 20, 20),   // wrong
		{ImageID: 1, CategoryID: 2, BBox: [4]float64{0, 0, 5, 5}, Score: .8}, // wrong
	}
	c, err := ByScore(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	first := []ScorePoint{
		{.9, 1, 0, 1, .5, 2. / 3},
		{.7, 2, 1, 2. / 3, 1, .8},
		{.2, 2, 2, .5, 1, 4. / 6},
	}
	if got := c.Classes[0]; got.Objects != 2 || !near(got.Points, first) || got.Best != got.Points[1] || c.IoU != .5 {
		t.Errorf("%+v, want the points %+v", got, first)
	}
	if !reflect.DeepEqual(c.Classes[1], ScoreCurve{}) || !reflect.DeepEqual(c.Classes[2], ScoreCurve{Objects: 1}) {
		t.Errorf("without objects %+v, without detections %+v", c.Classes[1], c.Classes[2])
	}
	all := []ScorePoint{
		{.9, 1, 0, 1, 1. / 3, .5},
		{.8, 1, 1, .5, 1. / 3, .4},
		{.7, 2, 2, .5, 2. / 3, 4. / 7},
		{.2, 2, 3, .4, 2. / 3, .5},
	}
	if c.All.Objects != 3 || !near(c.All.Points, all) || c.All.Best != c.All.Points[2] {
		t.Errorf("together %+v, want the points %+v", c.All, all)
	}
	for score, want := range map[float64]float64{.95: 0, .9: .9, .85: .9, .7: .7, .1: .2} {
		if got := c.Classes[0].At(score); got.Score != want {
			t.Errorf("At(%v) is the point of %v, want %v", score, got.Score, want)
		}
	}
	if _, err := ByScore(gt, dt, Params{IoUs: []float64{.5, .6}}); err == nil {
		t.Error("two thresholds")
	}
	if _, err := ByScore(faulty(), nil, Params{}); err == nil {
		t.Error("faulty ground truth")
	}
}

func near(got, want []ScorePoint) bool {
	if len(got) != len(want) {
		return false
	}
	for i, g := range got {
		w := want[i]
		for _, d := range []float64{g.Score - w.Score, g.Precision - w.Precision, g.Recall - w.Recall, g.F1 - w.F1} {
			if math.Abs(d) > 1e-12 {
				return false
			}
		}
		if g.Found != w.Found || g.Wrong != w.Wrong {
			return false
		}
	}
	return true
}

// The last point of a curve has the recall of Evaluate.
func TestByScoreAgrees(t *testing.T) {
	t.Parallel()
	gt, dt := synthetic(60, 7, 150, 5, 9)
	r, err := Evaluate(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ByScore(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range c.Classes {
		points := c.Classes[k].Points
		if got, want := points[len(points)-1].Recall, r.Recall[r.recallAt(0, k, 0, 2)]; got != want || c.Classes[k].Objects != r.Classes[k].Objects[0] {
			t.Errorf("class %d: recall %v, want %v", k, got, want)
		}
	}
}

// One of two objects is found, first: precision 1 up to recall .5. The class without objects does not count.
func TestPrecisionCurve(t *testing.T) {
	t.Parallel()
	gt := scene(object(0, 0, 50, 50), object(100, 100, 50, 50))
	gt.Categories = append(gt.Categories, Category{ID: 2, Name: "without objects"})
	r, err := Evaluate(gt, []Detection{det(.9, 0, 0, 50, 40)}, Params{}) // IoU .8: at seven of ten thresholds
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		got  []float64
		want [3]float64 // at recall 0, .5, .51
	}{
		"mean":            {r.PrecisionCurve(-1, -1, 0, 2), [3]float64{.7, .7, 0}},
		"IoU .5":          {r.PrecisionCurve(0, 0, 0, 2), [3]float64{1, 1, 0}},
		"IoU .95":         {r.PrecisionCurve(9, 0, 0, 2), [3]float64{}},
		"without objects": {r.PrecisionCurve(0, 1, 0, 2), [3]float64{-1, -1, -1}},
	} {
		for i, p := range []int{0, 50, 51} {
			if len(c.got) != 101 || math.Abs(c.got[p]-c.want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", name, c.got, c.want)
				break
			}
		}
	}
}
