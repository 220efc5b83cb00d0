package coco

import (
	"fmt"
	"iter"
	"slices"
)

// overhangPx is how far a box may reach over its image's edge: annotation tools round x and width on their own.
const overhangPx = 0.1

// Check finds the faults of the data, in the order of Problems. It lists the first 50 of each kind; the last of them says how
// many more there are.
func (d *Dataset) Check() []Problem { return d.faults(Info) }

// faults lists those of a severity or worse.
func (d *Dataset) faults(least Severity) []Problem {
	k := &problems{count: map[Kind]int{}, last: map[Kind]int{}}
	c := newChecker(d)
	c.wanted = func(s Severity, kind Kind) bool { return s >= least && k.room(kind) }
	c.yield = func(p Problem) bool { k.list = append(k.list, p); return true }
	c.check()
	return k.list
}

// Problems are all faults of the data, in the order images, categories, annotations.
func (d *Dataset) Problems() iter.Seq[Problem] {
	return func(yield func(Problem) bool) {
		c := newChecker(d)
		c.wanted = func(Severity, Kind) bool { return true }
		c.yield = yield
		c.check()
	}
}

func (c *checker) check() {
	d := c.d
	for _, p := range slices.Concat(d.Notes, d.Dropped) {
		if !c.ended && c.wanted(p.Severity, p.Kind) {
			c.ended = !c.yield(p)
		}
	}
	if d.texts > 0 {
		c.add(Info, TextNumber, list("the file"), 0, 0, "nothing to do; fix writes numbers", "%d numbers are written as texts, such as \"1\"", d.texts)
	}
	if d.named > 0 {
		c.add(Info, TextID, list("the file"), 0, 0, "nothing to do; results with the same texts fit, and fix writes the numbers",
			"%d ids are texts: each stands for a number that is made of its letters", d.named)
	}
	c.checkImages()
	c.checkCategories()
	used := make([]bool, len(d.Images))
	usedCategory := make([]bool, len(d.Categories))
	ids := map[int64]int{}
	computed := 0
	for i := range d.Annotations {
		if c.ended {
			return
		}
		a := &d.Annotations[i]
		if image, ok := c.images[a.ImageID]; ok {
			used[image] = true
		}
		if category, ok := c.categories[a.CategoryID]; ok {
			usedCategory[category] = true
		}
		if a.noArea {
			computed++
		}
		c.checkAnnotation(i, ids)
	}
	if computed > 0 {
		c.add(Info, ComputedArea, list("annotations"), 0, 0, "nothing to do, but small, medium and large follow it",
			"%d have no area; it was computed from the segmentation, or else the box", computed)
	}
	for i := range d.Images {
		if !used[i] && c.images[d.Images[i].ID] == i {
			c.add(Info, NoBoxes, d.imageName, i, d.Images[i].offset, "nothing to do if it is an image without objects", "has no annotations")
		}
	}
	for i := range d.Categories {
		if !usedCategory[i] && c.categories[d.Categories[i].ID] == i {
			c.add(Info, UnusedCategory, d.categoryName, i, d.Categories[i].offset, "nothing to do if other splits have some", "has no annotations")
		}
	}
}

type checker struct {
	d                  *Dataset
	images, categories map[int64]int             // id -> index of the first that has it
	wanted             func(Severity, Kind) bool // before a fault is put into words
	yield              func(Problem) bool
	ended              bool // the caller has stopped reading
}

func newChecker(d *Dataset) *checker {
	return &checker{d: d, images: map[int64]int{}, categories: make(map[int64]int, len(d.Categories))}
}

// list names a whole list.
func list(name string) func(int) string { return func(int) string { return name } }

// add puts a fault of item i of a list into words.
func (c *checker) add(s Severity, k Kind, name func(int) string, i int, offset int64, advice, seen string, args ...any) {
	if !c.ended && c.wanted(s, k) {
		c.ended = !c.yield(Problem{Severity: s, Kind: k, Item: name(i), Offset: offset, Seen: fmt.Sprintf(seen, args...), Advice: advice})
	}
}

func (c *checker) checkImages() {
	files := map[string]int{}
	for i := range c.d.Images {
		im := &c.d.Images[i]
		add := func(s Severity, k Kind, advice, seen string, args ...any) {
			c.add(s, k, c.d.imageName, i, im.offset, advice, seen, args...)
		}
		if first, twice := c.images[im.ID]; twice {
			add(Error, DuplicateImage, "fix keeps the first; give the other a new id to keep both", "images[%d] has the same id", first)
		} else {
			c.images[im.ID] = i
		}
		if im.FileName == "" {
			add(Error, NoFileName, "add it; without one the image cannot be found", "has no file_name")
		} else if first, twice := files[im.FileName]; twice {
			add(Warning, DuplicateFile, "merge the two, or the image's boxes are split", "images[%d] has the same file_name", first)
		} else {
			files[im.FileName] = i
		}
		if im.Width <= 0 || im.Height <= 0 {
			add(Warning, NoSize, "write the image's size; its boxes cannot be checked against it", "width %d, height %d", im.Width, im.Height)
		}
	}
}

