package coco

import (
	"encoding/json"
	"fmt"
)

// Dataset is one COCO instances file. The order of the lists is the file's.
type Dataset struct {
	Path        string          // where it was read from, for messages
	Info        json.RawMessage // the "info" value as it was, nil when absent
	Licenses    json.RawMessage // the "licenses" value as it was, nil when absent
	Images      []Image
	Annotations []Annotation
	Categories  []Category
	Extra       json.RawMessage // other top-level members as one JSON object; kept on request, see LoadOptions
	Dropped     []Problem       // items that a reader could not read and left out
	Notes       []Problem       // what a reader assumed, of the dataset as a whole

	texts, named int // numbers in the file that are texts, ids that are texts and no numbers
}

// Image is the entry of one image. Width and Height are in pixels, 0 when the file does not give them.
type Image struct {
	ID       int64
	FileName string
	Width    int
	Height   int
	Extra    json.RawMessage // other members (license, coco_url ...) as one JSON object; kept on request

	offset int64 // byte offset of the object in the file
}

// Category is one class; its ID need not be contiguous with the others'.
type Category struct {
	ID            int64
	Name          string
	Supercategory string
	Extra         json.RawMessage // other members (keypoints, skeleton ...) as one JSON object; kept on request

	offset int64
}

// Annotation is one object of one image.
type Annotation struct {
	ID         int64
	ImageID    int64
	CategoryID int64
	BBox       [4]float64 // x, y, width, height in pixels; NaN where the file has no finite number
	Area       float64    // of the object's mask in pixels; the box's area when the file knows no mask
	IsCrowd    bool       // the box covers a group; a detection inside it is neither right nor wrong
	Ignore     bool       // the file's "ignore"; the bbox metric of pycocotools overrides it with iscrowd

	Segmentation json.RawMessage // polygons or RLE as in the file; kept on request, see ParseSegmentation
	Extra        json.RawMessage // other members as one JSON object; kept on request

	offset  int64
	noArea  bool // the file has no area: it was computed
	badMask bool // the segmentation has a number that is not finite, or cannot be read
}

// Detection is one scored box of a results file.
type Detection struct {
	ImageID    int64
	CategoryID int64
	BBox       [4]float64 // x, y, width, height in pixels
	Score      float64
}

// XYXY gives the corners x1, y1, x2, y2 of a box [x, y, width, height].
func XYXY(b [4]float64) [4]float64 { return [4]float64{b[0], b[1], b[0] + b[2], b[1] + b[3]} }

// name is how messages call an annotation.
func (d *Dataset) annotationName(i int) string {
	return itemName("annotations", i, d.Annotations[i].ID, d.Annotations[i].offset)
}

func (d *Dataset) imageName(i int) string {
	im := &d.Images[i]
	s := itemName("images", i, im.ID, im.offset)
	if im.FileName != "" {
		s += fmt.Sprintf(" %q", im.FileName)
	}
	return s
}

func (d *Dataset) categoryName(i int) string {
	c := &d.Categories[i]
	s := itemName("categories", i, c.ID, c.offset)
	if c.Name != "" {
		s += fmt.Sprintf(" %q", c.Name)
	}
	return s
}

// itemName is "annotations[3] (id 17, byte 420)"; data made in memory have no byte offset.
func itemName(list string, i int, id, offset int64) string {
	if offset == 0 {
		return fmt.Sprintf("%s[%d] (id %d)", list, i, id)
	}
	return fmt.Sprintf("%s[%d] (id %d, byte %d)", list, i, id, offset)
}
