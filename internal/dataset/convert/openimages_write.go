package convert

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"retinago/coco"
	"retinago/internal/file"
	"retinago/internal/text"
)

// WriteOpenImages writes boxes, class descriptions and the list of image ids as the format openimages is read: the list
// is the Split, and keeps the images without boxes. Crowd regions get IsGroupOf 1, other attributes -1, which is
// OpenImages' word for unknown; a LabelName is made of the category's id. Images are not copied.
func WriteOpenImages(d *coco.Dataset, boxes, classes, list string) error {
	objectsOf, err := objects(d)
	if err != nil {
		return err
	}
	label := func(id int64) string { return fmt.Sprintf("/category/%d", id) }
	if err := writeRecords(classes, func(w *csv.Writer) error {
		for _, c := range d.Categories {
			if err := w.Write([]string{label(c.ID), text.Cell(c.Name)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	files := map[string]string{}
	if err := writeRecords(list, func(w *csv.Writer) error {
		w.Write([]string{"ImageID"})
		for _, im := range d.Images {
			id := stem(im.FileName)
			if other, twice := files[id]; twice {
				return fmt.Errorf("convert: %s: %s and %s would both be called %s", d.Path, other, im.FileName, id)
			}
			files[id] = im.FileName
			if err := w.Write([]string{text.Cell(id)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return writeRecords(boxes, func(w *csv.Writer) error {
		w.Write(openImagesHeader)
		share := func(v float64, size int) string { return strconv.FormatFloat(v/float64(size), 'f', -1, 64) }
		for i, im := range d.Images {
			if im.Width < 1 || im.Height < 1 {
				return fmt.Errorf("convert: %s: image %d (%s) is %dx%d pixels", d.Path, im.ID, im.FileName, im.Width, im.Height)
			}
			for _, a := range objectsOf[i] {
				group := "0"
				if a.IsCrowd {
					group = "1"
				}
				x := coco.XYXY(a.BBox)
				if err := w.Write([]string{text.Cell(stem(im.FileName)), "retinago", label(a.CategoryID), "1", share(x[0], im.Width), share(x[2], im.Width),
					share(x[1], im.Height), share(x[3], im.Height), "-1", "-1", group, "-1", "-1"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// writeRecords writes a CSV file that is not there yet.
func writeRecords(path string, f func(w *csv.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	if err := absent(path); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return file.Write(path, func(to *bufio.Writer) error {
		w := csv.NewWriter(to)
		err := f(w)
		w.Flush()
		return errors.Join(err, w.Error())
	})
}
