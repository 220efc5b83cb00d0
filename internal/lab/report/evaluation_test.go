package report

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retinago/coco"
)

// evaluation measures as the program does.
func evaluation(t *testing.T, gt *coco.Dataset, dt []coco.Detection) Evaluation {
	t.Helper()
	e := Evaluation{Title: "Evaluation", Lead: "A model on val.json."}
	var err error
	if e.Result, err = coco.Evaluate(gt, dt, coco.Params{}); err != nil {
		t.Fatal(err)
	}
	if e.Scores, err = coco.ByScore(gt, dt, coco.Params{}); err != nil {
		t.Fatal(err)
	}
	if e.Errors, err = coco.Analyse(gt, dt, coco.ErrorParams{}); err != nil {
		t.Fatal(err)
	}
	return e
}

// made is a dataset with an object of each class in each image, of 20 x 20 at (30 class, 0), and a detection that covers
// each: every third is of the next class, every second of half the width.
func made(images int, names ...string) (*coco.Dataset, []coco.Detection) {
	d := &coco.Dataset{Path: "made"}
	var dets []coco.Detection
	for k, n := range names {
		d.Categories = append(d.Categories, coco.Category{ID: int64(k + 1), Name: n})
	}
	for i := range images {
		id := int64(i + 1)
		d.Images = append(d.Images, coco.Image{ID: id, Width: 640, Height: 480})
		for k := range names {
			box := [4]float64{float64(30 * k), 0, 20, 20}
			d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(len(d.Annotations) + 1), ImageID: id, CategoryID: int64(k + 1), BBox: box, Area: 400})
			f := coco.Detection{ImageID: id, CategoryID: int64(k + 1), BBox: box, Score: .9 - .5*float64(i)/float64(images)}
			if i%3 == 2 {
				f.CategoryID = int64((k+1)%len(names) + 1)
			}
			if i%2 == 1 {
				f.BBox[2] = 10
			}
			dets = append(dets, f)
		}
	}
	return d, dets
}

func html(t *testing.T, e Evaluation) string {
	t.Helper()
	s, err := e.Page().HTML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s, "NaN") || strings.Contains(s, "Inf") || strings.Contains(s, "ZgotmplZ") {
		t.Error("the page has a number that is not finite, or a text that the template refused")
	}
	return s
}

func wants(t *testing.T, s string, texts ...string) {
	t.Helper()
	for _, w := range texts {
		if !strings.Contains(s, w) {
			t.Errorf("%q is missing", w)
		}
	}
}

func TestEvaluation(t *testing.T) {
	gt, dt := made(6, "cat", "dog", "pony")
	gt.Categories = append(gt.Categories, coco.Category{ID: 9, Name: "unicorn"})
	dt = append(dt, coco.Detection{ImageID: 1, CategoryID: 77, Score: .5})
	e := evaluation(t, gt, dt)
	e.Broken = map[string]error{"val/b.jpg": errors.New("is cut"), "val/a.jpg": errors.New("is empty")}
	s := html(t, e)
	wants(t, s, "A model on val.json.", "AP small", "AR 100", "IoU .50 to .95", "unicorn", "Images: 6.", "Detections: 19.",
		"1 detections are of categories", "1 classes have no objects", "2 images could not be read", "val/a.jpg: is empty",
		"localisation", "Confused most often", "Mean over classes", "Every class with objects is drawn.",
		fmt.Sprintf("<dd class=\"value\">%.3f</dd>", e.Result.Stats[0]), "6 objects, AP50")
	if strings.Index(s, "val/a.jpg") > strings.Index(s, "val/b.jpg") {
		t.Error("broken pictures are not in order")
	}
	// By hand: in the images 1, 2, 4 and 5 the classes are right, and half the width is an IoU of .5: 4 of 6 are found, with
	// scores of .9, .817, .65 and .567. The wrong class has .733 in image 3, .483 in image 6.
	wants(t, s, "detect -score 0.566, which finds 12 of 18 objects with 3 wrong detections.")
	if n := strings.Count(s, "<figure>"); n != 1+3+1+3+1 {
		t.Errorf("%d figures, want 9: mean and 3 classes, twice, and the kinds", n)
	}
}

// Nothing but the file is needed to show it.
func TestSelfContained(t *testing.T) {
	gt, dt := made(4, "cat", "dog")
	s := html(t, evaluation(t, gt, dt))
	for _, m := range regexp.MustCompile(`(?i)(src|href|url\(|@import|https?://)[^ >]*`).FindAllString(s, -1) {
		if !strings.HasPrefix(m, "href=\"#part") && !strings.HasPrefix(m, "http://www.w3.org/") {
			t.Errorf("the page refers to %s", m)
		}
	}
	if again := html(t, evaluation(t, gt, dt)); again != s {
		t.Error("the same evaluation gives another page")
	}
}

// A user's texts are shown, not run.
func TestEscaping(t *testing.T) {
	evil := []string{`<script>alert("a")</script>`, `"><img src=x onerror=alert(1)>`, `</style></svg>&amp;`, "#1D232A;--heat:9", "猫\x00\xff"}
	gt, dt := made(6, evil...)
	e := evaluation(t, gt, dt)
	e.Title, e.Lead = evil[0], evil[1]
	e.Broken = map[string]error{evil[1]: errors.New(evil[2])}
	s := html(t, e)
	if n := strings.Count(s, "<script"); n != 1 {
		t.Errorf("%d script elements, want the page's one", n)
	}
	if strings.Contains(s, "<img") || strings.Count(s, "</style>") != 1 {
		t.Error("a name became an element")
	}
	wants(t, s, "&lt;script&gt;alert(&#34;a&#34;)&lt;/script&gt;", "&lt;/style&gt;&lt;/svg&gt;&amp;amp;")
}

