package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/output"
	"retinago/internal/media/picture"
	sources "retinago/internal/media/source"
	"retinago/internal/media/video"
	shown "retinago/internal/text"
)

// detection is a run of the detect verb: one stream of frames and its results.
type detection struct {
	c         *cli.Context
	o         options
	p         *infer.Predictor
	set       *sources.Set
	writers   []output.Writer
	videos    *output.Videos
	window    *video.Window
	follower  *follower // nil without -track
	text      io.Writer // for a line per picture
	outcome   *outcome
	interrupt context.CancelFunc
	unwritten unwritten
}

func newDetection(c *cli.Context, o options, p *infer.Predictor, set *sources.Set) *detection {
	d := &detection{c: c, o: o, p: p, set: set, text: c.App.Writer, outcome: newOutcome()}
	if standardOutputs(c) > 0 {
		d.text = c.App.ErrWriter
	}
	if o.track != nil {
		d.follower = newFollower(o)
	}
	return d
}

// run detects objects in every frame and writes the results. An interrupt ends it with a message and keeps the results so far.
func (d *detection) run(ids func(infer.Result) (int64, error)) error {
	if err := d.open(ids); err != nil {
		return errors.Join(err, d.close())
	}
	ctx, stop := context.WithCancel(d.c.Context)
	defer stop()
	d.interrupt = stop
	stopped := false
	for r, err := range d.p.Stream(ctx, d.set.Frames, d.streamOptions()) {
		if err != nil {
			if stopped = ctx.Err() != nil; stopped {
				break
			}
			return errors.Join(err, d.close())
		}
		if err := d.take(r); err != nil {
			return errors.Join(err, d.close())
		}
	}
	if stopped {
		fmt.Fprintf(d.c.App.ErrWriter, "interrupted after %d %s\n", d.outcome.done+d.outcome.broken, d.outcome.unit())
	}
	if err := d.close(); err != nil {
		return err
	}
	return d.end()
}

// open begins the files that are written.
func (d *detection) open(ids func(infer.Result) (int64, error)) error {
	stdout := rawOutput(d.c)
	if path := d.c.String("json"); path != "" {
		d.writers = append(d.writers, output.NewCOCO(path, ids))
	}
	if path := d.c.String("jsonl"); path != "" {
		w, err := output.NewLines(path, stdout)
		if err != nil {
			return err
		}
		d.writers = append(d.writers, w)
	}
	if path := d.c.String("csv"); path != "" {
		w, err := output.NewCSV(path, stdout)
		if err != nil {
			return err
		}
		d.writers = append(d.writers, w)
	}
	if dir := d.c.String("yolo"); dir != "" {
		d.writers = append(d.writers, output.NewYOLO(dir))
	}
	if dir := d.c.String("out"); dir != "" {
		d.videos = output.NewVideos(dir, d.print)
	}
	if d.c.Bool("view") {
		var err error
		d.window, err = video.NewWindow("retinago")
		return err
	}
	return nil
}

// print prints a line about a finished video.
func (d *detection) print(what string) { fmt.Fprintln(d.text, what) }

func (d *detection) close() error {
	var errs []error
	for _, w := range d.writers {
		errs = append(errs, w.Close())
	}
	d.writers = nil
	if d.videos != nil {
		errs = append(errs, d.videos.Close())
		d.videos = nil
	}
	if d.window != nil {
		d.window.Close()
		d.window = nil
	}
	return errors.Join(errs...)
}

func (d *detection) streamOptions() infer.StreamOptions {
	o := infer.StreamOptions{Workers: d.c.Int("workers"), Batch: d.c.Int("batch")}
	if d.follower != nil {
		o.Link = d.follower.follow
	}
	if d.videos != nil || d.window != nil || d.c.String("crops") != "" {
		o.Then = d.draw
	}
	if d.videos != nil || d.window != nil {
		o.Last, o.Films = d.show, d.window == nil
	}
	return o
}

