package main

import (
	"slices"

	"retinago/infer"
	"retinago/internal/media/picture"
	shown "retinago/internal/text"
	"retinago/track"
)

// follower tracks and counts the objects in the results of a stream.
type follower struct {
	o       options
	of      *track.Follower
	regions []region       // lines and zones, to draw
	series  map[string]int // input of each series of images
	begun   map[int]any    // the last video or series of each input
	notice  func(text string)
}

// newFollower makes one that calls notice with a line for each region that is not in the frames of a video.
func newFollower(o options, notice func(text string)) *follower {
	f := &follower{o: o, series: map[string]int{}, begun: map[int]any{}, notice: notice, of: track.NewFollower(*o.track, o.places...)}
	for _, p := range o.places {
		f.regions = append(f.regions, newRegion(p))
	}
	return f
}

// follow numbers the objects of a frame of a video, or of an image of a series. It leaves out detections without a track whose score is too
// low to be reported.
func (f *follower) follow(r *infer.Result) error {
	switch {
	case r.Video != nil:
		f.link(r, r.Video.Input, r.Video, r.Path)
	case r.Series != "":
		if f.series[r.Series] == 0 {
			f.series[r.Series] = -1 - len(f.series) // inputs with videos have numbers from 0
		}
		f.link(r, f.series[r.Series], r.Series, r.Series)
	}
	r.Found = slices.DeleteFunc(r.Found, func(d infer.Detection) bool { return d.Track == 0 && d.Score < f.o.least(d.Category.Name) })
	return nil
}

// least is the score from which a detection without a track is reported.
func (o options) least(class string) float32 {
	if v, ok := o.predictor.Choice.Scores[class]; ok {
		return float32(v)
	}
	if v, ok := o.own[class]; ok {
		return v
	}
	return o.score
}

// tracked is the score of a detection as the tracker takes it, which has one score for all classes: linear from 0 over the class's own, which
// becomes the common one, to 1.
func (o options) tracked(class string, score float32) float32 {
	own, ok := o.own[class]
	if _, asked := o.predictor.Choice.Scores[class]; !ok || asked {
		return score
	}
	if score < own {
		return score / own * o.score
	}
	return o.score + (score-own)/(1-own)*(1-o.score)
}

// link continues the tracks of a video or series that an input shows, which is called source in its counts.
func (f *follower) link(r *infer.Result, input int, of any, source string) {
	if f.begun[input] != of {
		f.begun[input] = of
		for _, g := range f.regions {
			if text := g.outside(r.Size, shown.Printable(source)); text != "" {
				f.notice(text)
			}
		}
	}
	names := map[int]string{}
	objects := make([]track.Object, len(r.Found))
	for i, d := range r.Found {
		names[d.Class] = d.Category.Name
		objects[i] = track.Object{Box: d.Box, Score: f.o.tracked(d.Category.Name, d.Score), Class: d.Class}
	}
	total := f.of.Next(input, of, source, objects, func(class int) string { return names[class] })
	for i, o := range objects {
		r.Found[i].Box, r.Found[i].Track = o.Box, o.Track
	}
	for _, line := range total.Lines() {
		r.Captions = append(r.Captions, shown.Printable(line))
	}
}

// draw draws the lines and zones onto a frame of a video or an image of a series.
func (f *follower) draw(r infer.Result, pic *picture.Picture) error {
	if r.Video == nil && r.Series == "" {
		return nil
	}
	for _, g := range f.regions {
		if err := g.draw(pic); err != nil {
			return err
		}
	}
	return nil
}
