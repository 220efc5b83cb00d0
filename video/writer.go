//go:build !nocv

package video

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"retinago/picture"
)

// Writer writes frames as an mp4 file. It is not for concurrent use.
type Writer struct {
	path, part string
	vw         *gocv.VideoWriter
	mat        gocv.Mat
	codec      string
	frames     int
}

// codecs in the order in which they are tried. Browsers play the first.
var codecs = [][2]string{{"avc1", "H.264"}, {"mp4v", "MPEG-4 part 2, which browsers do not play: this OpenCV has no H.264 encoder"}}

// Create begins an mp4 file of frames of w x h pixels. Until Close it has another name, path.part.mp4.
func Create(path string, w, h int, rate float64) (*Writer, error) {
	part := strings.TrimSuffix(path, filepath.Ext(path)) + ".part.mp4"
	for _, c := range codecs {
		vw, err := gocv.VideoWriterFile(part, c[0], rate, w, h, true)
		if err != nil {
			return nil, fmt.Errorf("video: %s: %w", path, err)
		}
		if vw.IsOpened() {
			codec := c[1]
			if w%2+h%2 > 0 {
				codec += fmt.Sprintf("; %dx%d: the codec wants even sides", w&^1, h&^1)
			}
			return &Writer{path: path, part: part, vw: vw, mat: gocv.NewMatWithSize(h, w, gocv.MatTypeCV8UC3), codec: codec}, nil
		}
		if err := vw.Close(); err != nil {
			return nil, fmt.Errorf("video: %s: %w", path, err)
		}
	}
	if f, err := os.Create(part); err != nil { // the reason that OpenCV does not give
		return nil, fmt.Errorf("video: %w", err)
	} else if err := errors.Join(f.Close(), os.Remove(part)); err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	return nil, fmt.Errorf("video: %s: OpenCV encodes neither H.264 nor MPEG-4 at %dx%d and %g frames a second", path, w, h, rate)
}

// Write adds a frame.
func (w *Writer) Write(p *picture.Picture) error {
	if p.W != w.mat.Cols() || p.H != w.mat.Rows() {
		return fmt.Errorf("video: %s: a frame of %dx%d in a video of %dx%d", w.path, p.W, p.H, w.mat.Cols(), w.mat.Rows())
	}
	bgr, err := w.mat.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("video: %s: %w", w.path, err)
	}
	p.BGR(bgr)
	w.frames++
	return w.vw.Write(w.mat)
}

// Codec says what is written, in words.
func (w *Writer) Codec() string { return w.codec }

// Frames is how many were written.
func (w *Writer) Frames() int { return w.frames }

// Close ends the file and gives it its name.
func (w *Writer) Close() error {
	err := errors.Join(w.vw.Close(), w.mat.Close())
	if err == nil {
		err = os.Rename(w.part, w.path)
	}
	if err != nil {
		return fmt.Errorf("video: %s: %w", w.path, err)
	}
	return nil
}
