package convert

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/text"
)

// A text that a spreadsheet would run has an apostrophe in front when it is written, which readers here take away (text.Cell).

// readCSV reads keras-retinanet's format: a line "path,x1,y1,x2,y2,class" per object, and "path,,,,," for an image
// without objects; corners in pixels from 0. A first line without a number names the columns, which may then stand in any order and be others
// (columns.go). Paths are relative to the folder of images, which is read for their sizes.
func readCSV(s Source) (*coco.Dataset, string, error) {
	b := newBuilder(s.Path)
	if s.Classes != "" {
		if err := b.classList(s.Classes); err != nil {
			return nil, "", err
		}
	}
	table := csvTable{s: s, b: b, ids: map[string]int64{}, columns: plainColumns}
	first := true
	var headless error
	err := eachRecord(s.Path, func(line int, r []string) {
		if first {
			first = false
			c, is, err := header(r, len(b.names) == 1)
			if table.columns = c; is || err != nil {
				headless = err
				return
			}
		}
		if headless == nil {
			table.add(line, r)
		}
	})
	if err == nil && headless != nil {
		err = fmt.Errorf("convert: %s:1: %w", s.Path, headless)
	}
	if err == nil && s.Split != "" && table.part < 0 {
		err = fmt.Errorf("convert: %s: it has no column for the parts of the dataset, such as split: leave the split %q out", s.Path, s.Split)
	}
	if err == nil {
		table.begin()
		if n := len(table.ids); n > 1 && table.absent == n {
			err = fmt.Errorf("convert: %s: none of the files of its %d images is in %s%s, such as %q: give images, their folder", s.Path, n, table.images, file.From(table.images), table.first)
		} else {
			err = table.f.leave(&b.d)
		}
	}
	if err != nil {
		return nil, "", err
	}
	switch {
	case len(b.d.Images) > 0:
		return b.dataset(s.Classes), table.images, nil
	case len(table.parts) > 0:
		return nil, "", absentPart(s.Path, s.Split, slices.Sorted(maps.Keys(table.parts)))
	}
	return nil, "", fmt.Errorf("convert: %s is empty", s.Path)
}

// csvTable is a CSV that is read.
type csvTable struct {
	columns
	s       Source
	b       *builder
	f       faults
	ids     map[string]int64 // of images, by their names in the CSV
	images  string           // folder of the images, "" until it is found
	first   string           // of their names
	absent  int              // images that are not there
	waiting []csvRow         // the first rows, by whose images it is found
	parts   map[string]bool  // parts of rows that are passed over
}

// csvRow is a line of a CSV.
type csvRow struct {
	line  int
	cells []string
}

// mostWaiting is how many rows are looked at for the folder of the images.
const mostWaiting = 20

// add adds a row of the part that is read, when the folder of the images is known.
func (t *csvTable) add(line int, r []string) {
	if least := t.least(); len(r) < least || t.header == 0 && len(r) != t.width() {
		want := "path,x1,y1,x2,y2,class"
		if t.header > 0 {
			want = fmt.Sprintf("the %d of the header", t.header)
		}
		t.f.add("%s:%d: %d columns, want %s", t.s.Path, line, len(r), want)
		return
	}
	if t.s.Split != "" && t.part >= 0 && !strings.EqualFold(strings.TrimSpace(r[t.part]), t.s.Split) {
		if t.parts == nil {
			t.parts = map[string]bool{}
		}
		if len(t.parts) < 20 {
			t.parts[strings.Clone(r[t.part])] = true
		}
		return
	}
	if t.images != "" {
		t.row(line, r)
		return
	}
	if t.waiting = append(t.waiting, csvRow{line, slices.Clone(r)}); len(t.waiting) == mostWaiting {
		t.begin()
	}
}

// width is the number of columns without a header.
func (c columns) width() int {
	if c.shares {
		return vertexWidth
	}
	return c.least()
}

// begin finds the folder of the images and adds the rows that wait for it.
func (t *csvTable) begin() {
	if t.images != "" {
		return
	}
	if t.images = t.s.Images; t.images == "" {
		t.images = filepath.Dir(t.s.Path)
		has := func(folder string) bool {
			b := builder{found: locate.New(folder), listed: folders{}}
			return slices.ContainsFunc(t.waiting, func(r csvRow) bool { _, ok := b.fileOf(text.FromCell(r.cells[t.picture])); return ok })
		}
		if folder, ok := besideFolder(t.s.Path, has); ok {
			t.images = folder
		}
	}
	t.b.found = locate.New(t.images)
	for _, r := range t.waiting {
		t.row(r.line, r.cells)
	}
	t.waiting = nil
}

// row adds a line's object, and its image where it is new.
func (t *csvTable) row(line int, r []string) {
	where := fmt.Sprintf("%s:%d", t.s.Path, line)
	name := text.FromCell(r[t.picture])
	id, known := t.ids[name]
	if !known {
		found, _ := t.b.fileOf(name)
		w, h, err := picture.Size(t.b.found.Path(found))
		if errors.Is(err, fs.ErrNotExist) {
			t.absent++
		}
		if err != nil {
			t.f.add("%s: %w", where, err)
		} else {
			id = t.b.image(found, w, h)
		}
		if len(t.ids) == 0 {
			t.first = name
		}
		t.ids[strings.Clone(name)] = id
	}
	if id == 0 { // the image is left out
		return
	}
	v, ok, err := t.numbers(r)
	if err != nil {
		t.f.add("%s: %w", where, err)
	}
	if err != nil || !ok {
		return
	}
	box := t.form(v)
	if t.shares {
		im := t.b.d.Images[id-1]
		w, h := float64(im.Width), float64(im.Height)
		box = [4]float64{micro(box[0] * w), micro(box[1] * h), micro(box[2] * w), micro(box[3] * h)}
	}
	class := t.classOf(r)
	category, err := t.b.class(class, t.s.Classes)
	if err != nil {
		t.f.add("%s: %w", where, err)
		return
	}
	t.b.object(id, category, box, false)
}

// classOf is the class of a row.
func (t *csvTable) classOf(r []string) string {
	if t.class < 0 {
		return t.b.d.Categories[0].Name
	}
	class := text.FromCell(r[t.class])
	if strings.HasPrefix(class, "{") {
		return regionClass(class)
	}
	return class
}

// csvParts are the parts that a column of a CSV divides it into, by their names in small letters; none without such a column.
func csvParts(path string) (map[string]string, error) {
	parts := map[string]string{}
	part, first := -1, true
	err := eachRecord(path, func(_ int, r []string) {
		if first {
			first = false
			c, is, err := header(r, true)
			if part = c.part; is || err != nil {
				return
			}
		}
		if part >= 0 && part < len(r) && len(parts) < 20 {
			name := strings.TrimSpace(r[part])
			if _, known := parts[strings.ToLower(name)]; !known && name != "" {
				parts[strings.ToLower(name)] = strings.Clone(name)
			}
		}
	})
	return parts, err
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
