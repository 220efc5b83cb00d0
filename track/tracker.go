package track

import (
	"math"
	"slices"

	"retinago/box"
)

// Object is a detection in a frame.
type Object struct {
	Box   box.Box
	Score float32
	Class int
	Track int // number of the track, from 1; 0 without one. Tracker.Next writes it
}

// Options configures a Tracker. Zero values take the defaults in brackets.
type Options struct {
	High   float32 // lowest score of a high-score detection [.5]
	Low    float32 // lowest score of a detection that can continue a track [.1]
	New    float32 // lowest score of a detection that can begin a track [1.2 High, which is ByteTrack's .6 for .5]
	Memory int     // frames that a lost track is kept [30]
	Smooth bool    // replace boxes by those of the Kalman filter, which move more evenly
}

// Largest 1 - IoU at which a detection is assigned to a track: ByteTrack's values.
const (
	limitSure   = .8
	limitUnsure = .5
	limitNew    = .7
	same        = .15 // two tracks closer than this are one
)

// Tracker tracks the objects of one video. It is not for concurrent use.
type Tracker struct {
	options Options
	frame   int
	last    int // last track number given
	tracks  []*track
}

// state is the state of a track.
type state int

const (
	fresh state = iota // found in one frame; the track ends with the first frame without it
	found              // in the last frame
	lost
)

type track struct {
	filter filter
	number int
	class  int
	state  state
	begun  int // frame
	seen   int // last frame
}

// New makes a tracker.
func New(o Options) *Tracker {
	if o.High == 0 {
		o.High = .5
	}
	if o.Low == 0 {
		o.Low = .1
	}
	if o.New == 0 {
		o.New = 1.2 * o.High
	}
	if o.Memory == 0 {
		o.Memory = 30
	}
	return &Tracker{options: o}
}

// Next assigns the detections of the next frame to tracks and writes their numbers. A detection that continues no track and has too low
// a score to begin one keeps 0; so does the first detection of a new track, except in the first frame. A track has one class.
func (t *Tracker) Next(objects []Object) {
	t.frame++
	var sure, unsure []int
	for i, o := range objects {
		objects[i].Track = 0
		switch {
		case o.Score >= t.options.High:
			sure = append(sure, i)
		case o.Score >= t.options.Low:
			unsure = append(unsure, i)
		}
	}
	var known, young []*track
	for _, k := range t.tracks {
		k.predict()
		if k.state == fresh {
			young = append(young, k)
		} else {
			known = append(known, k)
		}
	}
	known, sure = t.match(known, objects, sure, limitSure)
	tracked := slices.DeleteFunc(slices.Clone(known), func(k *track) bool { return k.state == lost })
	missed, _ := t.match(tracked, objects, unsure, limitUnsure)
	for _, k := range missed {
		k.state = lost
	}
	young, sure = t.match(young, objects, sure, limitNew)
	for _, k := range young {
		k.seen = math.MinInt // never again
	}
	for _, i := range sure {
		if objects[i].Score >= t.options.New {
			t.begin(&objects[i])
		}
	}
	t.tracks = slices.DeleteFunc(t.tracks, func(k *track) bool { return k.seen < t.frame-t.options.Memory })
	t.unite()
}

// predict advances a track by a frame. A lost track keeps its height: without measurements its speed would let it grow without bound.
func (k *track) predict() {
	if k.state == lost {
		k.filter.height.v = 0
	}
	k.filter.predict()
}

// match assigns detections to tracks. It returns the tracks and the detections that are left.
func (t *Tracker) match(tracks []*track, objects []Object, candidates []int, limit float64) ([]*track, []int) {
	if len(tracks) == 0 || len(candidates) == 0 {
		return tracks, candidates
	}
	cost := make([][]float64, len(tracks))
	for r, k := range tracks {
		cost[r] = make([]float64, len(candidates))
		b := k.filter.box()
		for c, i := range candidates {
			cost[r][c] = math.Inf(1)
			if objects[i].Class == k.class {
				cost[r][c] = 1 - float64(b.IoU(objects[i].Box))
			}
		}
	}
	taken := make([]bool, len(candidates))
	var alone []*track
	for r, c := range assign(cost, limit) {
		if c < 0 {
			alone = append(alone, tracks[r])
			continue
		}
		taken[c] = true
		t.found(tracks[r], &objects[candidates[c]])
	}
	var left []int
	for c, i := range candidates {
		if !taken[c] {
			left = append(left, i)
		}
	}
	return alone, left
}

// found updates a track with its detection.
func (t *Tracker) found(k *track, o *Object) {
	k.filter.update(o.Box)
	k.state, k.seen = found, t.frame
	if k.number == 0 {
		t.last++
		k.number = t.last
	}
	o.Track = k.number
	if t.options.Smooth {
		o.Box = k.filter.box()
	}
}

func (t *Tracker) begin(o *Object) {
	k := &track{filter: newFilter(o.Box), class: o.Class, begun: t.frame, seen: t.frame}
	if t.frame == 1 {
		t.last++
		k.number, k.state = t.last, found
		o.Track = k.number
	}
	t.tracks = append(t.tracks, k)
}

// unite drops duplicates: of a found and a lost track at the same place it ends the younger.
func (t *Tracker) unite() {
	drop := map[*track]bool{}
	for _, a := range t.tracks {
		for _, b := range t.tracks {
			if a.state != found || b.state != lost || a.class != b.class {
				continue
			}
			x, y := a.filter.box(), b.filter.box()
			if 1-float64(x.IoU(y)) >= same {
				continue
			}
			if a.seen-a.begun > b.seen-b.begun {
				drop[b] = true
			} else {
				drop[a] = true
			}
		}
	}
	t.tracks = slices.DeleteFunc(t.tracks, func(k *track) bool { return drop[k] })
}
