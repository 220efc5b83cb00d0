package coco

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared is real data beside the repository; the test is skipped where it is absent.
func shared(t testing.TB, parts ...string) string {
	path := filepath.Join(append([]string{"..", "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs ../shared/data (real pictures); absent here")
	}
	return path
}

// TestPublishedNumbers scores the example detections of cocoapi against true COCO; expected.txt is its published output.
func TestPublishedNumbers(t *testing.T) {
	t.Parallel()
	gt, err := Load(shared(t, "coco_eval", "instances_val2014_100.json"))
	if err != nil {
		t.Fatal(err)
	}
	dt, err := LoadResults(shared(t, "coco_eval", "instances_val2014_fakebbox100_results.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Evaluate(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(shared(t, "coco_eval", "expected.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(want), " Average Precision")
	if lines = " Average Precision" + lines; strings.TrimRight(lines, "\n") != strings.TrimRight(r.String(), "\n") {
		t.Errorf("got\n%swant\n%s", r, lines)
	}
}

type parityCase struct {
	GroundTruth json.RawMessage `json:"ground_truth"`
	Detections  json.RawMessage `json:"detections"`
	Expected    struct {
		Stats     [12]float64             `json:"stats"`
		Summary   []string                `json:"summary"`
		Means     map[string][4]float64   `json:"precision_mean_per_class_area"`
		Recall    [][][4]float64          `json:"recall"`
		Precision map[string][101]float64 `json:"precision_t50_all_m100"`
		Scores    map[string][101]float64 `json:"scores_t50_all_m100"`
	} `json:"expected"`
}

// TestParity compares with what pycocotools gave for generated data: ties, crowds, ignore, empty classes and
// images, more than 100 detections.
func TestParity(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared(t, "coco_eval", "cases"), "*.json"))
	if err != nil || len(files) != 60 {
		t.Fatalf("%d cases, want 60 (%v)", len(files), err)
	}
	worst, numbers, exact := 0.0, 0, 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c parityCase
			if err := json.Unmarshal(b, &c); err != nil {
				t.Fatal(err)
			}
			gt, err := Read(strings.NewReader(string(c.GroundTruth)), file, LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			dt, err := ReadResults(strings.NewReader(string(c.Detections)), file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Evaluate(gt, dt, Params{})
			if err != nil {
				t.Fatal(err)
			}
			same := func(what string, got, want float64) {
				t.Helper()
				numbers++
				if got == want {
					exact++
				}
				worst = max(worst, math.Abs(got-want))
				if !(math.Abs(got-want) <= 1e-12) {
					t.Errorf("%s: got %v, want %v", what, got, want)
				}
			}
			for i, want := range c.Expected.Stats {
				same(fmt.Sprint("stats ", i), r.Stats[i], want)
			}
			for i, want := range c.Expected.Summary {
				if got := r.Summary()[i]; got != want {
					t.Errorf("line %q, want %q", got, want)
				}
			}
			if len(c.Expected.Recall) != 10 || len(c.Expected.Means) != len(r.Classes) || len(c.Expected.Precision) != len(r.Classes) {
				t.Fatalf("the case has other dimensions than the result")
			}
			for i := range c.Expected.Recall {
				for k := range c.Expected.Recall[i] {
					for a, want := range c.Expected.Recall[i][k] {
						same(fmt.Sprint("recall ", i, k, a), r.Recall[r.recallAt(i, k, a, 2)], want)
					}
				}
			}
			for k, class := range r.Classes {
				id := fmt.Sprint(class.ID)
				for a, want := range c.Expected.Means[id] {
					same(fmt.Sprint("mean ", id, a), r.MeanPrecision(-1, k, a, 2), want)
				}
				for p, want := range c.Expected.Precision[id] {
					same(fmt.Sprint("precision ", id, p), r.Precision[r.precisionAt(0, p, k, 0, 2)], want)
				}
				for p, want := range c.Expected.Scores[id] {
					same(fmt.Sprint("score ", id, p), r.Scores[r.precisionAt(0, p, k, 0, 2)], want)
				}
			}
		})
	}
	t.Logf("%d of %d numbers are equal to the last bit, the largest difference is %g", exact, numbers, worst)
}