func TestNothing(t *testing.T) {
	gt, dt := made(3, "cat")
	none := *gt
	none.Annotations = nil
	for name, c := range map[string]struct {
		gt   *coco.Dataset
		dt   []coco.Detection
		want string
	}{
		"no images":     {&coco.Dataset{Categories: gt.Categories}, nil, "There are no objects to find."},
		"no objects":    {&none, dt, "There are no objects to find, or no detections."},
		"no detections": {gt, nil, "There are no objects to find, or no detections."},
		"one class":     {gt, dt, "detect -score"},
		"all wrong":     {gt, []coco.Detection{{ImageID: 1, CategoryID: 1, BBox: [4]float64{200, 200, 5, 5}, Score: .5}}, "nothing is found"},
		"odd scores":    {gt, []coco.Detection{{ImageID: 1, CategoryID: 1, BBox: gt.Annotations[0].BBox, Score: 1e300}}, "Some scores are outside 0 to 1"},
	} {
		t.Run(name, func(t *testing.T) { wants(t, html(t, evaluation(t, c.gt, c.dt)), c.want, "Notes") })
	}
}

func TestManyClasses(t *testing.T) {
	var names []string
	for k := range 80 {
		names = append(names, fmt.Sprintf("class %d", k))
	}
	gt, dt := made(4, names...)
	e := evaluation(t, gt, dt)
	s := html(t, e)
	wants(t, s, "Of the 80 classes the 15 that are confused most", "other classes", "Drawn are the 6 classes with most objects, then the 6 with the least AP50 of the other 74")
	if n := strings.Count(s, "<figure>"); n != 2*(1+drawnClasses)+1 {
		t.Errorf("%d figures", n)
	}
	if n := strings.Count(s, `<th scope="row">class 79</th>`); n < 2 {
		t.Error("the last class is not in the tables")
	}
	if len(s) > 1<<20 {
		t.Errorf("the page has %d bytes", len(s))
	}
}

func TestChosen(t *testing.T) {
	r := &coco.Result{}
	for k := range 20 {
		c := coco.ClassStat{AP50: float64(k) / 20}
		c.Objects[0] = 10 + k%2*k // the odd ones have 11, 13, ... 29
		r.Classes = append(r.Classes, c)
	}
	r.Classes[0].Objects[0] = 0
	got, _ := Evaluation{Result: r}.chosen()
	if want := "[19 17 15 13 11 9 1 2 3 4 5 6]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestMatrix(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	confusion := [][]int{
		{5, 1, 0, 0, 2},
		{0, 6, 0, 3, 1},
		{0, 0, 7, 0, 0},
		{0, 4, 0, 8, 0},
		{1, 2, 3, 4, 0},
	}
	classes := mostConfused(confusion, 2)
	if fmt.Sprint(classes) != "[1 3]" { // b has 1+3+4 confusions, d 3+4
		t.Fatalf("most confused %v", classes)
	}
	var got []string
	for _, row := range matrix(names, confusion, classes).Rows {
		line := ""
		for _, c := range row {
			line += " " + c.Text
		}
		got = append(got, line)
	}
	for i, want := range []string{" b 6 3 · 1", " d 4 8 · ·", " other classes 1 · 12 2", " background 2 4 4 "} {
		if got[i] != want {
			t.Errorf("row %d: %q, want %q", i, got[i], want)
		}
	}
	rows := pairs(names, confusion).Rows
	if len(rows) != 3 || rows[0][0].Text != "d" || rows[0][1].Text != "b" || rows[0][3].Text != "0.333" || rows[2][2].Text != "1" {
		t.Errorf("pairs %v", rows)
	}
}

func TestScore(t *testing.T) {
	for v, want := range map[float64]string{.5: "0.500", .56699: "0.566", 1: "1.000", .0004: "0.000", -.5: "-0.500", 1e300: "1e+300"} {
		if got := score(v); got != want {
			t.Errorf("score(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestThin(t *testing.T) {
	points := make([]coco.ScorePoint, 100000)
	for i := range points {
		points[i].Score = float64(-i)
	}
	few := thin(points)
	if len(few) > plotWidth+1 || len(few) < plotWidth/2 || few[0] != points[0] || few[len(few)-1] != points[len(points)-1] {
		t.Errorf("%d points from %v to %v", len(few), few[0], few[len(few)-1])
	}
	if got := thin(points[:5]); len(got) != 5 {
		t.Errorf("5 points become %d", len(got))
	}
}

// Real detections of 80 classes, saved.
func TestRealEvaluation(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "coco_eval")
	gt, err := coco.Load(filepath.Join(dir, "instances_val2014_100.json"))
	if err != nil {
		t.Skip("needs ../shared/data (real pictures); absent here")
	}
	dt, err := coco.LoadResults(filepath.Join(dir, "instances_val2014_fakebbox100_results.json"))
	if err != nil {
		t.Fatal(err)
	}
	// 0.505, 0.697 and 0.573 are cocoapi's published AP, AP50 and AP75.
	wants(t, html(t, evaluation(t, gt, dt)), `<dd class="value">0.505</dd>`, `<dd class="value">0.697</dd>`, `<dd class="value">0.573</dd>`, "toothbrush")
}
