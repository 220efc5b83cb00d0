package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"retinago/infer"
	"retinago/internal/media/picture"
	sources "retinago/internal/media/source"
	shown "retinago/internal/text"
	"retinago/track"
)

// follower numbers the objects of videos, and counts them. Each video has its own numbers and counts.
type follower struct {
	o      options
	names  map[int]string // of classes
	paths  [][][2]float64 // of lines and zones, to draw
	lanes  map[int]*followed
	totals []total // of all videos, if there is anything to count
}

// followed is a video on its way.
type followed struct {
	of       *sources.Video
	tracker  *track.Tracker
	counters []track.Counter
	total    int // in follower.totals
}

// total is what was counted in one video.
type total struct {
	Source string    `json:"source"`
	Counts []counted `json:"counts"` // in the order of -line, and then of -zone
}

type counted struct {
	At    string         `json:"at"`
	Count map[string]int `json:"count"` // "class way": number
}

func newFollower(o options) *follower {
	f := &follower{o: o, names: map[int]string{}, lanes: map[int]*followed{}}
	for _, k := range o.counters {
		var path [][2]float64
		for _, p := range k.make().Points() {
			path = append(path, [2]float64{p.X, p.Y})
		}
		f.paths = append(f.paths, path)
	}
	return f
}

// follow gives the objects of a frame their numbers; of pictures it knows none. What is neither a track nor sure is left out.
func (f *follower) follow(r *infer.Result) error {
	if r.Video != nil {
		f.link(r)
	}
	r.Found = slices.DeleteFunc(r.Found, func(d infer.Detection) bool { return d.Track == 0 && d.Score < f.o.least(d.Category.Name) })
	return nil
}

// least is the score from which what has no track is reported.
func (o options) least(class string) float32 {
	if v, ok := o.predictor.Choice.Scores[class]; ok {
		return float32(v)
	}
	return o.score
}

func (f *follower) link(r *infer.Result) {
	v := f.lanes[r.Video.Lane]
	if v == nil || v.of != r.Video {
		v = &followed{of: r.Video, tracker: track.New(*f.o.track), total: len(f.totals)}
		for _, k := range f.o.counters {
			v.counters = append(v.counters, k.make())
		}
		f.lanes[r.Video.Lane] = v
		if len(v.counters) > 0 {
			f.totals = append(f.totals, total{Source: r.Path})
		}
	}
	objects := make([]track.Object, len(r.Found))
	for i, d := range r.Found {
		f.names[d.Class] = d.Category.Name
		objects[i] = track.Object{Box: d.Box, Score: d.Score, Class: d.Class}
	}
	v.tracker.Next(objects)
	for i, o := range objects {
		r.Found[i].Box, r.Found[i].Track = o.Box, o.Track
	}
	if len(v.counters) == 0 {
		return
	}
	t := &f.totals[v.total]
	t.Counts = nil
	for i, c := range v.counters {
		c.Count(objects)
		t.Counts = append(t.Counts, counted{f.o.counters[i].name, f.named(c)})
	}
	for _, line := range t.texts() {
		r.Captions = append(r.Captions, shown.Printable(line))
	}
}

// draw draws the lines and zones of a video.
func (f *follower) draw(r infer.Result, pic *picture.Picture) {
	if r.Video == nil {
		return
	}
	for i, path := range f.paths {
		picture.Path(pic, path, i)
	}
}

// named is a counter's numbers as "class way".
func (f *follower) named(c track.Counter) map[string]int {
	out := map[string]int{}
	for class, n := range c.Counts() {
		for i, way := range c.Ways() {
			out[f.names[class]+" "+way] = n[i]
		}
	}
	return out
}

// texts are a video's numbers, a line for each counter.
func (t total) texts() []string {
	var out []string
	for _, c := range t.Counts {
		var numbers []string
		for _, k := range slices.Sorted(maps.Keys(c.Count)) {
			numbers = append(numbers, fmt.Sprintf("%s %d", k, c.Count[k]))
		}
		if len(numbers) == 0 {
			numbers = []string{"0"}
		}
		out = append(out, c.At+": "+strings.Join(numbers, ", "))
	}
	return out
}
