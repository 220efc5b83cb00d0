package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/infer"
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
	to        *places
	writers   []output.Writer
	given     int              // outputs that were asked for
	lost      int              // of them, those that were given up
	pictures  *output.Pictures // nil without -out
	crops     *output.Crops    // nil without -crops
	videos    *output.Videos   // nil without -out
	window    *video.Window
	follower  *follower // nil without -track
	text      io.Writer // for a line per image
	outcome   *outcome
	interrupt context.CancelFunc
	unwritten unwritten
	lines     *videoLines
	headway   *headway
}

func newDetection(c *cli.Context, o options, p *infer.Predictor, set *sources.Set, to *places) *detection {
	d := &detection{c: c, o: o, p: p, set: set, to: to, text: c.App.Writer, outcome: newOutcome(o.scores), headway: newHeadway(c.App.ErrWriter, c.Bool("quiet"), set)}
	if standardOutputs(c) > 0 {
		d.text = c.App.ErrWriter
	}
	if o.track != nil {
		d.follower = newFollower(o, func(text string) { fmt.Fprintln(c.App.ErrWriter, text) })
	}
	d.lines = newVideoLines(d.text)
	if d.headway.line != nil { // which shows how far a video is: a line at its end is left
		d.lines.every = math.MaxInt64
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
	for r, err := range d.p.Stream(ctx, d.frames, d.streamOptions()) {
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
	d.lines.close()
	d.headway.line.Clear()
	if stopped {
		fmt.Fprintf(d.c.App.ErrWriter, "interrupted after %s\n", shown.Count(d.outcome.done+d.outcome.broken, d.outcome.unit()))
	}
	for _, err := range d.closed() {
		d.left(err)
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
	if d.to.yolo != nil {
		d.writers = append(d.writers, output.NewYOLO(d.to.yolo))
	}
	d.given = len(d.writers)
	if d.to.crops != nil {
		var classes []string
		for _, k := range d.p.Info().Categories {
			classes = append(classes, k.Name)
		}
		d.crops = output.NewCrops(d.to.crops, classes)
		d.given++
	}
	if d.to.out != nil {
		d.pictures, d.videos = output.NewPictures(d.to.out), output.NewVideos(d.to.out, d.print)
		d.given++
	}
	if d.c.Bool("view") || d.c.String("summary") != "" {
		d.given++
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

func (d *detection) close() error { return errors.Join(d.closed()...) }

// closed ends all files and returns the errors.
func (d *detection) closed() (errs []error) {
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, w := range d.writers {
		if err := w.Close(); err != nil {
			note(err)
			d.lost++
		}
	}
	d.writers = nil
	if d.videos != nil {
		note(d.videos.Close())
		d.videos = nil
	}
	if d.window != nil {
		d.window.Close()
		d.window = nil
	}
	return errs
}

// frames are the set's, recorded as what the run reads: those that standard input names were not known before.
func (d *detection) frames(ctx context.Context) iter.Seq[sources.Frame] {
	return func(yield func(sources.Frame) bool) {
		for f := range d.set.Frames(ctx) {
			if f.Pic == nil || (f.Video != nil || f.Pages > 0) && f.Count == 0 {
				d.to.register.Input("a source of this run", f.Path)
			}
			if !yield(f) {
				return
			}
		}
	}
}

func (d *detection) streamOptions() infer.StreamOptions {
	o := infer.StreamOptions{Workers: d.c.Int("workers"), Batch: d.c.Int("batch")}
	o.Link = d.link
	if d.videos != nil || d.window != nil || d.crops != nil {
		o.Then = d.draw
	}
	if d.videos != nil || d.window != nil {
		o.Last, o.Films = d.show, d.window == nil
	}
	return o
}

// link gives results their tracks, and their files names, in the order of the results.
func (d *detection) link(r *infer.Result) error {
	d.outcome.detected(*r, d.p.Decoding().MaxDets)
	if d.follower != nil {
		if err := d.follower.follow(r); err != nil {
			return err
		}
		r.Found = slices.DeleteFunc(r.Found, func(v infer.Detection) bool { return !(v.Box.X2 > v.Box.X1 && v.Box.Y2 > v.Box.Y1) }) // smoothed to nothing
	}
	if d.crops != nil {
		d.crops.Name(*r)
	}
	if d.pictures != nil {
		d.pictures.Name(*r)
	}
	return nil
}

// draw cuts objects out, and then draws on the image.
func (d *detection) draw(r infer.Result, pic *picture.Picture) error {
	if d.crops != nil {
		d.unwritten.note(r, d.crops.Write(r, pic))
	}
	if d.pictures == nil && d.window == nil {
		return nil
	}
	if d.follower != nil {
		if err := d.follower.draw(r, pic); err != nil {
			return err
		}
	}
	if d.pictures != nil && r.Video == nil {
		d.unwritten.note(r, d.pictures.Write(r, pic))
		return nil
	}
	return picture.Draw(pic, infer.Marks(r.Found), r.Captions...)
}

// show writes the frames of videos, and shows everything.
func (d *detection) show(r infer.Result, pic *picture.Picture) error {
	if d.videos != nil && r.Video != nil {
		d.unwritten.note(r, d.videos.Write(r, pic))
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
	if r.More > 0 {
		what += fmt.Sprintf(" (the first of %d pages or frames)", r.More+1)
	}
	if r.Pages > 0 {
		what += fmt.Sprintf(" page or frame %d/%d", r.Count+1, r.Pages)
	}
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
		fmt.Fprintf(d.text, "%s: %dx%d, %s%s; ms: decode %.1f, prepare %.1f, network %.1f, boxes %.1f, draw and write %.1f\n", what, r.Size.W, r.Size.H, shown.Count(len(r.Found), "object"),
			byClass(r.Found), ms(t.Read), ms(t.Prepare), ms(t.Network), ms(t.Decode+t.NMS), ms(t.Write+t.Last))
	case d.c.Bool("quiet"):
	case r.Video != nil:
		d.lines.take(r)
	default:
		fmt.Fprintf(d.text, "%s: %s%s\n", what, shown.Count(len(r.Found), "object"), byClass(r.Found))
	}
	if err := d.write(r); err != nil {
		return err
	}
	for _, err := range d.unwritten.take(r) {
		d.left(err)
	}
	d.headway.show(r, d.outcome.objects)
	return nil
}

// write gives a result to the writers. One whose only file fails is given up; the run ends where no output is left.
func (d *detection) write(r infer.Result) error {
	var kept []output.Writer
	for i, w := range d.writers {
		err := w.Write(r)
		if errors.Is(err, errUnknownImage) {
			return err
		}
		if _, many := w.(*output.YOLO); err == nil || many {
			kept = append(kept, w)
			d.unwritten.note(r, err)
			continue
		}
		w.Close() // err is the cause of what it returns
		if d.lost++; d.lost == d.given {
			d.writers = append(kept, d.writers[i+1:]...)
			return err
		}
		d.left(fmt.Errorf("%w; the run goes on without that file", err))
	}
	d.writers = kept
	return nil
}

// left reports a file that could not be written.
func (d *detection) left(err error) {
	switch d.outcome.unwritten++; {
	case d.outcome.unwritten <= unwrittenLines:
		fmt.Fprintf(d.c.App.ErrWriter, "not written: %s\n", shown.Printable(err.Error()))
	case d.outcome.unwritten == unwrittenLines+1:
		fmt.Fprintln(d.c.App.ErrWriter, "not written: more files, which the summary counts")
	}
}

// end prints the summary and returns an error if some inputs could not be read.
func (d *detection) end() error {
	s := d.outcome
	s.end(d.set.Dropped())
	if d.follower != nil {
		s.counts = d.follower.of.Totals()
	}
	s.highest = max(s.highest, d.p.Highest())
	if err := s.print(d.text, !d.c.Bool("quiet") || d.c.Bool("times")); err != nil {
		return err
	}
	if path := d.c.String("summary"); path != "" {
		if err := s.save(path, rawOutput(d.c)); err != nil {
			return err
		}
	}
	switch {
	case s.broken+s.done == 0 && d.to.left:
		return coded{errors.New("no source is left: all are in folders for results"), exitNone}
	case s.broken > 0 && s.done == 0:
		return coded{fmt.Errorf("none of %d inputs could be read", s.broken), exitNone}
	case s.broken > 0:
		return partial("%d of %d images, frames or videos could not be read", s.broken, s.done+s.broken)
	case s.unwritten > 0 && d.lost == d.given:
		return fmt.Errorf("%s could not be written, and no other result was asked for", shown.Count(s.unwritten, "file"))
	case s.unwritten > 0:
		return partial("%s could not be written", shown.Count(s.unwritten, "file"))
	}
	return nil
}

// byClass returns the number of detections by class as text, in the order of the model's classes.
func byClass(found []infer.Detection) string {
	count, names := map[int]int{}, map[int]string{}
	for _, d := range found {
		count[d.Class]++
		names[d.Class] = d.Category.Name
	}
	var out []string
	for _, class := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%d %s", count[class], shown.Printable(names[class])))
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}
