package convert

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"retinago/coco"
	"retinago/internal/dataset/locate"
)

// builder makes a dataset whose categories are found on the way.
type builder struct {
	d     coco.Dataset
	names map[string]int64
	dots  int // boxes of one pixel

	listed folders        // of images that are called like their annotations
	found  *locate.Folder // of images that are named
	size   func(path string) (w, h int, err error)
}

func newBuilder(path string) *builder {
	return &builder{d: coco.Dataset{Path: path}, names: map[string]int64{}, listed: folders{}}
}

// note keeps what the reader has assumed, of the dataset as a whole.
func (b *builder) note(k coco.Kind, seen, advice string) {
	b.d.Notes = append(b.d.Notes, coco.Problem{Severity: coco.Warning, Kind: k, Item: "the dataset", Seen: seen, Advice: advice})
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

// class returns the id of a name, which must be in the file list where one was read.
func (b *builder) class(name, list string) (int64, error) {
	if name == "" {
		return 0, errors.New("the class has no name")
	}
	if _, ok := b.names[name]; !ok && list != "" {
		return 0, fmt.Errorf("class %q is not in %s", name, list)
	}
	return b.category(name), nil
}

// dataset is what was built; without a list of classes they are numbered by name.
func (b *builder) dataset(list string) *coco.Dataset {
	if list == "" {
		b.sort()
	}
	return &b.d
}

// image adds an image and returns its id.
func (b *builder) image(name string, w, h int) int64 {
	id := int64(len(b.d.Images) + 1)
	b.d.Images = append(b.d.Images, coco.Image{ID: id, FileName: name, Width: w, Height: h})
	return id
}

func (b *builder) object(image, category int64, box [4]float64, crowd bool) {
	b.d.Annotations = append(b.d.Annotations, coco.Annotation{ID: int64(len(b.d.Annotations) + 1), ImageID: image, CategoryID: category,
		BBox: box, Area: box[2] * box[3], IsCrowd: crowd})
}

// sort numbers the categories by name.
func (b *builder) sort() {
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
