package report

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	matrixClasses   = 25 // largest number of classes with the whole matrix
	confusedClasses = 15 // classes shown of a larger matrix
	confusedPairs   = 15
)

// confusion returns a section with the confusion matrix: the whole, or the most confused classes.
func (e Evaluation) confusion() Section {
	x := e.Errors
	s := Section{Title: "Confusion", Words: fmt.Sprintf("Rows are objects, columns the class of the detection that covers them (IoU %g or more, a score of %g or more). "+
		"The last column is objects that nothing covers, the last row detections that cover no object. The strength of a ground is the share of its row.", x.Params.Foreground, x.Params.Score)}
	K := len(x.Names)
	classes := make([]int, K)
	for k := range classes {
		classes[k] = k
	}
	if K > matrixClasses {
		classes = mostConfused(x.Confusion, confusedClasses)
		s.Words += fmt.Sprintf(" Of the %d classes the %d that are confused most with others are shown; the rest are summed up.", K, len(classes))
	}
	s.Blocks = append(s.Blocks, matrix(x.Names, x.Confusion, classes))
	if t := pairs(x.Names, x.Confusion); len(t.Rows) > 0 {
		s.Blocks = append(s.Blocks, t)
	}
	return s
}

// mostConfused returns n classes, those with the most confusions with other classes first.
func mostConfused(confusion [][]int, n int) []int {
	K := len(confusion) - 1
	wrong, classes := make([]int, K), make([]int, K)
	for i := range K {
		classes[i] = i
		for j := range K {
			if i != j {
				wrong[i] += confusion[i][j]
				wrong[j] += confusion[i][j]
			}
		}
	}
	slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(wrong[b], wrong[a]) })
	return classes[:min(n, K)]
}

// matrix returns a table of the classes, with all other classes as one, and of missed objects and background.
func matrix(names []string, confusion [][]int, classes []int) Table {
	K := len(names)
	groups := make([][]int, 0, len(classes)+2) // of rows and columns alike
	t := Table{Columns: []Column{{Name: "object"}}}
	head := func(name string, group []int) {
		t.Columns = append(t.Columns, Column{Name: name, Meaning: name, Upright: true})
		groups = append(groups, group)
	}
	shown := map[int]bool{}
	for _, k := range classes {
		head(names[k], []int{k})
		shown[k] = true
	}
	var others []int
	for k := range K {
		if !shown[k] {
			others = append(others, k)
		}
	}
	if len(others) > 0 {
		head("other classes", others)
	}
	head("missed", []int{K})
	for i, rows := range groups {
		name := t.Columns[i+1].Name
		if i == len(groups)-1 {
			name = "background"
		}
		line := []Cell{Word(name)}
		total := sum(confusion, rows, nil)
		for j, columns := range groups {
			n := sum(confusion, rows, columns)
			share := 0.0
			if total > 0 {
				share = float64(n) / float64(total)
			}
			switch {
			case len(rows) > 1 && i == j: // the other classes: right and wrong together
				line = append(line, Count(n))
			case i == len(groups)-1 && i == j: // background found as background does not exist
				line = append(line, Cell{})
			default:
				line = append(line, Heat(n, share, i == j))
			}
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// sum returns the sum of a part of the matrix. With columns nil it takes all columns.
func sum(confusion [][]int, rows, columns []int) int {
	n := 0
	for _, i := range rows {
		if columns == nil {
			for _, v := range confusion[i] {
				n += v
			}
		}
		for _, j := range columns {
			n += confusion[i][j]
		}
	}
	return n
}

// pairs returns the most frequent confusions.
func pairs(names []string, confusion [][]int) Table {
	type pair struct{ object, taken int }
	var all []pair
	for i := range names {
		for j := range names {
			if i != j && confusion[i][j] > 0 {
				all = append(all, pair{i, j})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(confusion[b.object][b.taken], confusion[a.object][a.taken]) })
	t := Table{Caption: "Confused most often", Sortable: true, Columns: []Column{{Name: "object"}, {Name: "taken for", Left: true}, {Name: "times"}, {Name: "share", Meaning: "of the class's objects"}}}
	for _, p := range all[:min(len(all), confusedPairs)] {
		n := confusion[p.object][p.taken]
		t.Rows = append(t.Rows, []Cell{Word(names[p.object]), Word(names[p.taken]), Count(n), Number(float64(n) / float64(sum(confusion, []int{p.object}, nil)))})
	}
	return t
}

// advice has, for each kind of error, what to check when it is frequent.
var advice = map[string]string{
	"correct":      "",
	"class":        "Look at the pairs above: are the labels consistent, is one class rare?",
	"localisation": "Are the labels' boxes tight? Larger images and fitting anchors help with small objects.",
	"both":         "Often the same images as the two kinds above.",
	"duplicate":    "A smaller IoU of NMS, or another of its methods.",
	"background":   "Are there objects without labels? Otherwise a higher score, or more images without objects.",
	"missed":       "A lower score; anchors fit reports what the anchors miss; larger images for small objects.",
}

func (e Evaluation) kinds() Section {
	x := e.Errors
	s := Section{Title: "Kinds of errors", Words: fmt.Sprintf("%d objects and %d detections of a score of %g or more. Every detection is of one kind; missed are objects.",
		x.Objects, x.Detections, x.Params.Score)}
	bars := Bars{Title: "Detections by kind, and missed objects", Name: "number"}
	t := Table{Columns: []Column{{Name: "kind"}, {Name: "number"}, {Name: "what it is", Left: true}, {Name: "what to look at", Left: true}}}
	for _, k := range x.Kinds() {
		bars.Bars = append(bars.Bars, Bar{Name: k.Name, Value: float64(k.Count)})
		t.Rows = append(t.Rows, []Cell{Word(k.Name), Count(k.Count), Words(k.Meaning), Words(advice[k.Name])})
	}
	s.Blocks = append(s.Blocks, Figures{bars}, t)
	return s
}
