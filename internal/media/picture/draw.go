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

// Draw draws marks onto the image, the last on top, and captions as lines of text on dark plates in the top left corner. Lines and letters
// scale with the image, and are finer at small objects, whose frames lie outside of their boxes. Labels are inside the image and cover
// neither small objects nor each other nor captions: they move along their boxes, get smaller, are shortened, and are left out where there
// is no room, those of the first marks before those of the last.
func Draw(p *Picture, marks []Mark, captions ...string) error {
	if len(marks)+len(captions) == 0 {
		return nil
	}
	faces, err := p.faces()
	if err != nil {
		return err
	}
	defer faces.release()
	line := p.line()
	for _, m := range marks {
		p.frame(m.Box, line, Color(m.Color))
	}
	plates := p.captioned(captions, faces)
	for _, l := range p.labels(marks, plates, faces) {
		c := Color(marks[l.mark].Color)
		p.fill(l.plate, c)
		p.text(l.text, l.face, l.plate, ink(c))
	}
	for _, l := range plates {
		p.tag(l.text, l.face, l.plate)
	}
	return nil
}

// line is the width of lines that suit the image, in pixels.
func (p *Picture) line() int { return max(int(math.Round(float64(min(p.W, p.H))/220)), 1) }

// thin is how many lines fit into an object across that is not small.
const thin = 16

// frame draws a rectangle just inside of the box, or with a finer line just outside of a small object.
func (p *Picture) frame(b box.Box, line int, c [3]uint8) {
	r, line := p.framed(pixels(b), line)
	p.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+line), c)
	p.fill(image.Rect(r.Min.X, r.Max.Y-line, r.Max.X, r.Max.Y), c)
	p.fill(image.Rect(r.Min.X, r.Min.Y, r.Min.X+line, r.Max.Y), c)
	p.fill(image.Rect(r.Max.X-line, r.Min.Y, r.Max.X, r.Max.Y), c)
}

// framed is the outer border of a box's frame, and its line's width. A frame outside of its box leaves the image where the box does.
func (p *Picture) framed(b image.Rectangle, line int) (image.Rectangle, int) {
	short := min(b.Dx(), b.Dy())
	if short >= thin*line {
		return b, line
	}
	line = min(max(short/thin*2, 1), line)
	return image.Rect(max(b.Min.X-line, min(b.Min.X, 0)), max(b.Min.Y-line, min(b.Min.Y, 0)),
		min(b.Max.X+line, max(b.Max.X, p.W)), min(b.Max.Y+line, max(b.Max.Y, p.H))), line
}

// pixels are a box's corners, rounded. Far ones are brought nearer, so that sums of them do not overflow.
func pixels(b box.Box) image.Rectangle {
	at := func(v float32) int { return int(math.Round(min(max(float64(v), -1<<30), 1<<30))) }
	return image.Rect(at(b.X1), at(b.Y1), at(b.X2), at(b.Y2))
}

func (p *Picture) bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

func (p *Picture) fill(r image.Rectangle, c [3]uint8) {
	r = r.Intersect(p.bounds())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Pix[3*(y*p.W+r.Min.X) : 3*(y*p.W+r.Max.X)]
		for i := 0; i+2 < len(row); i += 3 {
			row[i], row[i+1], row[i+2] = c[0], c[1], c[2]
		}
	}
}
