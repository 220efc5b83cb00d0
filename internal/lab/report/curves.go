package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"retinago/coco"
)

// allClasses and allIoUs are coco's index for a mean over them; areaAll and mostDetections index its areas and limits.
const (
	allClasses     = -1
	allIoUs        = -1
	areaAll        = 0
	mostDetections = 2
)

func unitAxis(name string) Axis { return Axis{Name: name, Min: 0, Max: 1} }

// precision returns plots of precision by recall.
func (e Evaluation) precision() Section {
	r := e.Result
	s := Section{Title: "Precision by recall", Words: "How many of the detections are right when a share of the objects is found: the area below a curve is its AP. " +
		"Precision is COCO's, the largest at this recall or any above."}
	at := func(t, k int) Curve {
		return Curve{X: r.Recalls, Y: r.PrecisionCurve(t, k, areaAll, mostDetections)}
	}
	t50, t75 := slices.Index(r.IoUs, .5), slices.Index(r.IoUs, .75)
	classes, words := e.chosen()
	if len(classes) == 0 || t50 < 0 || t75 < 0 {
		s.Blocks = append(s.Blocks, Text("There are no objects to find."))
		return s
	}
	mean := Plot{Title: "Mean over classes", X: unitAxis("recall"), Y: unitAxis("precision")}
	for _, c := range []struct {
		name string
		t    int
		ap   float64
	}{{"IoU .50", t50, r.Stats[1]}, {"IoU .75", t75, r.Stats[2]}, {"IoU .50 to .95", allIoUs, r.Stats[0]}} {
		curve := at(c.t, allClasses)
		curve.Name = fmt.Sprintf("%s: AP %s", c.name, number(c.ap))
		mean.Curves = append(mean.Curves, curve)
	}
	figures := Figures{mean}
	for _, k := range classes {
		c := r.Classes[k]
		figures = append(figures, Plot{Title: c.Name, Words: fmt.Sprintf("%d objects, AP50 %s", c.Objects[areaAll], number(c.AP50)),
			X: unitAxis("recall"), Y: unitAxis("precision"), Curves: []Curve{at(t50, k)}})
	}
	s.Blocks = append(s.Blocks, Text("The first plot is the mean over classes, the others are single classes at IoU .50. "+words), figures)
	return s
}

// thresholds returns plots of precision, recall and F1 by the least score, with the best scores.
func (e Evaluation) thresholds() Section {
	all := &e.Scores.All
	s := Section{Title: "Which score to ask for", Words: fmt.Sprintf("Precision, recall and F1 (2PR/(P+R)) of the detections of a score or more, at IoU %g. "+
		"F1 is largest at the best score; ask for more where wrong detections cost more than missed objects, for less where it is the other way round.", e.Scores.IoU)}
	if len(all.Points) == 0 {
		s.Blocks = append(s.Blocks, Text("There are no objects to find, or no detections."))
		return s
	}
	common := all.Best.Score
	if all.Best.Found > 0 {
		s.Blocks = append(s.Blocks, Text(fmt.Sprintf("Best for all classes together: detect -score %s, which finds %d of %d objects with %d wrong detections.",
			score(common), all.Best.Found, all.Objects, all.Best.Wrong)))
	}
	if first, last := all.Points[0].Score, all.Points[len(all.Points)-1].Score; last < 0 || first > 1 {
		s.Blocks = append(s.Blocks, Text("Some scores are outside 0 to 1: the curves are not drawn."))
	} else {
		classes, words := e.chosen()
		figures := Figures{scorePlot("All classes together", all)}
		for _, k := range classes {
			figures = append(figures, scorePlot(e.Result.Classes[k].Name, &e.Scores.Classes[k]))
		}
		s.Blocks = append(s.Blocks, Text("The dot is the largest F1. "+words), figures)
	}
	t := Table{Sortable: true, Columns: []Column{{Name: "class"}, {Name: "objects"}, {Name: "best score", Meaning: "of the largest F1"}, {Name: "precision"}, {Name: "recall"}, {Name: "F1"},
		{Name: "precision at " + score(common)}, {Name: "recall at " + score(common)}, {Name: "F1 at " + score(common)}}}
	t.Rows = append(t.Rows, scoreRow("all classes together", all, common))
	for k := range e.Scores.Classes {
		t.Rows = append(t.Rows, scoreRow(e.Result.Classes[k].Name, &e.Scores.Classes[k], common))
	}
	s.Blocks = append(s.Blocks, t)
	return s
}

func scoreRow(name string, c *coco.ScoreCurve, common float64) []Cell {
	none := Number(-1)
	row := []Cell{Word(name), Count(c.Objects), none, none, none, none, none, none, none}
	if b := c.Best; b.Found > 0 {
		row[2] = Cell{Text: score(b.Score), Key: strconv.FormatFloat(b.Score, 'g', 6, 64)}
		row[3], row[4], row[5] = Number(b.Precision), Number(b.Recall), Number(b.F1)
	}
	if c.Objects > 0 {
		p := c.At(common)
		if p.Found+p.Wrong > 0 {
			row[6] = Number(p.Precision)
		}
		row[7], row[8] = Number(p.Recall), Number(p.F1)
	}
	return row
}

// score rounds down, so that a detection with that score counts.
func score(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(math.Floor(v*1000)/1000, 'f', 3, 64)
}

// scorePlot returns a plot with a mark at the largest F1.
func scorePlot(title string, c *coco.ScoreCurve) Plot {
	p := Plot{Title: title, Words: "nothing is found", X: unitAxis("least score"), Y: unitAxis("")}
	points := thin(c.Points)
	for _, v := range []struct {
		name string
		of   func(coco.ScorePoint) float64
	}{
		{"precision", func(p coco.ScorePoint) float64 { return p.Precision }},
		{"recall", func(p coco.ScorePoint) float64 { return p.Recall }},
		{"F1", func(p coco.ScorePoint) float64 { return p.F1 }},
	} {
		curve := Curve{Name: v.name}
		for _, q := range points {
			curve.X, curve.Y = append(curve.X, q.Score), append(curve.Y, v.of(q))
		}
		p.Curves = append(p.Curves, curve)
	}
	if b := c.Best; b.Found > 0 {
		p.Words = fmt.Sprintf("best score %s: F1 %s, precision %s, recall %s", score(b.Score), number(b.F1), number(b.Precision), number(b.Recall))
		p.Curves[2].Mark = &Point{b.Score, b.F1}
	}
	return p
}

// thin keeps about one point for each pixel of a plot.
func thin(points []coco.ScorePoint) []coco.ScorePoint {
	step := (len(points) + plotWidth - 1) / plotWidth
	if step <= 1 {
		return points
	}
	var few []coco.ScorePoint
	for i := 0; i < len(points)-1; i += step {
		few = append(few, points[i])
	}
	return append(few, points[len(points)-1])
}