func (c *checker) checkCategories() {
	if len(c.d.Categories) == 0 {
		c.add(Error, NoCategories, list("categories"), 0, 0, "add the classes", "the list is empty")
	}
	names := map[string]int{}
	for i := range c.d.Categories {
		k := &c.d.Categories[i]
		add := func(s Severity, kind Kind, advice, seen string, args ...any) {
			c.add(s, kind, c.d.categoryName, i, k.offset, advice, seen, args...)
		}
		if first, twice := c.categories[k.ID]; twice {
			add(Error, DuplicateCategory, "fix keeps the first; give the other a new id to keep both", "categories[%d] has the same id", first)
		} else {
			c.categories[k.ID] = i
		}
		if k.Name == "" {
			add(Warning, NoName, "add it; it will be called by its id, as \"category 7\"", "has no name")
		} else if first, twice := names[k.Name]; twice && c.d.Categories[first].ID != k.ID {
			add(Warning, DuplicateName, "merge the two classes or rename one", "categories[%d] has the same name", first)
		} else {
			names[k.Name] = i
		}
	}
}

// checkAnnotation looks at one annotation; ids maps the ids before it to their index.
func (c *checker) checkAnnotation(i int, ids map[int64]int) {
	a := &c.d.Annotations[i]
	add := func(s Severity, k Kind, advice, seen string, args ...any) {
		c.add(s, k, c.d.annotationName, i, a.offset, advice, seen, args...)
	}
	if first, twice := ids[a.ID]; twice {
		add(Error, DuplicateAnnotation, "fix gives it a new id, or drops it when it is the same box", "annotations[%d] has the same id", first)
	} else {
		ids[a.ID] = i
		if a.ID == 0 {
			add(Info, ZeroID, "number annotations from 1 to count it as pycocotools means to",
				"its id is 0, so that pycocotools, and evaluation here, count a match with it as a false positive")
		}
	}
	image, known := c.images[a.ImageID]
	if !known {
		add(Error, UnknownImage, "add the image or drop the annotation", "image_id %d is not among the images", a.ImageID)
	}
	if _, ok := c.categories[a.CategoryID]; !ok {
		add(Error, UnknownCategory, "add the category or drop the annotation", "category_id %d is not among the categories", a.CategoryID)
	}
	if a.badMask {
		add(Warning, BadSegmentation, "fix removes the segmentation and keeps the box", "the segmentation cannot be read, has numbers that are not finite, or is too large to tell the box or area")
	}
	w, h := 0, 0
	if known {
		w, h = c.d.Images[image].Width, c.d.Images[image].Height
	}
	switch kind := boxFault(a.BBox, w, h); kind {
	case NonFinite:
		add(Error, kind, "drop the annotation or write the box again", "bbox %v", a.BBox)
	case HugeBox:
		add(Error, kind, "drop the annotation or write the box again", "bbox %v: its corners or its area are no finite numbers", a.BBox)
	case EmptyBox:
		add(Error, kind, "drop the annotation; width and height must be positive", "bbox %v", a.BBox)
	case OutsideBox:
		add(Error, kind, "drop the annotation, or correct the box (x, y, width, height) or the image's size", "bbox %v in an image of %d x %d", a.BBox, w, h)
	case OverhangingBox:
		add(Warning, kind, "clip the box", "bbox %v in an image of %d x %d", a.BBox, w, h)
	}
	switch {
	case !finite(a.Area):
		if finiteBox(a.BBox) { // else the box's fault says it
			add(Error, NonFinite, "fix computes it from the box", "area %v", a.Area)
		}
	case a.Area <= 0 && a.BBox[2] > 0 && a.BBox[3] > 0:
		add(Warning, BadArea, "fix computes it from the box", "area %v with bbox %v", a.Area, a.BBox)
	}
}

// boxFault is what is wrong with a box in an image of w x h pixels, of which 0 is unknown; "" is nothing.
func boxFault(b [4]float64, w, h int) Kind {
	x1, y1 := b[0]+b[2], b[1]+b[3]
	switch {
	case !finiteBox(b):
		return NonFinite
	case !finite(x1) || !finite(y1) || !finite(b[2]*b[3]):
		return HugeBox
	case b[2] <= 0 || b[3] <= 0:
		return EmptyBox
	case x1 <= 0 || y1 <= 0 || w > 0 && b[0] >= float64(w) || h > 0 && b[1] >= float64(h):
		return OutsideBox
	case b[0] < -overhangPx || b[1] < -overhangPx ||
		w > 0 && x1 > float64(w)+overhangPx || h > 0 && y1 > float64(h)+overhangPx:
		return OverhangingBox
	}
	return ""
}
