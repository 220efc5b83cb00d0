package output

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	"retinago/internal/media/source"
	"retinago/internal/media/video"
)

// rate is the rate of a copy if the video's own is unknown, in frames a second.
const rate = 25

// Videos writes the drawn frames of each video as an mp4 of the same size and rate. Frames keep their time stamps, relative to the first
// one; if a realtime source drops frames, the one before is shown for longer.
type Videos struct {
	to     *register.Folder
	notice func(text string) // called for each file that is done
	inputs map[int]*copied
}

// copied is a copy that is being written.
type copied struct {
	of    *source.Video
	path  string
	size  [2]int
	part  int // of a video whose size changes
	w     *video.Writer
	left  bool          // the file cannot be written
	begin time.Duration // time of its first frame
}

// NewVideos returns a writer below a folder, which it creates; notice is called with a line for each completed file.
func NewVideos(to *register.Folder, notice func(text string)) *Videos {
	return &Videos{to: to, notice: notice, inputs: map[int]*copied{}}
}

// Write adds a drawn frame. It returns an error for the first frame that cannot be written, and skips the other frames of that video.
// The frames before the error stay in the file, under its name for unfinished videos.
func (v *Videos) Write(r infer.Result, pic *picture.Picture) error {
	c := v.inputs[r.Video.Input]
	var ended error
	if c != nil && (c.of != r.Video || c.size != [2]int{pic.W, pic.H}) {
		ended = v.end(c)
		if c.of != r.Video {
			c = nil
		}
	}
	if c == nil {
		c = &copied{of: r.Video}
		v.inputs[r.Video.Input] = c
	}
	if c.left {
		return ended
	}
	if c.w == nil {
		if err := v.begin(c, r, pic); err != nil {
			c.left = true
			return errors.Join(ended, err)
		}
	}
	if err := c.w.WriteAt(pic, r.Time-c.begin); err != nil {
		c.left = true
		return errors.Join(ended, err, v.end(c))
	}
	return ended
}

func (v *Videos) begin(c *copied, r infer.Result, pic *picture.Picture) error {
	name := copyStem(r)
	if c.part++; c.part > 1 {
		name = fmt.Sprintf("%s.part%d", name, c.part)
	}
	c.size, c.begin = [2]int{pic.W, pic.H}, r.Time
	name = v.to.Name(name, r.Name, ".mp4", unfinished)
	path, err := v.to.Path(name+".mp4", r.Name, CopyRoom(r))
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	c.path = path
	part := strings.TrimSuffix(path, ".mp4") + unfinished
	below, err := filepath.Rel(v.to.Dir(), part)
	if err == nil {
		part, err = v.to.Path(below, r.Name, 0)
	}
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	fps := r.Video.Rate
	if fps == 0 {
		fps = rate
	}
	if c.w, err = video.Create(c.path, pic.W, pic.H, fps); err == nil {
		file.MarkUnfinished(part)
	}
	return err
}

// unfinished is how the name of a video ends while it is written.
const unfinished = ".part.mp4"

// copyStem is the name of a video's copy without .mp4: a.avi and a.mp4 have different ones.
func copyStem(r infer.Result) string {
	e := filepath.Ext(r.Name)
	if r.Video.Realtime || strings.ToLower(e) != ".mp4" {
		return r.Name
	}
	return strings.TrimSuffix(r.Name, e)
}

func (v *Videos) end(c *copied) error {
	if c.w == nil {
		return nil
	}
	err := c.w.Close()
	if err == nil {
		file.MarkWritten(c.path)
		v.notice(fmt.Sprintf("%s: %d frames of %dx%d, %s", c.path, c.w.Frames(), c.size[0], c.size[1], c.w.Codec()))
	}
	c.w = nil
	return err
}

// Close ends all copies.
func (v *Videos) Close() error {
	var errs []error
	for _, c := range v.inputs {
		errs = append(errs, v.end(c))
	}
	return errors.Join(errs...)
}
