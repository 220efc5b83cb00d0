package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"retinago/coco"
	"retinago/internal/text"
)

// Evaluation holds the data of an evaluation's report.
type Evaluation struct {
	Title  string
	Lead   string            // a sentence that names the model and the dataset
	Result *coco.Result      // with COCO's thresholds and limits
	Scores *coco.ScoreCurves // of the same data, at IoU .5
	Errors *coco.Errors      // of the same data
	Broken map[string]error  // images that could not be read, by path
}

const (
	drawnClasses = 12 // number of classes that have their own plot
	listedItems  = 20 // largest number of items of a list in the notes
)

// Page composes the report.
func (e Evaluation) Page() Page {
	return Page{Title: e.Title, Lead: e.Lead, Sections: []Section{
		e.numbers(), e.classes(), e.precision(), e.thresholds(), e.confusion(), e.kinds(), e.notes(),
	}}
}

func (e Evaluation) numbers() Section {
	s := Section{Title: "COCO's numbers", Words: "AP is the mean precision over all recalls, AR the largest recall; both are means over classes, and over the IoU thresholds " +
		"from .50 to .95 where none is named. Small objects have an area of at most 32² pixels, large ones of at least 96²."}
	limits := e.Result.MaxDets
	var tiles Tiles
	for i, t := range [12]Tile{
		{Name: "AP", Meaning: "IoU .50 to .95"}, {Name: "AP50", Meaning: "IoU .50"}, {Name: "AP75", Meaning: "IoU .75"},
		{Name: "AP small", Meaning: "to 32²"}, {Name: "AP medium", Meaning: "32² to 96²"}, {Name: "AP large", Meaning: "from 96²"},
		{Name: fmt.Sprint("AR ", limits[0]), Meaning: detections(limits[0])}, {Name: fmt.Sprint("AR ", limits[1]), Meaning: detections(limits[1])},
		{Name: fmt.Sprint("AR ", limits[2]), Meaning: detections(limits[2])},
		{Name: "AR small", Meaning: "to 32²"}, {Name: "AR medium", Meaning: "32² to 96²"}, {Name: "AR large", Meaning: "from 96²"},
	} {
		t.Value = number(e.Result.Stats[i])
		tiles = append(tiles, t)
	}
	s.Blocks = append(s.Blocks, tiles)
	return s
}

// detections returns the limit of AR in words.
func detections(n int) string {
	if n == 1 {
		return "1 detection an image and class"
	}
	return fmt.Sprintf("%d detections an image and class", n)
}

func (e Evaluation) classes() Section {
	t := Table{Sortable: true, Columns: []Column{{Name: "class"}, {Name: "objects", Meaning: "that count; crowds do not"}, {Name: "AP", Meaning: "IoU .50 to .95"},
		{Name: "AP50"}, {Name: "AP75"}, {Name: "small", Meaning: "AP of small objects"}, {Name: "medium", Meaning: "AP of medium objects"},
		{Name: "large", Meaning: "AP of large objects"}, {Name: "AR", Meaning: fmt.Sprintf("with %d detections", e.Result.MaxDets[2])}}}
	for _, c := range e.Result.Classes {
		t.Rows = append(t.Rows, []Cell{Word(c.Name), Count(c.Objects[0]), Number(c.AP), Number(c.AP50), Number(c.AP75), Number(c.APSmall),
			Number(c.APMedium), Number(c.APLarge), Number(c.AR)})
	}
	return Section{Title: "Classes", Words: "A click on a column's head sorts. – stands where there are no objects to find.", Blocks: []Block{t}}
}

// chosen returns the classes that have their own plot: all if they are few, else half of them with the most objects and half with the
// least AP50 among the rest. Classes without objects have no curve.
func (e Evaluation) chosen() (classes []int, words string) {
	all := e.Result.Classes
	for k := range all {
		if all[k].Objects[0] > 0 {
			classes = append(classes, k)
		}
	}
	if len(classes) <= drawnClasses {
		return classes, "Every class with objects is drawn."
	}
	slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(all[b].Objects[0], all[a].Objects[0]) })
	rest := classes[drawnClasses/2:]
	slices.SortStableFunc(rest, func(a, b int) int { return cmp.Compare(all[a].AP50, all[b].AP50) })
	return classes[:drawnClasses], fmt.Sprintf("Drawn are the %d classes with most objects, then the %d with the least AP50 of the other %d; the tables have all.",
		drawnClasses/2, drawnClasses/2, len(rest))
}

func (e Evaluation) notes() Section {
	r := e.Result
	counts := List{
		fmt.Sprintf("Images: %d.", r.Images),
		fmt.Sprintf("Detections: %d. Of each image and class the best %d count.", r.Detections, r.MaxDets[2]),
	}
	if r.Unknown > 0 {
		counts = append(counts, fmt.Sprintf("%d detections are of categories that the ground truth does not have; they do not count.", r.Unknown))
	}
	var without []string
	for _, c := range r.Classes {
		if c.Objects[0] == 0 {
			without = append(without, c.Name)
		}
	}
	if len(without) > 0 {
		counts = append(counts, fmt.Sprintf("%d classes have no objects here and do not count in means.", len(without)))
	}
	s := Section{Title: "Notes", Blocks: []Block{counts}}
	if len(without) > 0 {
		s.Blocks = append(s.Blocks, Text("Classes without objects:"), limited(without))
	}
	if len(e.Broken) > 0 {
		var broken []string
		for _, path := range slices.Sorted(maps.Keys(e.Broken)) {
			broken = append(broken, fmt.Sprintf("%s: %v", path, e.Broken[path]))
		}
		s.Blocks = append(s.Blocks, Text(text.Count(len(broken), "image")+" could not be read; their objects count as missed:"), limited(broken))
	}
	return s
}

// limited returns the first items and the number of the others.
func limited(items []string) List {
	if len(items) <= listedItems {
		return items
	}
	return append(slices.Clone(items[:listedItems]), fmt.Sprintf("… and %d more", len(items)-listedItems))
}
