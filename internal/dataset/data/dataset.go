package data

import (
	"context"
	"fmt"
	"io"

	"retinago/box"
	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/doctor"
	"retinago/internal/dataset/locate"
	shown "retinago/internal/text"
)

// Dataset is a dataset with its images on disk.
type Dataset struct {
	coco   *coco.Dataset
	index  *coco.Index
	images string
}

// Open reads a dataset in place and finds its images. Where many are not there, that is an error; one that cannot be decoded is found when
// it is read.
func Open(s convert.Source) (*Dataset, error) {
	c, images, err := read(s)
	if err != nil {
		return nil, err
	}
	return New(c, images)
}

func read(s convert.Source) (*coco.Dataset, string, error) {
	s, err := s.WithImages()
	if err != nil {
		return nil, "", err
	}
	return s.Open()
}

// Run is how a dataset is examined before training or evaluation.
type Run struct {
	Log         io.Writer // receives warnings and progress; nil discards them
	Ignore      bool      // go on in spite of findings that would spoil the run
	Quiet       bool      // Log receives progress alone
	SkipHeaders bool      // do not read the sizes of the images
}

// OpenFor is Open for training or evaluation: what would spoil it is an error, and the log gets what may.
func OpenFor(ctx context.Context, s convert.Source, r Run) (*Dataset, error) {
	headers := &doctor.Headers{Log: r.Log, Cache: doctor.CacheFolder()}
	s.Sizer = headers
	c, images, err := read(s)
	if err != nil {
		return nil, err
	}
	o := doctor.Options{Images: images, Run: true}
	if !r.SkipHeaders {
		o.Headers = headers
	}
	found, err := doctor.Look(ctx, c, o)
	if err == nil {
		err = found.Err(r.Ignore)
	}
	if err != nil {
		return nil, err
	}
	if r.Log != nil && !r.Quiet {
		found.Print(r.Log)
	}
	return use(c, images)
}

// Source is a set of a configuration, with the classes that the configuration selects. The training set must have all of them.
func Source(c config.Data, s config.Set) convert.Source {
	return convert.Source{Path: c.Path(s.Source), Format: s.Format, Split: s.Split, Classes: c.Path(s.Classes), Images: c.Path(s.Images),
		Difficult: convert.Difficult(s.Difficult), Select: convert.Selection{Rename: c.Rename, Keep: c.Classes, Absent: s != c.Train}}
}

// New is Open on a dataset that is already read, with file names relative to the folder images.
func New(c *coco.Dataset, images string) (*Dataset, error) {
	found, err := doctor.Look(context.Background(), c, doctor.Options{Images: images})
	if err == nil {
		err = found.Err(false)
	}
	if err != nil {
		return nil, err
	}
	return use(c, images)
}

func use(c *coco.Dataset, images string) (*Dataset, error) {
	x, err := c.Index()
	if err != nil {
		return nil, err
	}
	return &Dataset{coco: c, index: x, images: images}, nil
}

// Select returns a dataset with the selected classes and all images.
func (d *Dataset) Select(s convert.Selection) (*Dataset, error) {
	if s.IsZero() {
		return d, nil
	}
	c, err := s.Of(d.coco)
	if err != nil {
		return nil, err
	}
	return use(c, d.images)
}

// Renumbered returns the dataset with the given ids of its categories, by their names; see convert.Renumbered.
func (d *Dataset) Renumbered(names []string, ids []int64) (*Dataset, error) {
	c := convert.Renumbered(d.coco, names, ids)
	if c == d.coco {
		return d, nil
	}
	return use(c, d.images)
}

// Len is the number of images.
func (d *Dataset) Len() int { return len(d.coco.Images) }

// Path is where the dataset was read from.
func (d *Dataset) Path() string { return d.coco.Path }

// COCO is the dataset as read, for the metric.
func (d *Dataset) COCO() *coco.Dataset { return d.coco }

// Image is image i's entry.
func (d *Dataset) Image(i int) coco.Image { return d.coco.Images[i] }

// File is image i's path.
func (d *Dataset) File(i int) string { return locate.Path(d.images, d.coco.Images[i].FileName) }

// Categories lists the classes, class 0 first.
func (d *Dataset) Categories() []coco.Category {
	out := make([]coco.Category, len(d.index.Names))
	for i, n := range d.index.Names {
		out[i] = coco.Category{ID: d.index.CategoryIDs[i], Name: n}
	}
	return out
}

// Objects returns image i's boxes in its pixels, clipped to it, without those that are empty then.
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

// ObjectCounts returns the number of objects of each class, without crowds.
func (d *Dataset) ObjectCounts() []int {
	n := make([]int, len(d.index.Names))
	for i := range d.Len() {
		_, classes, crowd := d.Objects(i)
		for k, c := range classes {
			if !crowd[k] {
				n[c]++
			}
		}
	}
	return n
}

// Summary describes the dataset in a line.
func (d *Dataset) Summary() string {
	empty := 0
	for _, a := range d.index.Annotations {
		if len(a) == 0 {
			empty++
		}
	}
	text := fmt.Sprintf("%s (%d without boxes), %s, %s", shown.Count(d.Len(), "image"), empty, shown.Count(len(d.coco.Annotations), "box"), shown.Count(len(d.index.Names), "class"))
	if n := doctor.LeftOut(d.coco); n > 0 {
		text += fmt.Sprintf("; left out: %s, which `data check` lists, such as: %s", shown.Count(n, "item"), d.coco.Dropped[0].Seen)
	}
	return text
}
