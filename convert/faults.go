package convert

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"retinago/coco"
)

// faults collects errors, 20 at most and the number of the rest.
type faults struct {
	errs []error
	more int
}

func (f *faults) add(format string, a ...any) {
	if len(f.errs) == 20 {
		f.more++
		return
	}
	f.errs = append(f.errs, fmt.Errorf("convert: "+format, a...))
}

func (f *faults) err() error {
	if f.more > 0 {
		return errors.Join(append(f.errs, fmt.Errorf("convert: and %d more", f.more))...)
	}
	return errors.Join(f.errs...)
}

// maxFile bounds the annotations of one picture, and lists, in bytes.
const maxFile = 64 << 20

// readFile reads a file of text.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return b, err
}

// builder makes a dataset whose categories are found on the way.
type builder struct {
	d     coco.Dataset
	names map[string]int64
}

func newBuilder(path string) *builder {
	return &builder{d: coco.Dataset{Path: path}, names: map[string]int64{}}
}

// category returns the id of a name, a new one when it is new.
func (b *builder) category(name string) int64 {
	id, ok := b.names[name]
	if !ok {
		id = int64(len(b.names) + 1)
		b.names[name] = id
		b.d.Categories = append(b.d.Categories, coco.Category{ID: id, Name: name})
	}
	return id
}

// image adds a picture and returns its id.
func (b *builder) image(name string, w, h int) int64 {
	id := int64(len(b.d.Images) + 1)
	b.d.Images = append(b.d.Images, coco.Image{ID: id, FileName: name, Width: w, Height: h})
	return id
}

func (b *builder) object(image, category int64, box [4]float64, crowd bool) {
	b.d.Annotations = append(b.d.Annotations, coco.Annotation{ID: int64(len(b.d.Annotations) + 1), ImageID: image, CategoryID: category,
		BBox: box, Area: box[2] * box[3], IsCrowd: crowd})
}

// sorted numbers the categories by name.
func (b *builder) sorted() *coco.Dataset {
	var names []string
	for n := range b.names {
		names = append(names, n)
	}
	slices.Sort(names)
	id := map[int64]int64{}
	b.d.Categories = nil
	for i, n := range names {
		id[b.names[n]] = int64(i + 1)
		b.d.Categories = append(b.d.Categories, coco.Category{ID: int64(i + 1), Name: n})
	}
	for i := range b.d.Annotations {
		a := &b.d.Annotations[i]
		a.CategoryID = id[a.CategoryID]
	}
	return &b.d
}

func finite(v ...float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

// named maps category ids to names, in the order of the dataset.
func named(d *coco.Dataset) (names []string, index map[int64]int) {
	index = map[int64]int{}
	for i, c := range d.Categories {
		names = append(names, c.Name)
		index[c.ID] = i
	}
	return names, index
}

// objects lists the annotations of each image, by the image's place in the list.
func objects(d *coco.Dataset) ([][]coco.Annotation, error) {
	x, err := d.Index()
	if err != nil {
		return nil, err
	}
	out := make([][]coco.Annotation, len(d.Images))
	for i := range out {
		for _, k := range x.Annotations[i] {
			out[i] = append(out[i], d.Annotations[k])
		}
	}
	return out, nil
}
