package output

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"retinago/infer"
	"retinago/internal/file"
)

// stream is a file of text that is written to as results come; "-" is standard output.
type stream struct {
	path string
	w    *bufio.Writer
	file *file.File // nil of standard output
}

func newStream(path string, stdout io.Writer) (*stream, error) {
	if path == "-" {
		return &stream{"standard output", bufio.NewWriter(stdout), nil}, nil
	}
	to, err := file.Create(path)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return &stream{path, bufio.NewWriter(to), to}, nil
}

// flush makes what was written visible.
func (s *stream) flush() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("output: %s: %w", s.path, err)
	}
	return nil
}

// close makes a file durable, unless it is a pipe or device.
func (s *stream) close() error {
	err := s.flush()
	if s.file == nil {
		return err
	}
	if st, failed := s.file.Stat(); err == nil && failed == nil && st.Mode().IsRegular() {
		s.file.Mark()
		err = s.file.Sync()
	}
	return errors.Join(err, s.file.Close())
}

// line is a result as JSON.
type line struct {
	Source  string   `json:"source"`
	Frame   *int     `json:"frame,omitempty"` // from 0; of a video, or of a file with several pages or frames
	Time    *float64 `json:"time,omitempty"`  // seconds from the video's begin, or since a live source was opened
	Width   int      `json:"width,omitempty"`
	Height  int      `json:"height,omitempty"`
	More    int      `json:"further_pages,omitempty"` // pages or frames of the file behind the first, which is this image
	Objects []object `json:"objects"`
	Error   string   `json:"error,omitempty"` // why there is nothing else
}

type object struct {
	Class    string     `json:"class"`
	Category int64      `json:"category_id"`
	Score    float32    `json:"score"`
	BBox     [4]float32 `json:"bbox"` // x, y, width, height in pixels
	Track    int        `json:"track,omitempty"`
}

// Lines writes one JSON object a line for every result, at once.
type Lines struct{ *stream }

// NewLines begins a file; "-" is stdout.
func NewLines(path string, stdout io.Writer) (*Lines, error) {
	s, err := newStream(path, stdout)
	return &Lines{s}, err
}

// Write adds a result.
func (l *Lines) Write(r infer.Result) error {
	v := line{Source: r.Path, Width: r.Size.W, Height: r.Size.H, More: r.More, Objects: make([]object, len(r.Found))}
	if numbered(r) {
		v.Frame = &r.Count
	}
	if timed(r) {
		t := r.Time.Seconds()
		v.Time = &t
	}
	for i, d := range r.Found {
		v.Objects[i] = object{d.Category.Name, d.Category.ID, d.Score, [4]float32{d.Box.X1, d.Box.Y1, d.Box.W(), d.Box.H()}, d.Track}
	}
	if r.Broken != nil {
		v.Error = r.Broken.Error()
	}
	if err := json.NewEncoder(l.w).Encode(v); err != nil {
		return fmt.Errorf("output: %s: %w", l.path, err)
	}
	return l.flush()
}

// numbered reports whether a result is of a frame of a video or of a page of a file with several.
func numbered(r infer.Result) bool { return r.Video != nil || r.Pages > 0 }

// timed reports whether a result's frame has a time.
func timed(r infer.Result) bool { return r.Video != nil || r.Timed }

// Close ends the file.
func (l *Lines) Close() error { return l.close() }

// number is a float32 in the fewest digits that give it back.
func number(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }
