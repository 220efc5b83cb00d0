package coco

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"retinago/internal/file"
)

// Save writes the dataset as an instances file, one item a line, whole or not at all: a temporary name, synced,
// renamed. What was kept of info, licenses, segmentation and other members is written back. JSON has no number
// that is not finite: a dataset with one is refused (Fix drops them).
func (d *Dataset) Save(path string) error {
	if err := d.finiteNumbers(path); err != nil {
		return err
	}
	return file.Write(path, func(w *bufio.Writer) error {
		e := encoder{w: w}
		e.document(d)
		return e.err
	})
}

func (d *Dataset) finiteNumbers(path string) error {
	var f faults
	for i := range d.Annotations {
		if a := &d.Annotations[i]; !finiteBox(a.BBox) || !finite(a.Area) {
			f.add("writing %s: %s: bbox %v, area %v cannot be written as JSON; repair it with fix first", path, d.annotationName(i), a.BBox, a.Area)
		}
	}
	return f.err()
}

// encoder writes JSON; the first error sticks.
type encoder struct {
	w   *bufio.Writer
	buf []byte // one item
	err error
}

func (e *encoder) flush(end string) {
	e.buf = append(e.buf, end...)
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) document(d *Dataset) {
	e.buf = append(e.buf, '{')
	if d.Info != nil {
		e.buf = append(e.buf, `"info":`...)
		e.raw("info", d.Info)
		e.buf = append(e.buf, ",\n"...)
	}
	if d.Licenses != nil {
		e.buf = append(e.buf, `"licenses":`...)
		e.raw("licenses", d.Licenses)
		e.buf = append(e.buf, ",\n"...)
	}
	e.flush(`"images":[`)
	for i := range d.Images {
		e.separate(i)
		e.image(&d.Images[i])
		e.flush("")
	}
	e.flush("],\n\"categories\":[")
	for i := range d.Categories {
		e.separate(i)
		e.category(&d.Categories[i])
		e.flush("")
	}
	e.flush("],\n\"annotations\":[")
	for i := range d.Annotations {
		e.separate(i)
		e.annotation(&d.Annotations[i])
		e.flush("")
	}
	e.buf = append(e.buf, ']')
	e.members(d.Extra)
	e.flush("}\n")
}

func (e *encoder) separate(i int) {
	if i > 0 {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, '\n')
}

func (e *encoder) image(im *Image) {
	e.integer(`{"id":`, im.ID)
	e.text(`,"file_name":`, im.FileName)
	e.integer(`,"width":`, int64(im.Width))
	e.integer(`,"height":`, int64(im.Height))
	e.members(im.Extra)
	e.buf = append(e.buf, '}')
}

func (e *encoder) category(c *Category) {
	e.integer(`{"id":`, c.ID)
	e.text(`,"name":`, c.Name)
	e.text(`,"supercategory":`, c.Supercategory)
	e.members(c.Extra)
	e.buf = append(e.buf, '}')
}

func (e *encoder) annotation(a *Annotation) {
	e.integer(`{"id":`, a.ID)
	e.integer(`,"image_id":`, a.ImageID)
	e.integer(`,"category_id":`, a.CategoryID)
	e.buf = appendBox(append(e.buf, `,"bbox":`...), a.BBox)
	e.buf = appendFloat(append(e.buf, `,"area":`...), a.Area)
	e.integer(`,"iscrowd":`, bit(a.IsCrowd))
	if a.Ignore {
		e.integer(`,"ignore":`, 1)
	}
	if a.Segmentation != nil {
		e.buf = append(e.buf, `,"segmentation":`...)
		e.raw("segmentation", a.Segmentation)
	}
	e.members(a.Extra)
	e.buf = append(e.buf, '}')
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (e *encoder) integer(key string, v int64) {
	e.buf = strconv.AppendInt(append(e.buf, key...), v, 10)
}

func (e *encoder) text(key, v string) {
	text, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf = append(append(e.buf, key...), text...)
}

// raw writes text that was kept, on one line.
func (e *encoder) raw(key string, text json.RawMessage) {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil && e.err == nil {
		e.err = fmt.Errorf("%s: %w", key, err)
	}
	e.buf = append(e.buf, b.Bytes()...)
}

// members writes the members of a kept object after others.
func (e *encoder) members(object json.RawMessage) {
	if object == nil {
		return
	}
	start := len(e.buf)
	e.raw("extra members", object)
	text := e.buf[start:]
	if e.err == nil && (len(text) < 2 || text[0] != '{') {
		e.err = fmt.Errorf("extra members: want a JSON object, saw %s", short(text))
	}
	if e.err != nil || len(text) == 2 { // {}
		e.buf = e.buf[:start]
		return
	}
	text[0] = ',' // for the opening brace
	e.buf = e.buf[:len(e.buf)-1]
}

func appendBox(b []byte, box [4]float64) []byte {
	for i, v := range box {
		b = append(b, "[,,,"[i])
		b = appendFloat(b, v)
	}
	return append(b, ']')
}

// appendFloat writes the shortest text that reads back as the same number, as Python's json does.
func appendFloat(b []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
