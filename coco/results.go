package coco

import (
	"bufio"
	"fmt"
	"io"
	"iter"

	"retinago/internal/file"
)

// LoadResults reads a results file: a list of {"image_id", "category_id", "bbox": [x, y, w, h], "score"}; other
// keys are skipped. Wrong types, missing keys and numbers that are not finite are errors.
func LoadResults(path string) ([]Detection, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadResults(f, path)
}

// ReadResults is LoadResults on a stream; name stands for the file in messages.
func ReadResults(r io.Reader, name string) ([]Detection, error) {
	t := &item{s: newScanner(r), faults: &faults{}, path: name, section: "results", index: -1}
	var dets pile[Detection]
	switch c := t.s.peek(); {
	case t.s.err != nil:
	case c != '[':
		t.faults.add("%s: starts with %q, but a results file is a list [{\"image_id\", \"category_id\", \"bbox\", \"score\"}, ...]: "+
			"check that this is the detections' file, not the ground truth's", name, c)
		return nil, t.faults.err()
	default:
		t.s.array(func(i int) {
			t.begin(i)
			if c := t.s.peek(); t.s.err == nil && c != '{' {
				t.wrong("", "an object")
			} else {
				d := t.detection()
				if t.sound() {
					dets.add(d)
				}
			}
			if t.flush(); !t.sound() {
				dets = pile[Detection]{}
			}
		})
		t.s.atEnd()
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	if dets.n == 0 {
		return []Detection{}, nil
	}
	return dets.list(), nil
}

func (t *item) detection() (d Detection) {
	var image, category, box, score bool
	t.s.object(func(key []byte) {
		switch string(key) {
		case "image_id":
			d.ImageID, image = t.integer("image_id"), true
		case "category_id":
			d.CategoryID, category = t.integer("category_id"), true
		case "bbox":
			d.BBox, box = t.box(), true
		case "score":
			d.Score, score = t.real("score"), true
		default:
			t.s.skip()
		}
	})
	t.need(image, "image_id")
	t.need(category, "category_id")
	t.need(box, "bbox")
	t.need(score, "score")
	if t.s.err == nil && !finiteBox(d.BBox) {
		t.fault("bbox %v is not finite: leave the detection out", d.BBox)
	}
	if t.s.err == nil && !finite(d.Score) {
		t.fault("score %v is not finite: leave the detection out", d.Score)
	}
	return d
}

// SaveResults writes a results file, one detection a line, whole or not at all.
func SaveResults(path string, dets []Detection) error {
	var f faults
	for i, d := range dets {
		if !finiteBox(d.BBox) || !finite(d.Score) {
			f.add("writing %s: detection %d: bbox %v, score %v: not finite; leave it out", path, i, d.BBox, d.Score)
		}
	}
	if err := f.err(); err != nil {
		return err
	}
	return WriteResults(path, func(yield func(Detection, error) bool) {
		for _, d := range dets {
			if !yield(d, nil) {
				return
			}
		}
	})
}

// WriteResults is SaveResults for detections that come one by one. One that is not finite is an error. With an error of dets it writes nothing
// and returns that error.
func WriteResults(path string, dets iter.Seq2[Detection, error]) error {
	return file.Write(path, func(w *bufio.Writer) error {
		e := encoder{w: w, buf: []byte{'['}}
		i := 0
		for d, err := range dets {
			if err != nil {
				return err
			}
			if !finiteBox(d.BBox) || !finite(d.Score) {
				return fmt.Errorf("detection %d: bbox %v, score %v: not finite; leave it out", i, d.BBox, d.Score)
			}
			e.separate(i)
			e.integer(`{"image_id":`, d.ImageID)
			e.integer(`,"category_id":`, d.CategoryID)
			e.buf = appendBox(append(e.buf, `,"bbox":`...), d.BBox)
			e.buf = appendFloat(append(e.buf, `,"score":`...), d.Score)
			e.flush("}")
			i++
		}
		e.flush("]\n")
		return e.err
	})
}

// checkDetections makes sure that every detection can be scored against the dataset.
func checkDetections(dets []Detection, x *Index, path string) error {
	var f faults
	for i, d := range dets {
		if _, ok := x.ImageOf[d.ImageID]; !ok {
			f.add("detection %d: image_id %d is not among the images of %s: is it the result of another split?", i, d.ImageID, path)
		}
		if !finiteBox(d.BBox) || !finite(d.Score) {
			f.add("detection %d: bbox %v, score %v: not finite; leave it out", i, d.BBox, d.Score)
		}
	}
	if err := f.err(); err != nil {
		return fmt.Errorf("results do not fit the ground truth:\n%w", err)
	}
	return nil
}
