package convert

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"retinago/coco"
	"retinago/internal/text"
)

// openImagesHeader are the columns of the boxes CSV as OpenImages V4 to V7 publish it.
var openImagesHeader = []string{"ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax",
	"IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"}

// openImages is a dataset in the making.
type openImages struct {
	s            Source
	b            *builder
	f            faults
	labels       map[string]string // LabelName -> DisplayName; nil without a list of classes
	images       map[string]int64  // ImageID -> image id
	ours, others int               // rows of the dataset's images, and of others
	// Columns of the CSV; -1 for one that is not there.
	id, label, confidence, group int
	corner                       [4]int // XMin, YMin, XMax, YMax
	columns                      int
}

// readOpenImages reads a boxes CSV, whose columns are found by the header. Coordinates are shares of the image, whose
// size is read from its file. A box with IsGroupOf 1 is a crowd; a row with a Confidence of 0 means that there is no such
// object, and is no box.
//
// The images of the dataset are the files below the folder, or those that the split lists, whether they have rows or not.
// Rows of other images are passed over: the CSV is of millions of images, of which most folders have a part.
func readOpenImages(s Source) (*coco.Dataset, string, error) {
	if s.Images == "" {
		s.Images = imagesOf(s.Path)
	}
	if s.Images == "" {
		return nil, "", fmt.Errorf("convert: %s: neither images nor a folder of the CSV's name beside it has images, which are called ImageID.jpg: give images, their folder", s.Path)
	}
	o := openImages{s: s, b: newBuilder(s.Path)}
	if err := o.header(); err != nil {
		return nil, "", err
	}
	if s.Classes != "" {
		if err := o.descriptions(); err != nil {
			return nil, "", err
		}
	}
	if err := o.pictures(); err != nil {
		return nil, "", err
	}
	header := true
	err := eachRecord(s.Path, func(line int, r []string) {
		if !header {
			o.row(line, r)
		}
		header = false
	})
	if err != nil {
		return nil, "", err
	}
	if o.others > 0 && o.ours == 0 {
		return nil, "", fmt.Errorf("convert: "+"%s: none of its %d rows is of one of the %d images in %s: correct images", s.Path, o.others, len(o.images), s.Images)
	}
	if err := o.f.leave(&o.b.d); err != nil {
		return nil, "", err
	}
	return o.b.dataset(s.Classes), s.Images, nil
}

// header finds the columns; those that are not asked for are ignored.
func (o *openImages) header() error {
	r, err := firstRecord(o.s.Path)
	if err != nil {
		return fmt.Errorf("convert: %s: its header: %w", o.s.Path, err)
	}
	o.columns, o.confidence, o.group = len(r), columnOf(r, "Confidence"), columnOf(r, "IsGroupOf")
	for _, c := range []struct {
		name string
		at   *int
	}{{"ImageID", &o.id}, {"LabelName", &o.label}, {"XMin", &o.corner[0]}, {"YMin", &o.corner[1]}, {"XMax", &o.corner[2]}, {"YMax", &o.corner[3]}} {
		if *c.at = columnOf(r, c.name); *c.at < 0 {
			o.f.add("%s:1: no column %s; the header is %s", o.s.Path, c.name, strings.Join(openImagesHeader, ","))
		}
	}
	return o.f.err()
}

// columnOf is the column with a name, in any case; -1 for none.
func columnOf(r []string, name string) int {
	return slices.IndexFunc(r, func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), name) })
}

// row adds a line's box.
func (o *openImages) row(line int, r []string) {
	fail := func(format string, a ...any) {
		o.f.add("%s:%d: "+format, append([]any{o.s.Path, line}, a...)...)
	}
	if len(r) < o.columns {
		fail("%d columns, the header has %d", len(r), o.columns)
		return
	}
	image, ok := o.images[text.FromCell(r[o.id])]
	if !ok {
		o.others++
		return
	}
	o.ours++
	if o.confidence >= 0 {
		v, err := strconv.ParseFloat(r[o.confidence], 64)
		if err != nil || !(v >= 0 && v <= 1) {
			fail("Confidence %q, want 0 to 1", r[o.confidence])
			return
		}
		if v == 0 {
			return
		}
	}
	crowd := false
	if o.group >= 0 {
		if crowd = r[o.group] == "1"; !crowd && r[o.group] != "0" && r[o.group] != "-1" {
			fail("IsGroupOf %q, want 0, 1, or -1 for unknown", r[o.group])
			return
		}
	}
	var v [4]float64
	for i, k := range o.corner {
		x, err := strconv.ParseFloat(r[k], 64)
		if err != nil || !(x >= -1 && x <= 2) {
			fail("%s %q is no share of the image", [4]string{"XMin", "YMin", "XMax", "YMax"}[i], r[k])
			return
		}
		v[i] = x
	}
	name := text.FromCell(r[o.label])
	if o.labels != nil {
		if name = o.labels[r[o.label]]; name == "" {
			fail("LabelName %q is not in %s: list all classes there, and keep some of them with `data subset`", r[o.label], o.s.Classes)
			return
		}
	}
	category, err := o.b.class(name, o.s.Classes)
	if err != nil {
		fail("%w", err)
		return
	}
	im := o.b.d.Images[image-1]
	w, h := float64(im.Width), float64(im.Height)
	box := [4]float64{micro(v[0] * w), micro(v[1] * h), micro((v[2] - v[0]) * w), micro((v[3] - v[1]) * h)}
	o.b.object(image, category, box, crowd)
}

// micro rounds to a millionth of a pixel, so that a share times the size is the number that was divided.
func micro(v float64) float64 { return math.Round(v*1e6) / 1e6 }
