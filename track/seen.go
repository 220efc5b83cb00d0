package track

// Seen reports how much of a counter's line, or of its zone's border, is in frames of w x h pixels: some of it, the whole of it. Where there
// is none, nothing is counted: centres of boxes are in the frame.
func Seen(c Counter, w, h int) (some, whole bool) {
	points := c.Points()
	right, bottom := float64(w), float64(h)
	whole = true
	for i, p := range points {
		whole = whole && p.X >= 0 && p.Y >= 0 && p.X <= right && p.Y <= bottom
		some = some || i > 0 && meets(points[i-1], p, right, bottom)
	}
	return some, whole
}

// meets reports whether the line from a to b has a point in the rectangle from 0,0 to right,bottom.
func meets(a, b Point, right, bottom float64) bool {
	if max(a.X, b.X) < 0 || max(a.Y, b.Y) < 0 || min(a.X, b.X) > right || min(a.Y, b.Y) > bottom {
		return false
	}
	// It passes the rectangle where all corners are on one side of it.
	first := side(a, b, Point{0, 0})
	for _, p := range []Point{{right, 0}, {0, bottom}, {right, bottom}} {
		if side(a, b, p) != first {
			return true
		}
	}
	return first == 0
}
