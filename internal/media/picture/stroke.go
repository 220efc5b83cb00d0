package picture

import (
	"image"
	"math"
	"slices"
)

// stroke draws straight lines of a width in pixels from each point to the next, in the colours of paint, which gets how far a place is
// along the line.
func (p *Picture) stroke(points [][2]float64, line int, paint func(along float64) [3]uint8) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		// What lies outside is cut before it is drawn: points may be anywhere.
		from, to, ok := clipped(a, b, float64(p.W+line), float64(p.H+line), float64(-line))
		if !ok {
			continue
		}
		n := max(int(math.Ceil(max(math.Abs(to[0]-from[0]), math.Abs(to[1]-from[1])))), 1)
		long := math.Hypot(to[0]-from[0], to[1]-from[1])
		for k := range n + 1 {
			t := float64(k) / float64(n)
			x, y := int(math.Round(from[0]+t*(to[0]-from[0])))-line/2, int(math.Round(from[1]+t*(to[1]-from[1])))-line/2
			p.fill(image.Rect(x, y, x+line, y+line), paint(t*long))
		}
	}
}

// clipped is the part of the line from a to b with least <= x <= w and least <= y <= h (Liang and Barsky 1984).
func clipped(a, b [2]float64, w, h, least float64) (from, to [2]float64, ok bool) {
	t1, t2 := 0., 1.
	for i, most := range []float64{w, h} {
		d := b[i] - a[i]
		lo, hi := (least-a[i])/d, (most-a[i])/d
		if d == 0 {
			if a[i] < least || a[i] > most {
				return from, to, false
			}
			continue
		}
		t1, t2 = max(t1, min(lo, hi)), min(t2, max(lo, hi))
	}
	at := func(t float64) [2]float64 { return [2]float64{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])} }
	return at(t1), at(t2), t1 <= t2
}

// tint blends a polygon with a colour, opaque being 1. A point is inside where a ray from it crosses the border an odd number of times.
func (p *Picture) tint(corners [][2]float64, c [3]uint8, opaque float64) {
	a := uint32(math.Round(256 * opaque))
	var crossings []float64
	for y := range p.H {
		crossings = crossings[:0]
		middle := float64(y) + .5
		for i, from := range corners {
			to := corners[(i+1)%len(corners)]
			if (from[1] > middle) != (to[1] > middle) {
				crossings = append(crossings, from[0]+(middle-from[1])/(to[1]-from[1])*(to[0]-from[0]))
			}
		}
		slices.Sort(crossings)
		for i := 0; i+1 < len(crossings); i += 2 {
			from, to := p.column(crossings[i]), p.column(crossings[i+1])
			row := p.Pix[3*(y*p.W+from) : 3*(y*p.W+max(from, to))]
			for k := range row {
				row[k] = uint8((uint32(row[k])*(256-a) + uint32(c[k%3])*a) >> 8)
			}
		}
	}
}

// column is the first column whose middle is at x or beyond, within the image.
func (p *Picture) column(x float64) int { return int(math.Ceil(min(max(x-.5, 0), float64(p.W)))) }
