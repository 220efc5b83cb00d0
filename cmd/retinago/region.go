package main

import (
	"fmt"

	"retinago/infer"
	"retinago/internal/media/picture"
	"retinago/track"
)

// region is a counting line or zone on frames.
type region struct {
	name   string
	of     track.Counter
	points [][2]float64 // ends of the line, or corners of the zone
}

func newRegion(p track.Place) region {
	g := region{name: p.Name, of: p.New()}
	for _, at := range g.of.Points() {
		g.points = append(g.points, [2]float64{at.X, at.Y})
	}
	return g
}

// draw draws the region onto a frame.
func (g region) draw(pic *picture.Picture) error {
	if _, ok := g.of.(*track.Line); ok {
		return picture.Line(pic, g.points[0], g.points[1], g.name)
	}
	return picture.Zone(pic, g.points, g.name)
}

// outside is a warning where the region, or a part of it, lies outside of frames; empty where it does not.
func (g region) outside(size infer.Size, source string) string {
	some, whole := track.Seen(g.of, size.W, size.H)
	frames := fmt.Sprintf("the frames of %s, which have %dx%d pixels (width x height)", source, size.W, size.H)
	switch {
	case whole:
		return ""
	case some:
		return fmt.Sprintf("warning: a part of %s lies outside of %s: nothing is counted there", g.name, frames)
	}
	what := "the whole border of " + g.name
	if _, ok := g.of.(*track.Line); ok {
		what = g.name
	}
	return fmt.Sprintf("warning: %s lies outside of %s: it counts nothing", what, frames)
}
