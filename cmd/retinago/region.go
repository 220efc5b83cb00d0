package main

import (
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
