package output

import (
	"fmt"
	"path/filepath"
	"strings"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/source"
)

// YOLO writes a text file for every picture and frame: per detection the class from 0, and centre, width and height as shares of
// the picture's sides.
type YOLO struct {
	dir   string
	names *source.Names
}

// NewYOLO writes below a folder, which is made.
func NewYOLO(dir string) *YOLO { return &YOLO{dir, source.NewNames()} }

// Write writes a result's file, which is empty where nothing was found.
func (y *YOLO) Write(r infer.Result) error {
	if r.Broken != nil {
		return nil
	}
	name := stem(r) + ".txt"
	if r.Video == nil { // a.jpg and a.png
		name = y.names.Unique(name, func(s string) string { return s })
	}
	path, err := file.Below(y.dir, name)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	var text []byte
	sx, sy := 1/float32(r.Size.W), 1/float32(r.Size.H)
	for _, d := range r.Found {
		b := d.Box.Scale(sx, sy)
		text = fmt.Appendf(text, "%d %.6f %.6f %.6f %.6f\n", d.Class, (b.X1+b.X2)/2, (b.Y1+b.Y2)/2, b.W(), b.H())
	}
	if err := file.Put(path, text); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// Close makes what was written durable.
func (y *YOLO) Close() error { return file.SyncAll(y.dir) }

// stem is a result's name without extension, with the number of the frame in its video.
func stem(r infer.Result) string {
	s := strings.TrimSuffix(r.Name, filepath.Ext(r.Name))
	if r.Video != nil {
		if r.Video.Realtime {
			s = r.Name // an address has no extension
		}
		s = fmt.Sprintf("%s_%06d", s, r.Count)
	}
	return s
}
