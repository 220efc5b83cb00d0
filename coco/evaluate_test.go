package coco

import (
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// scene is one image of 200 x 200 with objects of one class.
func scene(anns ...Annotation) *Dataset {
	d := &Dataset{Path: "scene", Images: []Image{{ID: 1, FileName: "a", Width: 200, Height: 200}}, Categories: []Category{{ID: 1, Name: "c"}}}
	for i, a := range anns {
		if a.ID == 0 {
			a.ID = int64(i + 1)
		}
		a.ImageID, a.CategoryID = 1, 1
		if a.Area == 0 {
			a.Area = a.BBox[2] * a.BBox[3]
		}
		d.Annotations = append(d.Annotations, a)
	}
	return d
}

func object(x, y, w, h float64) Annotation { return Annotation{BBox: [4]float64{x, y, w, h}} }

func det(score, x, y, w, h float64) Detection { return Detection{1, 1, [4]float64{x, y, w, h}, score} }

// TestEvaluateByHand has numbers that follow from the protocol on paper. Objects of 50 x 50 are medium.
func TestEvaluateByHand(t *testing.T) {
	t.Parallel()
	a, b := object(0, 0, 50, 50), object(100, 100, 50, 50)
	crowd := Annotation{BBox: [4]float64{0, 0, 100, 100}, IsCrowd: true}
	ignored := b
	ignored.Ignore = true
	zero := scene(a)
	zero.Annotations[0].ID = 0
	half := 51.0 / 101 // one of two objects: the 51 recall points 0 ... .50 are reached
	for _, c := range []struct {
		name          string
		gt            *Dataset
		dt            []Detection
		ap, ap50      float64
		ar1, ar, apML float64 // AR with 1 and 100 detections, AP of medium objects
	}{
		{"all found", scene(a, b), []Detection{det(.9, 0, 0, 50, 50), det(.8, 100, 100, 50, 50)}, 1, 1, .5, 1, 1},
		{"nothing found", scene(a, b), nil, 0, 0, 0, 0, 0},
		{"no objects", scene(), []Detection{det(.9, 0, 0, 50, 50)}, -1, -1, -1, -1, -1},
		{"only a crowd", scene(crowd), []Detection{det(.9, 0, 0, 50, 50)}, -1, -1, -1, -1, -1},
		{"one of two", scene(a, b), []Detection{det(.9, 0, 0, 50, 50)}, half, half, .5, .5, half},
		{"found twice", scene(a), []Detection{det(.9, 0, 0, 50, 50), det(.8, 0, 0, 50, 50)}, 1, 1, 1, 1, 1},
		{"a wrong one before", scene(a), []Detection{det(.9, 100, 0, 50, 50), det(.8, 0, 0, 50, 50)}, .5, .5, 0, 1, .5},
		{"equal scores keep their order", scene(a), []Detection{det(.8, 100, 0, 50, 50), det(.8, 0, 0, 50, 50)}, .5, .5, 0, 1, .5},
		// IoU 40/50: a hit at the seven thresholds .50 ... .80.
		{"IoU .8", scene(a), []Detection{det(.9, 0, 0, 50, 40)}, .7, 1, .7, .7, .7},
		// 60 x 50 = 3000 px inside the crowd alone are neither right nor wrong.
		{"inside a crowd", scene(crowd, b), []Detection{det(.9, 0, 0, 60, 50), det(.8, 10, 0, 60, 50), det(.7, 100, 100, 50, 50)}, 1, 1, 0, 1, 1},
		// IoU with a crowd is over the detection's area, here 30/60: ignored at .50; wrong, and first, at the nine others.
		{"half inside a crowd", scene(crowd, b), []Detection{det(.9, 70, 0, 60, 50), det(.7, 100, 100, 50, 50)}, .55, 1, 0, 1, .55},
		{"ignore is overridden by iscrowd", scene(a, ignored), []Detection{det(.9, 0, 0, 50, 50)}, half, half, .5, .5, half},
		// 120 x 120 is no match and not medium: it does not harm the AP of medium objects.
		{"a large one is wrong", scene(a), []Detection{det(.9, 60, 60, 120, 120), det(.8, 0, 0, 50, 50)}, .5, .5, 0, 1, 1},
		// Areas of 1e-400 are 0 and the IoU is 0/0: not below a threshold, as pycocotools asks, hence a match. No medium object.
		{"an IoU of 0/0", scene(object(0, 0, 1e-200, 1e-200)), []Detection{det(.9, 0, 0, 1e-200, 1e-200)}, 1, 1, 1, 1, -1},
		// pycocotools marks a match by the id of the object: 0 is no mark, and the detection is wrong.
		{"an object with id 0", zero, []Detection{det(.9, 0, 0, 50, 50)}, 0, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Evaluate(c.gt, c.dt, Params{})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range map[int]float64{0: c.ap, 1: c.ap50, 6: c.ar1, 8: c.ar, 4: c.apML} {
				if math.Abs(r.Stats[i]-want) > 1e-12 {
					t.Errorf("stats[%d] = %v, want %v\n%s", i, r.Stats[i], want, r)
				}
			}
		})
	}
}

