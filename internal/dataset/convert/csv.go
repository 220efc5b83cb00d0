package convert

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/media/picture"
	"retinago/internal/text"
)

// A text that a spreadsheet would run has an apostrophe in front when it is written, which readers here take away (text.Cell).

// columns says in which column of a CSV a value stands.
type columns struct {
	path, class int
	corner      [4]int // x1, y1, x2, y2
}

// plainColumns are those of keras-retinanet, which has no header.
var plainColumns = columns{path: 0, corner: [4]int{1, 2, 3, 4}, class: 5}

// least is the number of columns that a line must have.
func (c columns) least() int { return max(c.path, c.class, slices.Max(c.corner[:])) + 1 }

// columnNames are names of columns, in small letters: those of TensorFlow's and Roboflow's exports, and of what people write. They stand for
// path, class, x1, y1, x2 and y2.
var columnNames = [6][]string{
	{"path", "filename", "file_name", "file", "image", "image_path", "img_path", "image_name", "image_id"},
	{"class", "class_name", "classname", "label", "name", "category"},
	{"x1", "xmin", "x_min", "left"}, {"y1", "ymin", "y_min", "top"}, {"x2", "xmax", "x_max", "right"}, {"y2", "ymax", "y_max", "bottom"},
}

// header finds the columns that a first line names. A line with a number or an empty corner is no header, and neither is one that has at most
// one of the names.
func header(r []string) (c columns, is bool, err error) {
	for i, v := range r {
		if _, err := strconv.ParseFloat(v, 64); err == nil || i >= 1 && i <= 4 && v == "" {
			return plainColumns, false, nil
		}
	}
	var at [6]int
	named := 0
	for i, names := range columnNames {
		at[i] = slices.IndexFunc(r, func(v string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(v))) })
		if at[i] >= 0 {
			named++
		}
	}
	switch {
	case named == len(at):
		return columns{path: at[0], class: at[1], corner: [4]int(at[2:])}, true, nil
	case named <= 1:
		return plainColumns, false, nil
	}
	return c, false, fmt.Errorf("%q is a header that lacks columns: want path, x1, y1, x2, y2 and class, in any order (also filename, xmin, ymin, xmax, ymax, label)", r)
}

// readCSV reads keras-retinanet's format: a line "path,x1,y1,x2,y2,class" per object, and "path,,,,," for a picture
// without objects; corners in pixels from 0. A first line without a number names the columns, which may then stand in any order. Paths are
// relative to the folder of pictures, which is read for their sizes.
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
	table := csvTable{b: b, pictures: locate.New(images), ids: map[string]int64{}, columns: plainColumns, classes: s.Classes, file: s.Path}
	first := true
	var headless error
	err := eachRecord(s.Path, func(line int, r []string) {
		if first {
			first = false
			c, is, err := header(r)
			table.columns, table.named = c, is
			if is || err != nil {
				headless = err
				return
			}
		}
		if headless == nil {
			table.row(line, r)
		}
	})
	if err == nil && headless != nil {
		err = fmt.Errorf("convert: %s:1: %w", s.Path, headless)
	}
	if err == nil {
		err = table.f.leave(&b.d)
	}
	if err != nil {
		return nil, "", err
	}
	if len(b.d.Images) == 0 {
		return nil, "", fmt.Errorf("convert: %s is empty", s.Path)
	}
	return b.dataset(s.Classes), images, nil
}

// csvTable is a CSV that is read.
type csvTable struct {
	columns
	named    bool // the columns have a header, and there may be more
	b        *builder
	f        faults
	pictures *locate.Folder
	ids      map[string]int64 // of images, by their names in the CSV
	classes  string
	file     string
}

// row adds a line's object, and its picture where it is new.
func (t *csvTable) row(line int, r []string) {
	where := fmt.Sprintf("%s:%d", t.file, line)
	if least := t.least(); len(r) < least || !t.named && len(r) != least {
		t.f.add("%s: %d columns, want path,x1,y1,x2,y2,class", where, len(r))
		return
	}
	name := text.FromCell(r[t.path])
	id, known := t.ids[name]
	if !known {
		found, ok := t.pictures.Find(name)
		if !ok {
			found = name
		}
		w, h, err := picture.Size(t.pictures.Path(found))
		if err != nil {
			t.f.add("%s: %w", where, err)
		} else {
			id = t.b.image(found, w, h)
		}
		t.ids[name] = id
	}
	if id == 0 { // the picture is left out
		return
	}
	var v [4]float64
	empty := r[t.class] == ""
	for _, k := range t.corner {
		empty = empty && r[k] == ""
	}
	if empty {
		return
	}
	for i, k := range t.corner {
		x, err := strconv.ParseFloat(r[k], 64)
		if err != nil || !finite(x) {
			t.f.add("%s: %q is no number of pixels", where, r[k])
			return
		}
		v[i] = x
	}
	category, err := t.b.class(text.FromCell(r[t.class]), t.classes)
	if err != nil {
		t.f.add("%s: %w", where, err)
		return
	}
	t.b.object(id, category, [4]float64{v[0], v[1], v[2] - v[0], v[3] - v[1]}, false)
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
