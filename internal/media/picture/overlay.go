package picture

import (
	"image"
	"math"
)

// Caption writes lines of text on dark plates, from the top left corner downwards.
func Caption(p *Picture, lines []string) error {
	f, err := p.face()
	if err != nil {
		return err
	}
	defer f.release()
	y := 0
	for _, s := range lines {
		w, h := f.plate(s, p.line())
		plate := image.Rect(0, y, w, y+h)
		p.fill(plate, [3]uint8{24, 24, 24})
		p.text(s, f, p.line(), plate, [3]uint8{255, 255, 255})
		y += h
	}
	return nil
}

// Path draws straight lines from each point to the next, as wide as the frames of boxes, in a class's colour.
func Path(p *Picture, points [][2]float64, color int) {
	line := p.line()
	c := colour(color)
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		// What lies outside is cut before it is drawn: points may be anywhere.
		from, to, ok := clipped(a, b, float64(p.W+line), float64(p.H+line), float64(-line))
		if !ok {
			continue
		}
		n := max(int(math.Ceil(max(math.Abs(to[0]-from[0]), math.Abs(to[1]-from[1])))), 1)
		for k := range n + 1 {
			t := float64(k) / float64(n)
			x, y := int(math.Round(from[0]+t*(to[0]-from[0])))-line/2, int(math.Round(from[1]+t*(to[1]-from[1])))-line/2
			p.fill(image.Rect(x, y, x+line, y+line), c)
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
