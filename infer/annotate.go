package infer

import (
	"fmt"
	"os"
	"path/filepath"

	"retinago/internal/media/picture"
	"retinago/internal/media/source"
)

// Marks returns the marks of detections for Draw: boxes with class, score and track number.
func Marks(found []Detection) []Mark {
	marks := make([]picture.Mark, len(found))
	for i, d := range found {
		label := fmt.Sprintf("%s %.2f", picture.ClassName(d.Category.Name, d.Category.ID), d.Score)
		if d.Track > 0 {
			label = fmt.Sprintf("%s #%d", label, d.Track)
		}
		// The best detection comes first and is drawn last, on top.
		marks[len(found)-1-i] = picture.Mark{Box: d.Box, Label: label, Color: d.Class}
	}
	return marks
}

// WriteAnnotated draws detections and captions onto an image and writes it as JPEG; another extension gets .jpg appended. Missing
// folders are made.
func WriteAnnotated(path string, p *Picture, found []Detection, captions ...string) error {
	if err := picture.Draw(p, Marks(found), captions...); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	return p.WriteJPEG(source.JPEG(path), 92)
}