// draw cuts objects out, and then draws on the picture.
func (d *detection) draw(r infer.Result, pic *picture.Picture) error {
	if dir := d.c.String("crops"); dir != "" {
		if err := d.unwritten.note(r, output.Crops(dir, r, pic)); err != nil {
			return err
		}
	}
	out := d.c.String("out")
	if out == "" && d.window == nil {
		return nil
	}
	if d.follower != nil {
		d.follower.draw(r, pic)
	}
	if out != "" && r.Video == nil {
		path, err := file.Below(out, sources.JPEG(r.Name))
		if err == nil {
			return d.unwritten.note(r, infer.WriteAnnotated(path, pic, r.Found))
		}
		if err := d.unwritten.note(r, err); err != nil {
			return err
		}
	}
	if err := picture.Draw(pic, infer.Marks(r.Found)); err != nil {
		return err
	}
	return picture.Caption(pic, r.Captions)
}

// show writes the frames of videos, and shows everything.
func (d *detection) show(r infer.Result, pic *picture.Picture) error {
	if d.videos != nil && r.Video != nil {
		if err := d.unwritten.note(r, d.videos.Write(r, pic)); err != nil {
			return err
		}
	}
	if d.window != nil {
		open, err := d.window.Show(pic)
		if err != nil {
			return err
		}
		if !open {
			d.interrupt()
		}
	}
	return nil
}

// take reports a result and writes it.
func (d *detection) take(r infer.Result) error {
	d.outcome.add(r)
	what := shown.Printable(r.Path)
	if r.Video != nil {
		what += fmt.Sprintf(" frame %d", r.Count)
		if r.Video.Frames > 0 {
			what += fmt.Sprintf("/%d", r.Video.Frames)
		}
		what += fmt.Sprintf(" (%.2f s)", r.Time.Seconds())
	}
	switch {
	case r.Broken != nil:
		fmt.Fprintf(d.c.App.ErrWriter, "skipped: %s\n", shown.Printable(r.Broken.Error()))
	case d.c.Bool("verbose"):
		t := r.Times
		fmt.Fprintf(d.text, "%s: %dx%d, %d objects%s; ms: decode %.1f, prepare %.1f, network %.1f, boxes %.1f, draw and write %.1f\n", what, r.Size.W, r.Size.H, len(r.Found),
			byClass(r.Found), ms(t.Read), ms(t.Prepare), ms(t.Network), ms(t.Decode+t.NMS), ms(t.Write+t.Last))
	case !d.c.Bool("quiet") && (r.Video == nil || len(r.Found) > 0):
		fmt.Fprintf(d.text, "%s: %d objects%s\n", what, len(r.Found), byClass(r.Found))
	}
	for _, w := range d.writers {
		if err := d.unwritten.note(r, w.Write(r)); err != nil {
			return err
		}
	}
	for _, err := range d.unwritten.take(r) {
		d.outcome.unwritten++
		fmt.Fprintf(d.c.App.ErrWriter, "not written: %s\n", shown.Printable(err.Error()))
	}
	return nil
}

// end prints the summary and returns an error if some inputs could not be read.
func (d *detection) end() error {
	s := d.outcome
	s.end(d.set.Dropped())
	if d.follower != nil {
		s.counts = d.follower.of.Totals()
	}
	if err := s.print(d.text, !d.c.Bool("quiet") || d.c.Bool("times")); err != nil {
		return err
	}
	if path := d.c.String("summary"); path != "" {
		if err := s.save(path, rawOutput(d.c)); err != nil {
			return err
		}
	}
	switch {
	case s.broken > 0 && s.done == 0:
		return coded{fmt.Errorf("none of %d inputs could be read", s.broken), exitNone}
	case s.broken > 0:
		return partial("%d of %d pictures, frames or videos could not be read", s.broken, s.done+s.broken)
	case s.unwritten > 0:
		return partial("%d files could not be written for their names", s.unwritten)
	}
	return nil
}

// byClass returns the number of detections by class as text, in order of appearance.
func byClass(found []infer.Detection) string {
	count := map[string]int{}
	var names []string
	for _, d := range found {
		if count[d.Category.Name] == 0 {
			names = append(names, d.Category.Name)
		}
		count[d.Category.Name]++
	}
	for i, n := range names {
		names[i] = fmt.Sprintf("%d %s", count[n], shown.Printable(n))
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}
