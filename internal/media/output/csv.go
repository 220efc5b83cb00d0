package output

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"retinago/infer"
	"retinago/internal/text"
)

// CSV writes a row for every detection, at once. A text that a spreadsheet would run as a formula gets a leading apostrophe (text.Cell).
type CSV struct {
	*stream
	rows *csv.Writer
}

// NewCSV begins a file with the header row; "-" is standard output.
func NewCSV(path string, stdout io.Writer) (*CSV, error) {
	s, err := newStream(path, stdout)
	if err != nil {
		return nil, err
	}
	c := &CSV{s, csv.NewWriter(s.w)}
	return c, c.row("source", "frame", "time", "class", "category_id", "score", "x1", "y1", "x2", "y2", "track")
}

func (c *CSV) row(v ...string) error {
	if err := c.rows.Write(v); err != nil {
		return fmt.Errorf("output: %s: %w", c.path, err)
	}
	return nil
}

// Write adds the detections of a result. Frame and time are empty for images that are alone in their file, and the track without tracking.
func (c *CSV) Write(r infer.Result) error {
	frame, time := "", ""
	if numbered(r) {
		frame = strconv.Itoa(r.Count)
	}
	if timed(r) {
		time = strconv.FormatFloat(r.Time.Seconds(), 'f', 3, 64)
	}
	for _, d := range r.Found {
		track := ""
		if d.Track > 0 {
			track = strconv.Itoa(d.Track)
		}
		if err := c.row(text.Cell(r.Path), frame, time, text.Cell(d.Category.Name), strconv.FormatInt(d.Category.ID, 10), number(d.Score), number(d.Box.X1), number(d.Box.Y1), number(d.Box.X2),
			number(d.Box.Y2), track); err != nil {
			return err
		}
	}
	c.rows.Flush()
	return c.flush()
}

// Close ends the file.
func (c *CSV) Close() error {
	c.rows.Flush()
	return c.close()
}
