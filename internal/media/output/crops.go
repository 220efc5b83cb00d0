package output

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// quality of the JPEGs that are written.
const quality = 92

// Crops writes what lies in each box as a JPEG, in a folder for each class. A crop whose name cannot be written is left out, and the
// first such error (file.ErrName) returned. It may be called from several goroutines.
func Crops(dir string, r infer.Result, pic *picture.Picture) error {
	var left error
	for i, d := range r.Found {
		x1, y1 := max(int(math.Floor(float64(d.Box.X1))), 0), max(int(math.Floor(float64(d.Box.Y1))), 0)
		x2, y2 := min(int(math.Ceil(float64(d.Box.X2))), pic.W), min(int(math.Ceil(float64(d.Box.Y2))), pic.H)
		if x2 <= x1 || y2 <= y1 {
			continue
		}
		path, err := file.Below(dir, filepath.Join(folder(d.Category.Name), fmt.Sprintf("%s_%d.jpg", named(r), i+1)))
		if errors.Is(err, file.ErrName) {
			left = cmp.Or(left, fmt.Errorf("output: %w", err))
			continue
		}
		if err != nil {
			return fmt.Errorf("output: %w", err)
		}
		c := pic.Crop(x1, y1, x2-x1, y2-y1)
		err = c.WriteJPEG(path, quality)
		c.Release()
		if err != nil {
			return err
		}
	}
	return left
}

// named is what a result's crops begin with: its name, with its extension where that is not a JPEG's.
func named(r infer.Result) string {
	if e := strings.ToLower(filepath.Ext(r.Name)); r.Video == nil && e != ".jpg" && e != ".jpeg" {
		return r.Name
	}
	return stem(r)
}

// folder is a class's name as that of a folder.
func folder(class string) string {
	s := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' {
			return '_'
		}
		return r
	}, class)
	if strings.Trim(s, ".") == "" {
		return "_" + s
	}
	return s
}
