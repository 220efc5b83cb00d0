package coco

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestResults(t *testing.T) {
	t.Parallel()
	text := `[{"score": 0.25, "bbox": [1, 2, 3.5, 4], "image_id": 42, "category_id": 18.0, "segmentation": {"counts": "x"}},
	 {"image_id":1,"category_id":1,"bbox":[-1e-7,0,1,1],"score":1e-9}]`
	got, err := ReadResults(strings.NewReader(text), "r.json")
	want := []Detection{{42, 18, [4]float64{1, 2, 3.5, 4}, .25}, {1, 1, [4]float64{-1e-7, 0, 1, 1}, 1e-9}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, %v", got, err)
	}
	path := filepath.Join(t.TempDir(), "r.json")
	for _, dets := range [][]Detection{want, {}} {
		if err := SaveResults(path, dets); err != nil {
			t.Fatal(err)
		}
		if again, err := LoadResults(path); err != nil || !reflect.DeepEqual(again, dets) {
			t.Errorf("round trip gives %v, %v", again, err)
		}
	}
	want[1].Score = math.NaN()
	if err := SaveResults(path, want); err == nil || !strings.Contains(err.Error(), "detection 1") {
		t.Errorf("NaN was saved: %v", err)
	}
}

func TestResultsErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                 "the file is empty",
		`{"images":[]}`:    "a results file is a list",
		`[1]`:              "results[0] (byte 1): want an object, saw 1",
		`[{"image_id":1}]`: `has no "score"`,
		`[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":NaN}]`:      "score NaN is not finite",
		`[{"image_id":1,"category_id":1,"bbox":[1,2,Infinity,4],"score":1}]`: "bbox [1 2 +Inf 4] is not finite",
		`[{"image_id":1,"category_id":1,"bbox":[1,2,3],"score":1}]`:          "want 4 numbers",
		`[{"image_id":[],"category_id":1,"bbox":[1,2,3,4],"score":1}]`:       "image_id: want an integer",
		`[{"image_id":1,`: "in results[0]: the JSON ends too soon",
		`[] x`:            "the end of the file",
	} {
		if _, err := ReadResults(strings.NewReader(text), "r.json"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "r.json") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