// TestLimit has 150 wrong detections before the right one: only 100 count in an image.
func TestLimit(t *testing.T) {
	t.Parallel()
	gt := scene(object(0, 0, 50, 50))
	var dt []Detection
	for i := range 150 {
		dt = append(dt, det(.9-float64(i)/1000, 100, 100, 20, 20))
	}
	dt = append(dt, det(.01, 0, 0, 50, 50))
	r, err := Evaluate(gt, dt, Params{})
	if err != nil || r.Stats[0] != 0 || r.Stats[8] != 0 {
		t.Errorf("stats %v, %v, want zeros", r.Stats, err)
	}
	r, err = Evaluate(gt, dt, Params{MaxDets: [3]int{1, 10, 151}})
	if err != nil || math.Abs(r.Stats[0]-1./151) > 1e-12 || r.Stats[8] != 1 {
		t.Errorf("stats %v, %v, want 1/151 and 1", r.Stats, err)
	}
}

func TestImageSubset(t *testing.T) {
	t.Parallel()
	gt, dt := synthetic(20, 5, 10, 3, 2)
	ids := []int64{3, 7, 7, 11}
	part := *gt
	part.Images, part.Annotations = nil, nil
	keep := map[int64]bool{3: true, 7: true, 11: true}
	for _, im := range gt.Images {
		if keep[im.ID] {
			part.Images = append(part.Images, im)
		}
	}
	for _, a := range gt.Annotations {
		if keep[a.ImageID] {
			part.Annotations = append(part.Annotations, a)
		}
	}
	var few []Detection
	for _, d := range dt {
		if keep[d.ImageID] {
			few = append(few, d)
		}
	}
	got, err := Evaluate(gt, dt, Params{ImageIDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Evaluate(&part, few, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Stats != want.Stats || got.Images != 3 {
		t.Errorf("got %v of %d images, want %v of 3", got.Stats, got.Images, want.Stats)
	}
	if _, err := Evaluate(gt, dt, Params{ImageIDs: []int64{99}}); err == nil || !strings.Contains(err.Error(), "image id 99") {
		t.Errorf("an unknown image: %v", err)
	}
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	gt, dt := synthetic(60, 7, 50, 5, 3)
	var first *Result
	for _, workers := range []int{1, 2, 7} {
		r, err := Evaluate(gt, dt, Params{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		} else if !reflect.DeepEqual(r, first) {
			t.Errorf("%d workers give another result", workers)
		}
	}
	if first.Stats[0] <= 0 || first.Stats[0] >= 1 {
		t.Errorf("AP %v proves nothing", first.Stats[0])
	}
}

func TestEvaluateErrors(t *testing.T) {
	t.Parallel()
	gt := scene(object(0, 0, 50, 50))
	for name, c := range map[string]struct {
		dt   []Detection
		p    Params
		want string
	}{
		"unknown image": {[]Detection{{99, 1, [4]float64{0, 0, 1, 1}, .5}}, Params{}, "image_id 99 is not among the images of scene"},
		"NaN score":     {[]Detection{{1, 1, [4]float64{0, 0, 1, 1}, math.NaN()}}, Params{}, "score NaN"},
		"IoU 0":         {nil, Params{IoUs: []float64{0}}, "IoU threshold 0"},
		"no IoUs":       {nil, Params{IoUs: []float64{}}, "no IoU thresholds"},
		"limits":        {nil, Params{MaxDets: [3]int{10, 1, 100}}, "ascending"},
	} {
		if _, err := Evaluate(gt, c.dt, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := Evaluate(faulty(), nil, Params{}); err == nil || !strings.Contains(err.Error(), "cannot be scored against") {
		t.Errorf("faulty ground truth: %v", err)
	}
	r, err := Evaluate(gt, []Detection{{1, 5, [4]float64{0, 0, 1, 1}, .5}}, Params{IoUs: []float64{.6}})
	if err != nil || r.Unknown != 1 || r.Stats[0] != 0 || r.Stats[1] != -1 || !strings.Contains(r.String(), "IoU=0.60:0.60") {
		t.Errorf("a detection of an unknown category: %+v, %v", r, err)
	}
}

func TestResultOutput(t *testing.T) {
	t.Parallel()
	gt, dt := synthetic(10, 4, 5, 3, 4)
	gt.Categories = append(gt.Categories, Category{ID: 90, Name: "größe"}) // without objects
	r, err := Evaluate(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "result.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Stats     [12]float64
		Summary   []string
		PerClass  []map[string]any `json:"per_class"`
		Precision [][][][][]float64
		Recall    [][][][]float64
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.Stats != r.Stats || len(v.PerClass) != 4 || v.PerClass[0]["ap"] != r.Classes[0].AP || v.PerClass[3]["name"] != "größe" || v.PerClass[3]["ap"] != -1.0 {
		t.Errorf("JSON %v %v", v.Stats, v.PerClass)
	}
	if strings.Join(v.Summary, "\n")+"\n" != r.String() || strings.Count(r.String(), "\n") != 12 {
		t.Errorf("summary %q", v.Summary)
	}
	for ti := range 10 {
		for k := range 4 {
			for a := range 4 {
				for m := range 3 {
					if v.Recall[ti][k][a][m] != r.Recall[r.recallAt(ti, k, a, m)] {
						t.Fatalf("recall %d %d %d %d", ti, k, a, m)
					}
					for p := range recallPoints {
						if v.Precision[ti][p][k][a][m] != r.Precision[r.precisionAt(ti, p, k, a, m)] {
							t.Fatalf("precision %d %d %d %d %d", ti, p, k, a, m)
						}
					}
				}
			}
		}
	}
	if lines := strings.Split(r.Table(), "\n"); len(lines) != 6 || !strings.HasSuffix(lines[4], "       -") || len([]rune(lines[1])) != len([]rune(lines[4])) {
		t.Errorf("table\n%s", r.Table())
	}
}
