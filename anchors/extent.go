package anchors

import (
	"math"

	"retinago/box"
)

// row is the number of consecutive anchors that share an extent: on a grid, some neighbouring cells.
const row = 128

// extents returns the box around each row of anchors. A box that does not meet it meets no anchor of the row. Coordinates that are not
// numbers are left out: they meet nothing.
func extents(anchors []box.Box) []box.Box {
	inf := float32(math.Inf(1))
	out := make([]box.Box, 0, (len(anchors)+row-1)/row)
	for i := 0; i < len(anchors); i += row {
		e := box.Box{X1: inf, Y1: inf, X2: -inf, Y2: -inf}
		for _, a := range anchors[i:min(i+row, len(anchors))] {
			if a.X1 < e.X1 {
				e.X1 = a.X1
			}
			if a.Y1 < e.Y1 {
				e.Y1 = a.Y1
			}
			if a.X2 > e.X2 {
				e.X2 = a.X2
			}
			if a.Y2 > e.Y2 {
				e.Y2 = a.Y2
			}
		}
		out = append(out, e)
	}
	return out
}

// apart reports whether two boxes do not meet.
func apart(a, b *box.Box) bool {
	return a.X2 <= b.X1 || a.X1 >= b.X2 || a.Y2 <= b.Y1 || a.Y1 >= b.Y2
}
