package doctor

import (
	"encoding/json"
	"fmt"
	"io"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// turn describes how the boxes of an image are moved onto the upright image.
type turn struct {
	orientation int // EXIF's; 1 leaves boxes where they are
	w, h        int // upright
}

// maxHead bounds what is read of a file for its orientation, in bytes.
const maxHead = 256 << 10

// turnOf finds out how the boxes of an image with swapped sides are to be turned. If EXIF turns the image, the boxes refer to the image as
// it is stored. If it does not, and all boxes lie on the upright image, the size alone is wrong.
func turnOf(images string, im *coco.Image, boxes []*coco.Annotation) (turn, bool) {
	f, _, err := file.Open(locate.Path(images, im.FileName))
	if err != nil {
		return turn{}, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return turn{}, false
	}
	head, err := picture.Probe(im.FileName, b)
	if err != nil || head.W != im.Height || head.H != im.Width {
		return turn{}, false
	}
	t := turn{head.Turn(), head.W, head.H}
	if t.orientation >= 5 {
		return t, true
	}
	t.orientation = 1
	for _, a := range boxes {
		c := coco.XYXY(a.BBox)
		if !(c[0] >= 0 && c[1] >= 0 && c[2] <= float64(t.w) && c[3] <= float64(t.h)) {
			return turn{}, false
		}
	}
	return t, true
}

// point brings a point of the stored image onto the upright one. (EXIF 2.3, section 4.6.4 A: for 6, for example, row 0 of the stored
// image is the right side, and column 0 the top.)
func (t turn) point(x, y float64) (float64, float64) {
	w, h := float64(t.w), float64(t.h)
	switch t.orientation {
	case 5:
		return y, x
	case 6:
		return w - y, x
	case 7:
		return w - y, h - x
	case 8:
		return y, h - x
	}
	return x, y
}

// annotation turns a box, and a mask of polygons. A mask of run lengths is removed.
func (t turn) annotation(a *coco.Annotation) {
	if t.orientation == 1 {
		return
	}
	c := coco.XYXY(a.BBox)
	x0, y0 := t.point(c[0], c[1])
	x1, y1 := t.point(c[2], c[3])
	x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
	a.BBox = [4]float64{x0, y0, x1 - x0, y1 - y0}
	if a.Segmentation == nil {
		return
	}
	mask, err := coco.ParseSegmentation(a.Segmentation)
	a.Segmentation = nil
	if err != nil || mask.RLE != nil || mask.Empty() {
		return
	}
	for _, p := range mask.Polygons {
		for i := 0; i+1 < len(p); i += 2 {
			p[i], p[i+1] = t.point(p[i], p[i+1])
		}
	}
	if text, err := json.Marshal(mask.Polygons); err == nil {
		a.Segmentation = text
	}
}

// String says what was done to an image with n boxes.
func (t turn) String() string {
	if t.orientation == 1 {
		return fmt.Sprintf("its size is now the image's, %dx%d", t.w, t.h)
	}
	return fmt.Sprintf("turned as EXIF turns the image, with its boxes and polygons: now %dx%d; masks of run lengths are removed", t.w, t.h)
}
