package coco

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// ErrorParams choose the detections that are counted. Zero values take the defaults in brackets.
type ErrorParams struct {
	Score      float64 // least score [.3]
	Foreground float64 // least IoU with the object that a detection finds [.5]
	Background float64 // IoU with every object below which a detection is of the background [.1]
}

// Errors is what a detector does wrong, in numbers of detections and objects (the kinds of Bolya et al. 2020, "TIDE",
// section 2.2).
type Errors struct {
	Params     ErrorParams
	Names      []string // of the classes
	Objects    int      // that count: crowds do not
	Detections int      // above the score, without those in crowd regions
	Correct    int      // found objects

	Class        int // on an object of another class
	Localisation int // near an object of its class, IoU between Background and Foreground
	Both         int // near an object of another class
	Duplicate    int // on an object that a better detection has found
	Background   int // near nothing
	Missed       int // objects that nothing was near enough to

	// Confusion [K+1][K+1] counts objects by class and by the class of the detection that covers them, whatever its
	// class; the last row is detections on the background, the last column objects that nothing covers.
	Confusion [][]int

	empty []int // the row of all classes without objects
}

// Analyse sorts detections into right ones and kinds of errors. Detections of categories that the ground truth does not
// have do not count.
func Analyse(gt *Dataset, dt []Detection, p ErrorParams) (*Errors, error) {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&p.Score, .3)
	set(&p.Foreground, .5)
	set(&p.Background, .1)
	if !(p.Background > 0 && p.Background < p.Foreground && p.Foreground <= 1) {
		return nil, fmt.Errorf("coco: IoUs of %g and %g for near and found objects: give 0 < near < found <= 1", p.Background, p.Foreground)
	}
	x, err := gt.Index()
	if err != nil {
		return nil, err
	}
	if n := len(x.Names); n > maxClasses {
		return nil, fmt.Errorf("coco: %s: %d categories, and at most %d can be analysed: keep some of them with `data subset -classes`", gt.Path, n, maxClasses)
	}
	e := &Errors{Params: p, Names: x.Names, Confusion: make([][]int, len(x.Names)+1)}
	e.empty = make([]int, len(x.Names)+1)
	for i := range e.Confusion {
		e.Confusion[i] = e.empty
	}
	byImage := make([][]int32, len(gt.Images))
	for i, d := range dt {
		image, ok := x.ImageOf[d.ImageID]
		if !ok {
			return nil, fmt.Errorf("coco: detection %d is of image %d, which the ground truth does not have", i, d.ImageID)
		}
		if _, known := x.ClassOf[d.CategoryID]; known && d.Score >= p.Score {
			byImage[image] = append(byImage[image], int32(i))
		}
	}
	for i, list := range byImage {
		slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(dt[b].Score, dt[a].Score) })
		e.image(gt, x, i, dt, list)
	}
	return e, nil
}

