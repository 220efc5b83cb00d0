package coco

import (
	"fmt"
	"math"
	"slices"
)

// Index is a Dataset's references resolved: what training and evaluation work with. Classes are numbered from 0
// in ascending order of category id.
type Index struct {
	ImageOf     map[int64]int // image id -> index into Dataset.Images
	Annotations [][]int32     // per image, the indices into Dataset.Annotations in the file's order
	ClassOf     map[int64]int // category id -> class
	CategoryIDs []int64       // class -> category id
	Names       []string      // class -> name; "category 7" when the file has none
}

// Index resolves the references and is the gate before training: unknown or duplicate ids, boxes and areas that
// are not finite, and an empty list of categories are errors. What can be lived with (empty or outside boxes,
// images without boxes) passes; Check finds it.
func (d *Dataset) Index() (*Index, error) {
	const advice = "run `data check -fix` or correct the file"
	var f faults
	x := &Index{
		ImageOf:     map[int64]int{},
		Annotations: make([][]int32, len(d.Images)),
		ClassOf:     map[int64]int{},
	}
	for i := range d.Images {
		id := d.Images[i].ID
		if first, twice := x.ImageOf[id]; twice {
			f.add("%s: %s: has the same id as images[%d]; %s", d.Path, d.imageName(i), first, advice)
			continue
		}
		x.ImageOf[id] = i
	}
	name := map[int64]string{}
	for i, c := range d.Categories {
		if _, twice := name[c.ID]; twice {
			f.add("%s: %s: has the id of another category; %s", d.Path, d.categoryName(i), advice)
			continue
		}
		name[c.ID] = c.Name
		x.CategoryIDs = append(x.CategoryIDs, c.ID)
	}
	if len(d.Categories) == 0 {
		f.add("%s: has no categories: add the list of classes", d.Path)
	}
	slices.Sort(x.CategoryIDs)
	for class, id := range x.CategoryIDs {
		x.ClassOf[id] = class
		n := name[id]
		if n == "" {
			n = fmt.Sprintf("category %d", id)
		}
		x.Names = append(x.Names, n)
	}
	seen := map[int64]struct{}{}
	for i := range d.Annotations {
		a := &d.Annotations[i]
		image, hasImage := x.ImageOf[a.ImageID]
		_, hasClass := x.ClassOf[a.CategoryID]
		_, twice := seen[a.ID]
		seen[a.ID] = struct{}{}
		ok := false
		switch {
		case !hasImage:
			f.add("%s: %s: image_id %d is not among the images; %s", d.Path, d.annotationName(i), a.ImageID, advice)
		case !hasClass:
			f.add("%s: %s: category_id %d is not among the categories; %s", d.Path, d.annotationName(i), a.CategoryID, advice)
		case twice:
			f.add("%s: %s: another annotation has the same id; %s", d.Path, d.annotationName(i), advice)
		case !finiteBox(a.BBox) || !finite(a.Area):
			f.add("%s: %s: bbox %v, area %v: not finite; %s", d.Path, d.annotationName(i), a.BBox, a.Area, advice)
		default:
			ok = true
		}
		if ok {
			x.Annotations[image] = append(x.Annotations[image], int32(i))
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return x, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func finiteBox(b [4]float64) bool {
	return finite(b[0]) && finite(b[1]) && finite(b[2]) && finite(b[3])
}
