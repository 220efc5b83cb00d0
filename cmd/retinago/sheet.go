package main

import (
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Bounds of the longer side of an image on a sheet, in pixels.
const (
	leastCell = 64
	mostCell  = 2048
)

// sheet arranges images in rows, each as high as its highest image.
type sheet struct {
	cell int // most pixels of an image's side
	rows []*picture.Picture
	row  []*picture.Picture // that is not full
}

// Of a sheet, in pixels but for the number of its columns.
const (
	columns  = 4
	gap      = 6 // between images
	mostHigh = 65535
)

func (s *sheet) add(p *picture.Picture) {
	if s.row = append(s.row, p); len(s.row) == columns {
		s.end()
	}
}

// end makes an image of a row.
func (s *sheet) end() {
	high := 0
	for _, p := range s.row {
		high = max(high, p.H)
	}
	row := picture.New(len(s.row)*(s.cell+gap)-gap, high)
	for k, p := range s.row {
		row.Paste(p, k*(s.cell+gap), 0)
		p.Release()
	}
	s.rows, s.row = append(s.rows, row), nil
}

// picture is the whole sheet, which has an image or more.
func (s *sheet) picture() *picture.Picture {
	if len(s.row) > 0 {
		s.end()
	}
	high := -gap
	for _, r := range s.rows {
		high += r.H + gap
	}
	all := picture.New(s.rows[0].W, high)
	y := 0
	for _, r := range s.rows {
		all.Paste(r, 0, y)
		y += r.H + gap
	}
	return all
}

// annotated is an image of a dataset with its objects, whose longer side has so many pixels.
func annotated(d *data.Dataset, i, size int) (*picture.Picture, error) {
	whole, err := picture.Decode(d.File(i))
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	s := data.Resized(data.Size{W: whole.W, H: whole.H}, size, size)
	p := whole.Scaled(s.W, s.H)
	boxes, classes, crowd := d.Objects(i)
	sx, sy := float32(s.W)/float32(d.Image(i).Width), float32(s.H)/float32(d.Image(i).Height)
	categories := d.Categories()
	marks := make([]picture.Mark, len(boxes))
	for j, b := range boxes {
		k := categories[classes[j]]
		label := picture.ClassName(k.Name, k.ID)
		if crowd[j] {
			label += " (crowd)"
		}
		marks[j] = picture.Mark{Box: b.Scale(sx, sy), Label: label, Color: int(classes[j])}
	}
	return p, picture.Draw(p, marks)
}
