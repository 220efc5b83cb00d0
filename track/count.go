package track

import (
	"fmt"
	"math"

	"retinago/box"
)

// Point is a place in pixels of the image.
type Point struct{ X, Y float64 }

// Counter counts tracks by the movement of the centres of their boxes. It is not for concurrent use.
type Counter interface {
	// Count counts the objects of the next frame; those without a track are ignored.
	Count(objects []Object)
	// Counts returns the counts so far, by class.
	Counts() map[int]Count
	// Ways returns the names of the two directions.
	Ways() [2]string
	// Points returns the corners, to draw them; those of a Zone are closed.
	Points() []Point
}

var (
	_ Counter = (*Line)(nil)
	_ Counter = (*Zone)(nil)
)

// Count is the number of tracks in each of two directions.
type Count [2]int

// forget is the number of frames after which a counter drops an unseen track. It is larger than a Tracker's memory.
const forget = 1000

// counter holds the last places of tracks.
type counter struct {
	frame  int
	places map[int]place
	counts map[int]Count
}

type place struct {
	at    Point
	side  int
	frame int
}

func newCounter() counter { return counter{places: map[int]place{}, counts: map[int]Count{}} }

// Counts returns the counts so far, by class.
func (c *counter) Counts() map[int]Count { return c.counts }

// follow calls step for every track, with its last place and side; step returns the track's side now and the direction in which it
// crossed, -1 for none.
func (c *counter) follow(objects []Object, step func(old place, known bool, now Point) (side, way int)) {
	c.frame++
	for _, o := range objects {
		if o.Track == 0 {
			continue
		}
		now := centre(o.Box)
		old, known := c.places[o.Track]
		side, way := step(old, known, now)
		if way >= 0 {
			n := c.counts[o.Class]
			n[way]++
			c.counts[o.Class] = n
		}
		c.places[o.Track] = place{now, side, c.frame}
	}
	if c.frame%forget == 0 {
		for k, v := range c.places {
			if v.frame <= c.frame-forget {
				delete(c.places, k)
			}
		}
	}
}

func centre(b box.Box) Point {
	return Point{(float64(b.X1) + float64(b.X2)) / 2, (float64(b.Y1) + float64(b.Y2)) / 2}
}

// Line counts tracks that cross the line from A to B, to its right and to its left, seen from A to B.
type Line struct {
	A, B Point
	counter
}

// NewLine makes a line from x1,y1,x2,y2 in pixels.
func NewLine(v []float64) (*Line, error) {
	if len(v) != 4 || !finite(v) || v[0] == v[2] && v[1] == v[3] {
		return nil, fmt.Errorf("track: a line of %v: give x1,y1,x2,y2 of two different points", v)
	}
	return &Line{Point{v[0], v[1]}, Point{v[2], v[3]}, newCounter()}, nil
}

// Ways returns the names of the two directions.
func (l *Line) Ways() [2]string { return [2]string{"right", "left"} }

// Points returns the ends of the line.
func (l *Line) Points() []Point { return []Point{l.A, l.B} }

// Count counts a track when the path of its centre meets the line. A centre on the line is still on the side from which it came.
func (l *Line) Count(objects []Object) {
	l.follow(objects, func(old place, known bool, now Point) (int, int) {
		to := side(l.A, l.B, now)
		switch {
		case !known:
			return to, -1
		case to == 0 || to == old.side:
			return old.side, -1
		case old.side == 0 || side(old.at, now, l.A)*side(old.at, now, l.B) > 0: // the track began on the line, or passed beside it
			return to, -1
		case to > 0:
			return to, 0
		}
		return to, 1
	})
}

// side returns 1 for a point to the right of the line from a to b, with y downwards, -1 to its left and 0 on it.
func side(a, b, p Point) int {
	switch v := (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X); {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// Zone counts tracks that enter a polygon and that leave it. A track that begins or ends inside does neither.
type Zone struct {
	Corners []Point
	counter
}

// NewZone makes a zone from x1,y1,x2,y2,x3,y3 and further corners in pixels.
func NewZone(v []float64) (*Zone, error) {
	if len(v) < 6 || len(v)%2 != 0 || !finite(v) {
		return nil, fmt.Errorf("track: a zone of %v: give x1,y1,x2,y2,x3,y3 and so on, at least three corners", v)
	}
	z := &Zone{counter: newCounter()}
	for i := 0; i < len(v); i += 2 {
		z.Corners = append(z.Corners, Point{v[i], v[i+1]})
	}
	return z, nil
}

// Ways returns the names of the two directions.
func (z *Zone) Ways() [2]string { return [2]string{"in", "out"} }

// Points returns the corners of the zone, the first again at the end.
func (z *Zone) Points() []Point {
	return append(z.Corners[:len(z.Corners):len(z.Corners)], z.Corners[0])
}

// Count counts a track when its centre enters or leaves the zone.
func (z *Zone) Count(objects []Object) {
	z.follow(objects, func(old place, known bool, now Point) (int, int) {
		side := 0
		if z.holds(now) {
			side = 1
		}
		if !known || side == old.side {
			return side, -1
		}
		return side, 1 - side
	})
}

// holds reports whether a point is inside: a ray from it to the right crosses the border an odd number of times.
func (z *Zone) holds(p Point) bool {
	in := false
	for i, a := range z.Corners {
		b := z.Corners[(i+1)%len(z.Corners)]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}
