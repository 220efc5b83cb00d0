package convert

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"retinago/coco"
	"retinago/picture"
)

// CSV reads keras-retinanet's format: a line "path,x1,y1,x2,y2,class" per object, and "path,,,,," for a picture without
// objects; corners in pixels from 0. Paths are relative to the folder images, which is read for the pictures' sizes.
// classes is the file of "class,number" lines, whose order of numbers the categories take; without it they are sorted
// by name.
func CSV(path, classes, images string) (*coco.Dataset, error) {
	b := newBuilder(path)
	if classes != "" {
		if err := b.csvClasses(classes); err != nil {
			return nil, err
		}
	}
	ids := map[string]int64{}
	var f faults
	err := eachRecord(path, func(line int, r []string) {
		where := fmt.Sprintf("%s:%d", path, line)
		if len(r) != 6 {
			f.add("%s: %d columns, want path,x1,y1,x2,y2,class", where, len(r))
			return
		}
		id, known := ids[r[0]]
		if !known {
			w, h, err := picture.Size(filepath.Join(images, filepath.FromSlash(r[0])))
			if err != nil {
				f.add("%s: %w", where, err)
			}
			id = b.image(r[0], w, h)
			ids[r[0]] = id
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
		if _, ok := b.names[r[5]]; !ok && (classes != "" || r[5] == "") {
			f.add("%s: class %q is not in %s", where, r[5], classes)
			return
		}
		b.object(id, b.category(r[5]), [4]float64{v[0], v[1], v[2] - v[0], v[3] - v[1]}, false)
	})
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(b.d.Images) == 0 {
		return nil, fmt.Errorf("convert: %s is empty", path)
	}
	if classes == "" {
		return b.sorted(), nil
	}
	return &b.d, nil
}

// csvClasses reads "class,number" lines; numbers run from 0 without gaps.
func (b *builder) csvClasses(path string) error {
	names := map[int]string{}
	var f faults
	err := eachRecord(path, func(line int, r []string) {
		n := -1
		if len(r) == 2 {
			if v, err := strconv.Atoi(r[1]); err == nil {
				n = v
			}
		}
		if _, twice := names[n]; n < 0 || twice || r[0] == "" {
			f.add("%s:%d: %q, want class,number with a number of its own from 0", path, line, r)
			return
		}
		names[n] = r[0]
	})
	if err == nil {
		err = f.err()
	}
	if err != nil {
		return err
	}
	for i := range len(names) {
		n, ok := names[i]
		if _, twice := b.names[n]; !ok || twice {
			return fmt.Errorf("convert: %s: %d classes, and none of its own with the number %d", path, len(names), i)
		}
		b.category(n)
	}
	return nil
}

// eachRecord calls f for each line of a CSV file.
func eachRecord(path string, f func(line int, record []string)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.FieldsPerRecord, r.ReuseRecord, r.TrimLeadingSpace = -1, true, true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("convert: %s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		f(line, record)
	}
}

// WriteCSV writes annotations and classes as CSV reads them. Crowd regions have no place in the format and are left
// out; their number is returned.
func WriteCSV(d *coco.Dataset, path, classes string) (crowds int, err error) {
	list, err := objects(d)
	if err != nil {
		return 0, err
	}
	names, index := named(d)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for i, im := range d.Images {
		n := 0
		for _, a := range list[i] {
			if a.IsCrowd {
				crowds++
				continue
			}
			n++
			x := a.BBox
			if err := w.Write([]string{im.FileName, number(x[0]), number(x[1]), number(x[0] + x[2]), number(x[1] + x[3]), names[index[a.CategoryID]]}); err != nil {
				return 0, err
			}
		}
		if n == 0 {
			if err := w.Write([]string{im.FileName, "", "", "", "", ""}); err != nil {
				return 0, err
			}
		}
	}
	if w.Flush(); w.Error() != nil {
		return 0, w.Error()
	}
	if err := writeFile(path, b.Bytes()); err != nil {
		return 0, err
	}
	b.Reset()
	for i, n := range names {
		if err := w.Write([]string{n, strconv.Itoa(i)}); err != nil {
			return 0, err
		}
	}
	if w.Flush(); w.Error() != nil {
		return 0, w.Error()
	}
	return crowds, writeFile(classes, b.Bytes())
}
