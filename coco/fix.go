package coco

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Mode is how Fix treats an annotation that could be repaired.
type Mode int

const (
	Clip Mode = iota // repair: clip boxes to the image, compute areas, renumber; drop only what is useless
	Drop             // drop every annotation that has a warning or an error
)

// ParseMode reads "clip" or "drop".
func ParseMode(s string) (Mode, error) {
	switch s {
	case "clip":
		return Clip, nil
	case "drop":
		return Drop, nil
	}
	return 0, fmt.Errorf("fix mode %q: want clip or drop", s)
}

// Change is one repair.
type Change struct {
	Kind   Kind   // the fault
	Item   string // "annotations[3] (id 17, byte 420)", counted as before the repair
	Action string // "dropped", "clipped to [0 0 10 20]" ...
}

func (c Change) String() string { return fmt.Sprintf("%s: %s: %s", c.Item, c.Kind, c.Action) }

// Report is what Fix did.
type Report struct {
	Changes []Change     // the first 50 of each kind
	Changed map[Kind]int // how many changes of each kind there are
	Left    []Problem    // warnings and errors that need a person, as Check lists them: missing sizes, file names, double names

	ImagesBefore, ImagesAfter           int
	AnnotationsBefore, AnnotationsAfter int
	CategoriesBefore, CategoriesAfter   int
}

// String has the counts and the first changes.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "images %d -> %d, annotations %d -> %d, categories %d -> %d, %d changes\n", r.ImagesBefore, r.ImagesAfter,
		r.AnnotationsBefore, r.AnnotationsAfter, r.CategoriesBefore, r.CategoriesAfter, r.changes())
	for i, c := range r.Changes {
		if i == maxFaults {
			fmt.Fprintf(&b, "  and %d more\n", r.changes()-i)
			break
		}
		fmt.Fprintf(&b, "  %s\n", c)
	}
	for i, p := range r.Left {
		if i == maxFaults {
			e, w, _ := CountProblems(r.Left[i:])
			fmt.Fprintf(&b, "  and %d more\n", e+w)
			break
		}
		fmt.Fprintf(&b, "  left: %s\n", p)
	}
	return b.String()
}

func (r *Report) changes() int {
	n := 0
	for _, v := range r.Changed {
		n += v
	}
	return n
}

// Fix returns a repaired copy and what was changed; d stays as it is. Indexing the copy succeeds if it has any
// categories. Images are never dropped for their boxes: without any they are images of the background.
func (d *Dataset) Fix(mode Mode) (*Dataset, *Report) {
	out := *d
	x := fixer{d: d, out: &out, mode: mode, report: &Report{
		Changed: map[Kind]int{}, ImagesBefore: len(d.Images), AnnotationsBefore: len(d.Annotations), CategoriesBefore: len(d.Categories)}}
	for _, p := range d.Dropped {
		x.change(p.Kind, func(int) string { return p.Item }, 0, "left out: %s", p.Seen)
		x.report.Changed[p.Kind] += p.More
	}
	out.Notes, out.Dropped, out.texts, out.named = nil, nil, 0, 0
	x.fixImages()
	x.fixCategories()
	x.fixAnnotations()
	r := x.report
	r.ImagesAfter, r.AnnotationsAfter, r.CategoriesAfter = len(out.Images), len(out.Annotations), len(out.Categories)
	r.Left = out.faults(Warning)
	return &out, r
}

type fixer struct {
	d, out     *Dataset
	mode       Mode
	report     *Report
	images     map[int64]*Image
	categories map[int64]bool
}

// change notes what was done to item i of a list.
func (x *fixer) change(k Kind, name func(int) string, i int, action string, args ...any) {
	r := x.report
	if r.Changed[k]++; r.Changed[k] <= keptOfKind {
		r.Changes = append(r.Changes, Change{k, name(i), fmt.Sprintf(action, args...)})
	}
}

func (x *fixer) fixImages() {
	x.images = map[int64]*Image{}
	var out pile[Image]
	for i, im := range x.d.Images {
		if x.images[im.ID] != nil {
			x.change(DuplicateImage, x.d.imageName, i, "dropped")
			continue
		}
		x.images[im.ID] = &x.d.Images[i]
		out.add(im)
	}
	x.out.Images = out.list()
}

