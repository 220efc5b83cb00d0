package track

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Place is a line or a zone where tracks are counted. Every video gets a Counter of its own from it.
type Place struct {
	Name string
	// New makes a counter without counts.
	New func() Counter
}

// LineAt is a place of NewLine.
func LineAt(name string, v []float64) (Place, error) {
	_, err := NewLine(v)
	return Place{name, func() Counter { l, _ := NewLine(v); return l }}, err
}

// ZoneAt is a place of NewZone.
func ZoneAt(name string, v []float64) (Place, error) {
	_, err := NewZone(v)
	return Place{name, func() Counter { z, _ := NewZone(v); return z }}, err
}

// Follower tracks and counts the objects of several videos, each with numbers and counts of its own. It is not for concurrent use.
type Follower struct {
	options Options
	places  []Place
	names   map[int]string // of classes
	videos  map[int]*followed
	totals  []Total
}

// followed is the state of the video that an input shows.
type followed struct {
	video    any
	tracker  *Tracker
	counters []Counter
	total    int // index in Follower.totals
}

// Total is the counts of one video.
type Total struct {
	Source string   `json:"source"`
	Counts []Counts `json:"counts"` // in the order of the places
}

// Counts is the counts of one place of a video.
type Counts struct {
	Place string         `json:"at"`
	Count map[string]int `json:"count"` // by "class direction"
}

// NewFollower makes a follower that counts at places.
func NewFollower(o Options, places ...Place) *Follower {
	return &Follower{options: o, places: places, names: map[int]string{}, videos: map[int]*followed{}}
}

// Next numbers the objects of a video's next frame, as Tracker.Next does, and counts them. An input shows one video after another: a
// video (any comparable value) other than the input's last one begins anew, with the name source in its Total. class names a class.
// It returns the video's counts so far, which are empty without places.
func (f *Follower) Next(input int, video any, source string, objects []Object, class func(int) string) Total {
	v := f.videos[input]
	if v == nil || v.video != video {
		v = &followed{video: video, tracker: New(f.options), total: len(f.totals)}
		for _, p := range f.places {
			v.counters = append(v.counters, p.New())
		}
		f.videos[input] = v
		if len(v.counters) > 0 {
			f.totals = append(f.totals, Total{Source: source})
		}
	}
	for _, o := range objects {
		f.names[o.Class] = class(o.Class)
	}
	v.tracker.Next(objects)
	if len(v.counters) == 0 {
		return Total{Source: source}
	}
	t := &f.totals[v.total]
	t.Counts = make([]Counts, len(v.counters))
	for i, c := range v.counters {
		c.Count(objects)
		t.Counts[i] = Counts{f.places[i].Name, f.count(c)}
	}
	return *t
}

// count returns a counter's counts by class and direction.
func (f *Follower) count(c Counter) map[string]int {
	out := map[string]int{}
	for class, n := range c.Counts() {
		for i, direction := range c.Ways() {
			out[f.names[class]+" "+direction] = n[i]
		}
	}
	return out
}

// Totals returns the counts of all videos so far, in the order in which they began; nil without places.
func (f *Follower) Totals() []Total { return f.totals }

// Lines returns a total as text, a line for each place.
func (t Total) Lines() []string {
	var out []string
	for _, c := range t.Counts {
		var counts []string
		for _, k := range slices.Sorted(maps.Keys(c.Count)) {
			counts = append(counts, fmt.Sprintf("%s %d", k, c.Count[k]))
		}
		if len(counts) == 0 {
			counts = []string{"0"}
		}
		out = append(out, c.Place+": "+strings.Join(counts, ", "))
	}
	return out
}
