package output

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
	"retinago/internal/media/video"
)

// rate is the rate of a copy if the video's own is unknown, in frames a second.
const rate = 25

// Videos writes the drawn frames of each video as an mp4 of its own, of the same size and rate. Dropped frames of
// realtime sources are missing, so that their copies run faster.
type Videos struct {
	dir    string
	notice func(text string) // called for each file that is done
	inputs map[int]*copied
}

// copied is a copy that is being written.
type copied struct {
	of   *source.Video
	path string
	size [2]int
	part int // of a video whose size changes
	w    *video.Writer
	left bool // the file cannot be written for its name
}

// NewVideos writes below a folder, which is made; notice is called with a line for each file.
func NewVideos(dir string, notice func(text string)) *Videos {
	return &Videos{dir: dir, notice: notice, inputs: map[int]*copied{}}
}

// Write adds a frame that is drawn on. The first frame of a video whose file cannot be called so is an error (file.ErrName); the
// others are passed over.
func (v *Videos) Write(r infer.Result, pic *picture.Picture) error {
	c := v.inputs[r.Video.Input]
	if c != nil && (c.of != r.Video || c.size != [2]int{pic.W, pic.H}) {
		if err := v.end(c); err != nil {
			return err
		}
		if c.of != r.Video {
			c = nil
		}
	}
	if c == nil {
		c = &copied{of: r.Video}
		v.inputs[r.Video.Input] = c
	}
	if c.left {
		return nil
	}
	if c.w == nil {
		if err := v.begin(c, r, pic); err != nil {
			c.left = errors.Is(err, file.ErrName)
			return err
		}
	}
	return c.w.Write(pic)
}

func (v *Videos) begin(c *copied, r infer.Result, pic *picture.Picture) error {
	name := r.Name
	if e := filepath.Ext(name); !r.Video.Realtime && e != "" {
		name = strings.TrimSuffix(name, e)
		if strings.ToLower(e) != ".mp4" {
			name += e // a.avi and a.mp4 have different copies
		}
	}
	if c.part++; c.part > 1 {
		name = fmt.Sprintf("%s.part%d", name, c.part)
	}
	c.size = [2]int{pic.W, pic.H}
	var err error
	for _, ending := range []string{".part.mp4", ".mp4"} { // it has the first while it is written
		if c.path, err = file.Below(v.dir, name+ending); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	fps := r.Video.Rate
	if fps == 0 {
		fps = rate
	}
	c.w, err = video.Create(c.path, pic.W, pic.H, fps)
	return err
}

func (v *Videos) end(c *copied) error {
	if c.w == nil {
		return nil
	}
	err := c.w.Close()
	if err == nil {
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