func (x *fixer) fixCategories() {
	x.categories = map[int64]bool{}
	x.out.Categories = make([]Category, 0, len(x.d.Categories))
	for i, c := range x.d.Categories {
		if x.categories[c.ID] {
			x.change(DuplicateCategory, x.d.categoryName, i, "dropped")
			continue
		}
		x.categories[c.ID] = true
		x.out.Categories = append(x.out.Categories, c)
	}
}

func (x *fixer) fixAnnotations() {
	first := map[int64]int{} // id -> index in d
	top := int64(0)
	for i := range x.d.Annotations {
		top = max(top, x.d.Annotations[i].ID)
	}
	var out pile[Annotation]
	for i, a := range x.d.Annotations {
		if a.ID == 0 && top < math.MaxInt64 { // which the metric takes for "not matched"
			if x.fixAnnotation(i, &a) {
				top++
				x.change(ZeroID, x.d.annotationName, i, "now has the id %d", top)
				a.ID = top
				out.add(a)
			}
			continue
		}
		if k, seen := first[a.ID]; seen {
			if x.mode == Drop || top == math.MaxInt64 || sameBox(&a, &x.d.Annotations[k]) {
				x.change(DuplicateAnnotation, x.d.annotationName, i, "dropped")
				continue
			}
			if x.fixAnnotation(i, &a) {
				top++
				x.change(DuplicateAnnotation, x.d.annotationName, i, "now has the id %d", top)
				a.ID = top
				out.add(a)
			}
			continue
		}
		first[a.ID] = i
		if x.fixAnnotation(i, &a) {
			out.add(a)
		}
	}
	x.out.Annotations = out.list()
}

// sameBox reports whether two annotations differ in nothing but where they stand.
func sameBox(a, b *Annotation) bool {
	c, d := *a, *b
	c.offset, d.offset = 0, 0
	return reflect.DeepEqual(c, d)
}

// fixAnnotation repairs a in place, false when it is to be dropped; i is its index in d.
func (x *fixer) fixAnnotation(i int, a *Annotation) bool {
	change := func(k Kind, action string, args ...any) { x.change(k, x.d.annotationName, i, action, args...) }
	drop := func(k Kind) bool {
		change(k, "dropped")
		return false
	}
	im := x.images[a.ImageID]
	if im == nil {
		return drop(UnknownImage)
	}
	if !x.categories[a.CategoryID] {
		return drop(UnknownCategory)
	}
	kind := boxFault(a.BBox, im.Width, im.Height)
	switch {
	case kind == NonFinite || kind == HugeBox || kind == EmptyBox || kind == OutsideBox:
		return drop(kind)
	case kind == OverhangingBox && x.mode == Drop:
		return drop(kind)
	case kind == OverhangingBox:
		was := a.BBox
		a.BBox = clip(a.BBox, im.Width, im.Height)
		if boxFault(a.BBox, im.Width, im.Height) == EmptyBox { // what was inside is less than a float64 can hold
			a.BBox = was
			return drop(OutsideBox)
		}
		change(kind, "clipped from %v to %v", was, a.BBox)
		if full := was[2] * was[3]; finite(a.Area) && a.Area > 0 {
			// An area that is the box's follows the box; a mask's can only be limited by it.
			if box := a.BBox[2] * a.BBox[3]; math.Abs(a.Area-full) <= 1e-3*full || a.Area > box {
				a.Area = box
			}
		}
	}
	if !finite(a.Area) || a.Area <= 0 {
		fault := BadArea
		if !finite(a.Area) {
			fault = NonFinite
		}
		if x.mode == Drop {
			return drop(fault)
		}
		was := a.Area
		a.Area = a.BBox[2] * a.BBox[3]
		change(fault, "area from %v to the box's %v", was, a.Area)
	}
	if a.badMask {
		if x.mode == Drop {
			return drop(BadSegmentation)
		}
		a.Segmentation, a.badMask = nil, false
		change(BadSegmentation, "segmentation removed")
	}
	return true
}

// clip limits a box to its image of w x h pixels, of which 0 is unknown.
func clip(b [4]float64, w, h int) [4]float64 {
	c := XYXY(b)
	c[0], c[1] = max(c[0], 0), max(c[1], 0)
	if w > 0 {
		c[2] = min(c[2], float64(w))
	}
	if h > 0 {
		c[3] = min(c[3], float64(h))
	}
	return [4]float64{c[0], c[1], c[2] - c[0], c[3] - c[1]}
}