// TestRealDataLoads reads every COCO JSON at hand, whole, repairs and saves it, and reads it again.
func TestRealDataLoads(t *testing.T) {
	t.Parallel()
	for _, parts := range [][]string{
		{"coco_tiny80", "annotations", "instances_train2017.json"}, {"coco_tiny80", "annotations", "instances_val2017.json"},
		{"facemask", "annotations", "train.json"}, {"facemask", "annotations", "val.json"},
		{"chess", "annotations", "train.json"}, {"chess", "annotations", "val.json"}, {"chess", "annotations", "test.json"},
		{"coco_eval", "instances_val2014_100.json"},
	} {
		d, err := LoadWith(shared(t, parts...), LoadOptions{Segmentation: true, Extra: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Index(); err != nil {
			t.Error(err)
		}
		t.Logf("%v\n%s%s", parts, Summary(d.Check()), d.Stats())
		fixed, report := d.Fix(Clip)
		for _, p := range report.Left {
			if p.Severity == Error {
				t.Errorf("left after fix: %s", p)
			}
		}
		path := filepath.Join(t.TempDir(), "out.json")
		if err := fixed.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := LoadWith(path, LoadOptions{Segmentation: true, Extra: true})
		if err != nil {
			t.Fatal(err)
		}
		sameData(t, again, fixed)
		for i := range d.Annotations {
			if a := &d.Annotations[i]; len(a.Segmentation) > 2 {
				seg, err := ParseSegmentation(a.Segmentation)
				if err != nil {
					t.Fatalf("%s: %v", d.annotationName(i), err)
				}
				// A crowd's box has whole pixels.
				box := seg.BBox()
				for j := range box {
					if math.Abs(box[j]-a.BBox[j]) > 1.01 {
						t.Errorf("%s: box of the mask %v, bbox %v", d.annotationName(i), box, a.BBox)
						break
					}
				}
				if seg.RLE != nil && (seg.Area() > a.Area || seg.Area() < a.Area/2) { // COCO counts some pixels of its crowds twice
					t.Errorf("%s: area of the RLE %v, area %v", d.annotationName(i), seg.Area(), a.Area)
				}
			}
		}
	}
}

// sameData compares what Save writes.
func sameData(t *testing.T, got, want *Dataset) {
	t.Helper()
	if len(got.Images) != len(want.Images) || len(got.Annotations) != len(want.Annotations) || len(got.Categories) != len(want.Categories) {
		t.Fatalf("%d images, %d annotations, %d categories; want %d, %d, %d", len(got.Images), len(got.Annotations),
			len(got.Categories), len(want.Images), len(want.Annotations), len(want.Categories))
	}
	text := func(v any) string { // compacts the raw members
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if text(got.Info) != text(want.Info) || text(got.Licenses) != text(want.Licenses) || text(got.Extra) != text(want.Extra) {
		t.Error("info, licenses or extra members differ")
	}
	for i := range got.Images {
		if g, w := text(got.Images[i]), text(want.Images[i]); g != w {
			t.Fatalf("image %d: %s, want %s", i, g, w)
		}
	}
	for i := range got.Categories {
		if g, w := text(got.Categories[i]), text(want.Categories[i]); g != w {
			t.Fatalf("category %d: %s, want %s", i, g, w)
		}
	}
	for i := range got.Annotations {
		if g, w := text(got.Annotations[i]), text(want.Annotations[i]); g != w {
			t.Fatalf("annotation %d: %s, want %s", i, g, w)
		}
	}
}

// BenchmarkMetric is COCO val's size: 5000 images, 80 classes, 36 thousand objects, 100 detections an image.
func BenchmarkMetric(b *testing.B) {
	gt, dt := synthetic(5000, 7, 100, 80, 1)
	truth, results := filepath.Join(b.TempDir(), "gt.json"), filepath.Join(b.TempDir(), "dt.json")
	if err := errors.Join(gt.Save(truth), SaveResults(results, dt)); err != nil {
		b.Fatal(err)
	}
	if d := os.Getenv("RETINAGO_COCO_BENCH"); d != "" {
		truth, results = filepath.Join(d, "coco_gt.json"), filepath.Join(d, "coco_dt.json")
	}
	b.Run("evaluate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Evaluate(gt, dt, Params{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load and evaluate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d, err := Load(truth)
			if err != nil {
				b.Fatal(err)
			}
			found, err := LoadResults(results)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := Evaluate(d, found, Params{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
