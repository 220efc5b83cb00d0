package output

import (
	"fmt"
	"path/filepath"
	"strings"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/register"
)

// YOLO writes a text file for every image and frame: per detection the class from 0, and centre, width and height as shares of
// the image's sides.
type YOLO struct{ to *register.Folder }

// NewYOLO writes below a folder, which is made.
func NewYOLO(to *register.Folder) *YOLO { return &YOLO{to} }

// Write writes the file of a result, which is empty if there are no detections.
func (y *YOLO) Write(r infer.Result) error {
	if r.Broken != nil {
		return nil
	}
	path, err := y.to.Path(frame(r, y.name(r))+".txt", r.Name, 0)
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

// name is the stem of a source's files: a.jpg and a.png have different ones.
func (y *YOLO) name(r infer.Result) string {
	if r.Video != nil {
		return y.to.Frames(stem(r), r.Name, ".txt")
	}
	return y.to.Name(stem(r), r.Name, ".txt")
}

// Close syncs the files to the disk.
func (y *YOLO) Close() error { return file.SyncAll(y.to.Dir()) }

// LabelName is the name of the file that YOLO writes for an image or the first frame of a video, where no other source takes it.
func LabelName(r infer.Result) string { return frame(r, stem(r)) + ".txt" }

// stem is the name of a result's source without extension.
func stem(r infer.Result) string {
	if r.Video != nil && r.Video.Realtime {
		return r.Name // an address has no extension
	}
	return strings.TrimSuffix(r.Name, filepath.Ext(r.Name))
}

// frame is a stem with the number of the frame in its video.
func frame(r infer.Result, stem string) string {
	if r.Video == nil {
		return stem
	}
	return fmt.Sprintf("%s_%06d", stem, r.Count)
}
