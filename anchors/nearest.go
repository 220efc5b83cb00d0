package anchors

import (
	"cmp"
	"math"
	"slices"

	"retinago/box"
)

// level is the centres of a level's anchors, and the rectangle [x1, y1, x2, y2] around those of each row.
type level struct {
	start   int // of the level, among all anchors
	centers [][2]float64
	rows    [][4]float64
}

func newLevel(anchors []box.Box, start int) level {
	l := level{start: start, centers: make([][2]float64, len(anchors))}
	for i, a := range anchors {
		x, y := center(a)
		l.centers[i] = [2]float64{x, y}
		if i%row == 0 {
			l.rows = append(l.rows, [4]float64{x, y, x, y})
		}
		r := &l.rows[i/row]
		*r = [4]float64{min(r[0], x), min(r[1], y), max(r[2], x), max(r[3], y)}
	}
	return l
}

// candidate is an anchor of a level and its centre's squared distance from a point.
type candidate struct {
	i int
	d float64
}

// nearest appends the places among all anchors of the k whose centres are nearest to a point, in order of distance and
// then of place. It takes rows in the order in which they can have the nearest, until the next is farther than k anchors.
func (l *level) nearest(out []int, x, y float64, k int) []int {
	rows := make([]candidate, len(l.rows)) // and the least distance that an anchor can have
	for r, e := range l.rows {
		dx, dy := max(e[0]-x, x-e[2], 0), max(e[1]-y, y-e[3], 0)
		rows[r] = candidate{r, float64(dx*dx) + float64(dy*dy)}
	}
	var found []candidate
	far := math.Inf(1) // of the k-th nearest so far
	slices.SortFunc(rows, order)
	for _, next := range rows {
		if next.d > far {
			break
		}
		from := next.i * row
		for i, c := range l.centers[from:min(from+row, len(l.centers))] {
			if d := float64((c[0]-x)*(c[0]-x)) + float64((c[1]-y)*(c[1]-y)); d <= far {
				found = append(found, candidate{from + i, d})
			}
		}
		if len(found) >= 2*k {
			slices.SortFunc(found, order)
			found = found[:k]
			far = found[k-1].d
		}
	}
	slices.SortFunc(found, order)
	found = found[:min(k, len(found))]
	for _, n := range found {
		out = append(out, l.start+n.i)
	}
	return out
}

// order is by distance, then by place.
func order(p, q candidate) int { return cmp.Or(cmp.Compare(p.d, q.d), cmp.Compare(p.i, q.i)) }