// image sorts the detections of one image, best first.
func (e *Errors) image(gt *Dataset, x *Index, image int, dt []Detection, list []int32) {
	var objects, crowds []*Annotation
	for _, k := range x.Annotations[image] {
		if a := &gt.Annotations[k]; a.IsCrowd {
			crowds = append(crowds, a)
		} else {
			objects = append(objects, a)
		}
	}
	e.Objects += len(objects)
	found, touched, covered := make([]bool, len(objects)), make([]bool, len(objects)), make([]bool, len(objects))
	var wrong []int32
	for _, d := range list {
		if g := e.best(dt[d], objects, e.Params.Foreground, func(g int) bool { return !found[g] && objects[g].CategoryID == dt[d].CategoryID }); g >= 0 {
			found[g] = true
			e.Correct++
			e.Detections++
		} else if !inCrowd(dt[d], crowds) {
			wrong = append(wrong, d)
			e.Detections++
		}
		// The confusion matrix counts by place alone.
		if g := e.best(dt[d], objects, e.Params.Foreground, func(g int) bool { return !covered[g] }); g >= 0 {
			covered[g] = true
			e.confuse(x.ClassOf[objects[g].CategoryID], x.ClassOf[dt[d].CategoryID])
		} else if !inCrowd(dt[d], crowds) {
			e.confuse(len(e.Names), x.ClassOf[dt[d].CategoryID])
		}
	}
	for _, d := range wrong {
		same := func(g int) bool { return objects[g].CategoryID == dt[d].CategoryID }
		other := func(g int) bool { return !same(g) }
		if g := e.best(dt[d], objects, e.Params.Foreground, same); g >= 0 {
			e.Duplicate++
		} else if g := e.best(dt[d], objects, e.Params.Foreground, other); g >= 0 {
			e.Class++
			touched[g] = true
		} else if g := e.best(dt[d], objects, e.Params.Background, same); g >= 0 {
			e.Localisation++
			touched[g] = true
		} else if g := e.best(dt[d], objects, e.Params.Background, other); g >= 0 {
			e.Both++
		} else {
			e.Background++
		}
	}
	for g, o := range objects {
		if !found[g] && !touched[g] {
			e.Missed++
		}
		if !covered[g] {
			e.confuse(x.ClassOf[o.CategoryID], len(e.Names))
		}
	}
}

// confuse counts an object of a class that was taken for another.
func (e *Errors) confuse(object, taken int) {
	if &e.Confusion[object][0] == &e.empty[0] {
		e.Confusion[object] = make([]int, len(e.empty))
	}
	e.Confusion[object][taken]++
}

// best is the object of largest IoU of at least least among those that pass, -1 if there is none.
func (e *Errors) best(d Detection, objects []*Annotation, least float64, pass func(g int) bool) int {
	found := -1
	for g, o := range objects {
		if v := iou(&d.BBox, &o.BBox, false); v >= least && pass(g) && (found < 0 || v > least) {
			found, least = g, v
		}
	}
	return found
}

// inCrowd reports whether half of a detection lies in a crowd region of its class.
func inCrowd(d Detection, crowds []*Annotation) bool {
	return slices.ContainsFunc(crowds, func(c *Annotation) bool {
		return c.CategoryID == d.CategoryID && iou(&d.BBox, &c.BBox, true) >= .5
	})
}

// ErrorKind is one kind of Errors in words. Count is of detections, for "missed" of objects.
type ErrorKind struct {
	Name    string
	Count   int
	Meaning string
}

// Kinds lists what becomes of detections and objects: the correct ones first, then the kinds of errors.
func (e *Errors) Kinds() []ErrorKind {
	return []ErrorKind{
		{"correct", e.Correct, fmt.Sprintf("IoU %g or more with an object of the class", e.Params.Foreground)},
		{"class", e.Class, "on an object of another class"},
		{"localisation", e.Localisation, fmt.Sprintf("IoU of %g to %g with an object of the class", e.Params.Background, e.Params.Foreground)},
		{"both", e.Both, "near an object of another class"},
		{"duplicate", e.Duplicate, "on an object that is found already"},
		{"background", e.Background, "near nothing"},
		{"missed", e.Missed, "objects that nothing of the above explains"},
	}
}

// String is a table of the kinds, and the confusion matrix where it has at most 20 classes.
func (e *Errors) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(&b, "%d objects, %d detections with a score of %g or more\n", e.Objects, e.Detections, e.Params.Score)
	for _, k := range e.Kinds() {
		fmt.Fprintf(w, "%s\t%d\t  %s\n", k.Name, k.Count, k.Meaning)
	}
	w.Flush()
	if len(e.Names) > 20 {
		return b.String()
	}
	names := newColumn("", len(e.Names), func(i int) string { return e.Names[i] }).names
	b.WriteString("confusion: rows are objects, columns detections\n")
	w = tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\tmissed\t\n", strings.Join(names, "\t"))
	for i, row := range e.Confusion {
		name := "background"
		if i < len(names) {
			name = names[i]
		}
		fmt.Fprintf(w, "%s\t", name)
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}
