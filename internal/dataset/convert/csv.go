package convert

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"

	"retinago/coco"
	"retinago/internal/media/picture"
	"retinago/internal/text"
)

// A text that a spreadsheet would run has an apostrophe in front when it is written, which readers here take away (text.Cell).

// readCSV reads keras-retinanet's format: a line "path,x1,y1,x2,y2,class" per object, and "path,,,,," for a picture
// without objects; corners in pixels from 0. Paths are relative to the folder of pictures, which is read for their sizes.
func readCSV(s Source) (*coco.Dataset, string, error) {
	images := s.Images
	if images == "" {
		images = filepath.Dir(s.Path)
	}
	b := newBuilder(s.Path)
	if s.Classes != "" {
		if err := b.classList(s.Classes); err != nil {
			return nil, "", err
		}
	}
	ids := map[string]int64{}
	var f faults
	err := eachRecord(s.Path, func(line int, r []string) {
		where := fmt.Sprintf("%s:%d", s.Path, line)
		if len(r) != 6 {
			f.add("%s: %d columns, want path,x1,y1,x2,y2,class", where, len(r))
			return
		}
		name := text.FromCell(r[0])
		id, known := ids[name]
		if !known {
			w, h, err := picture.Size(filepath.Join(images, filepath.FromSlash(name)))
			if err != nil {
				f.add("%s: %w", where, err)
			}
			id = b.image(name, w, h)
			ids[name] = id
		}
		if r[1] == "" && r[2] == "" && r[3] == "" && r[4] == "" && r[5] == "" {
			return
		}
		var v [4]float64
		for i := range v {
			x, err := strconv.ParseFloat(r[i+1], 64)
			if err != nil || !finite(x) {
				f.add("%s: %q is no number of pixels", where, r[i+1])
				return
			}
			v[i] = x
		}
		category, err := b.class(text.FromCell(r[5]), s.Classes)
		if err != nil {
			f.add("%s: %w", where, err)
			return
		}
		b.object(id, category, [4]float64{v[0], v[1], v[2] - v[0], v[3] - v[1]}, false)
	})
	if err != nil {
		return nil, "", err
	}
	if err := f.err(); err != nil {
		return nil, "", err
	}
	if len(b.d.Images) == 0 {
		return nil, "", fmt.Errorf("convert: %s is empty", s.Path)
	}
	return b.dataset(s.Classes), images, nil
}

// WriteCSV writes annotations and classes as the format csv is read. Crowd regions have no place in the format and are left
// out; their number is returned.
func WriteCSV(d *coco.Dataset, path, classes string) (crowds int, err error) {
	list, err := objects(d)
	if err != nil {
		return 0, err
	}
	names, index := named(d)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	err = writeRecords(path, func(w *csv.Writer) error {
		for i, im := range d.Images {
			n := 0
			for _, a := range list[i] {
				if a.IsCrowd {
					crowds++
					continue
				}
				n++
				x := coco.XYXY(a.BBox)
				if err := w.Write([]string{text.Cell(im.FileName), number(x[0]), number(x[1]), number(x[2]), number(x[3]), text.Cell(names[index[a.CategoryID]])}); err != nil {
					return err
				}
			}
			if n == 0 {
				if err := w.Write([]string{text.Cell(im.FileName), "", "", "", "", ""}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return crowds, writeRecords(classes, func(w *csv.Writer) error {
		for i, n := range names {
			if err := w.Write([]string{text.Cell(n), strconv.Itoa(i)}); err != nil {
				return err
			}
		}
		return nil
	})
}
