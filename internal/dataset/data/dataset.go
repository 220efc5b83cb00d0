package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"retinago/box"
	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
)

// Dataset is a dataset with its pictures on disk.
type Dataset struct {
	coco   *coco.Dataset
	index  *coco.Index
	images string
}

// maxErrors bounds how many faults are reported at once.
const maxErrors = 20

// Open reads a dataset in place and finds its pictures. A picture that is not there is an error; one that cannot be
// decoded is found when it is read.
func Open(s convert.Source) (*Dataset, error) {
	c, images, err := s.Open()
	if err != nil {
		return nil, err
	}
	if images == "" {
		return nil, fmt.Errorf("%s: COCO's file does not say where its pictures are: give their folder, images", s.Path)
	}
	return New(c, images)
}

// Source is a set of a configuration.
func Source(c config.Data, s config.Set) convert.Source {
	return convert.Source{Path: c.Path(s.Source), Format: s.Format, Split: s.Split, Classes: c.Path(s.Classes), Images: c.Path(s.Images),
		Difficult: convert.Difficult(s.Difficult)}
}

// New is Open on a dataset that is already read, with file names relative to the folder images.
func New(c *coco.Dataset, images string) (*Dataset, error) {
	x, err := c.Index()
	if err != nil {
		return nil, err
	}
	if len(c.Images) == 0 {
		return nil, fmt.Errorf("%s: has no images", c.Path)
	}
	if err := names(c, x); err != nil {
		return nil, err
	}
	d := &Dataset{coco: c, index: x, images: images}
	var errs []error
	more := 0
	for i := range c.Images {
		if err := d.fault(i); err == nil {
			continue
		} else if len(errs) < maxErrors {
			errs = append(errs, err)
		} else {
			more++
		}
	}
	if more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return d, errors.Join(errs...)
}

// names refuses categories that a model cannot tell apart by their names, or that have none.
func names(c *coco.Dataset, x *coco.Index) error {
	first := map[string]int64{}
	for i, n := range x.Names {
		id := x.CategoryIDs[i]
		if strings.TrimSpace(n) == "" {
			return fmt.Errorf("%s: category %d is called %q: give it a name", c.Path, id, n)
		}
		if other, twice := first[n]; twice {
			return fmt.Errorf("%s: categories %d and %d are both called %q: rename one, or give the annotations of both one category_id", c.Path, other, id, n)
		}
		first[n] = id
	}
	return nil
}

// maxBoxes bounds the boxes of a picture; published datasets have thousands at most.
const maxBoxes = 100_000

// fault is what is wrong with picture i's entry, or with its file as far as that shows without reading it.
func (d *Dataset) fault(i int) error {
	im := d.coco.Images[i]
	if im.Width <= 0 || im.Height <= 0 {
		return fmt.Errorf("%s: image %d (%s) is %dx%d pixels: give its width and height", d.coco.Path, im.ID, im.FileName, im.Width, im.Height)
	}
	if n := len(d.index.Annotations[i]); n > maxBoxes {
		return fmt.Errorf("%s: image %d (%s) has %d boxes, more than %d: are they of several pictures?", d.coco.Path, im.ID, im.FileName, n, maxBoxes)
	}
	if err := file.Irregular(d.File(i)); err != nil {
		return fmt.Errorf("%s: image %d: %w; correct the folder of pictures (%s), or drop the image with `data check -fix drop`", d.coco.Path, im.ID, err, d.images)
	}
	return nil
}

// Len is the number of pictures.
func (d *Dataset) Len() int { return len(d.coco.Images) }

// Path is where the dataset was read from.
func (d *Dataset) Path() string { return d.coco.Path }

// COCO is the dataset as read, for the metric.
func (d *Dataset) COCO() *coco.Dataset { return d.coco }

// Image is picture i's entry.
func (d *Dataset) Image(i int) coco.Image { return d.coco.Images[i] }

// File is picture i's path.
func (d *Dataset) File(i int) string { return locate.Path(d.images, d.coco.Images[i].FileName) }

// Categories lists the classes, class 0 first.
func (d *Dataset) Categories() []coco.Category {
	out := make([]coco.Category, len(d.index.Names))
	for i, n := range d.index.Names {
		out[i] = coco.Category{ID: d.index.CategoryIDs[i], Name: n}
	}
	return out
}

// Objects returns picture i's boxes in its pixels, clipped to it, without those that are empty then.
func (d *Dataset) Objects(i int) (boxes []box.Box, classes []int32, crowd []bool) {
	im := d.coco.Images[i]
	for _, k := range d.index.Annotations[i] {
		a := &d.coco.Annotations[k]
		b := box.FromXYWH(float32(a.BBox[0]), float32(a.BBox[1]), float32(a.BBox[2]), float32(a.BBox[3])).Clip(float32(im.Width), float32(im.Height))
		if !(b.Area() > 0) { // no number where the box is of numbers beyond float32's
			continue
		}
		boxes = append(boxes, b)
		classes = append(classes, int32(d.index.ClassOf[a.CategoryID]))
		crowd = append(crowd, a.IsCrowd)
	}
	return boxes, classes, crowd
}

// Summary describes the dataset in a line.
func (d *Dataset) Summary() string {
	empty := 0
	for _, a := range d.index.Annotations {
		if len(a) == 0 {
			empty++
		}
	}
	text := fmt.Sprintf("%d pictures (%d without boxes), %d boxes, %d classes", d.Len(), empty, len(d.coco.Annotations), len(d.index.Names))
	if left := d.coco.Dropped; len(left) > 0 {
		n := 0
		for _, p := range left {
			n += 1 + p.More
		}
		text += fmt.Sprintf("; %d items are left out, which `data check` lists: %s", n, left[0].Seen)
	}
	if slices.ContainsFunc(d.coco.Annotations, func(a coco.Annotation) bool { return a.ID == 0 }) {
		text += "; an annotation has the id 0, which the metric never counts as found: `data check -fix clip` numbers from 1"
	}
	return text
}
