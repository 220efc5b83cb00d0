package picture

import (
	"image"
	"math"

	"retinago/box"
)

// Mark is a box to draw, with a label in the colour of a class.
type Mark struct {
	Box   box.Box // pixels
	Label string  // empty draws none
	Color int     // class index
}

// Draw draws marks onto the picture, the last on top. Lines and letters scale with the picture; labels stay inside the picture and do
// not overlap if there is room.
func Draw(p *Picture, marks []Mark) error {
	if len(marks) == 0 {
		return nil
	}
	line := p.line()
	face, err := p.face()
	if err != nil {
		return err
	}
	defer face.release()
	for _, m := range marks {
		p.frame(m.Box, line, colour(m.Color))
	}
	var taken []image.Rectangle
	for _, m := range marks {
		if m.Label != "" {
			taken = append(taken, p.label(m, line, face, taken))
		}
	}
	return nil
}

// line is the width of lines that suit the picture, in pixels.
func (p *Picture) line() int { return max(int(math.Round(float64(min(p.W, p.H))/220)), 1) }

// frame draws a rectangle of the given line width just inside the box.
func (p *Picture) frame(b box.Box, line int, c [3]uint8) {
	x1, y1 := int(math.Round(float64(b.X1))), int(math.Round(float64(b.Y1)))
	x2, y2 := int(math.Round(float64(b.X2))), int(math.Round(float64(b.Y2)))
	p.fill(image.Rect(x1, y1, x2, y1+line), c)
	p.fill(image.Rect(x1, y2-line, x2, y2), c)
	p.fill(image.Rect(x1, y1, x1+line, y2), c)
	p.fill(image.Rect(x2-line, y1, x2, y2), c)
}

func (p *Picture) fill(r image.Rectangle, c [3]uint8) {
	r = r.Intersect(image.Rect(0, 0, p.W, p.H))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Pix[3*(y*p.W+r.Min.X) : 3*(y*p.W+r.Max.X)]
		for i := 0; i+2 < len(row); i += 3 {
			row[i], row[i+1], row[i+2] = c[0], c[1], c[2]
		}
	}
}

// colour is a class's: hues a golden angle apart, so that neighbours differ, at three lightnesses.
func colour(class int) [3]uint8 {
	hue := math.Mod(float64(class)*137.508+8, 360) / 60
	value := []float64{.95, .75, 1}[class%3]
	const saturation = .85
	f := hue - math.Floor(hue)
	v, a := value, value*(1-saturation)
	down, up := value*(1-saturation*f), value*(1-saturation*(1-f))
	var r, g, b float64
	switch int(hue) {
	case 0:
		r, g, b = v, up, a
	case 1:
		r, g, b = down, v, a
	case 2:
		r, g, b = a, v, up
	case 3:
		r, g, b = a, down, v
	case 4:
		r, g, b = up, a, v
	default:
		r, g, b = v, a, down
	}
	return [3]uint8{uint8(255 * r), uint8(255 * g), uint8(255 * b)}
}

func abs(v int) int { return max(v, -v) }
