package picture

import (
	"image"
	"math"

	"retinago/box"
)

// label writes a mark's text on a plate at its box and returns the plate.
func (p *Picture) label(m Mark, line int, face *face, taken []image.Rectangle) image.Rectangle {
	w, h := face.plate(m.Label, line)
	plate := p.place(m.Box, w, h, taken)
	c := colour(m.Color)
	p.fill(plate, c)
	p.text(m.Label, face, line, plate, ink(c))
	return plate
}

// place finds room for a plate: above the box, below it, inside it at the top or the bottom, at its left or its right
// end; the first place that meets no other plate, else the one that meets least.
func (p *Picture) place(b box.Box, w, h int, taken []image.Rectangle) image.Rectangle {
	x1, y1, x2, y2 := int(b.X1), int(b.Y1), int(b.X2), int(b.Y2)
	best, least := image.Rectangle{}, math.MaxInt
	for _, at := range []image.Point{{x1, y1 - h}, {x2 - w, y1 - h}, {x1, y2}, {x2 - w, y2}, {x1, y1}, {x2 - w, y1}, {x1, y2 - h}, {x2 - w, y2 - h}} {
		x := min(max(at.X, 0), max(p.W-w, 0))
		y := min(max(at.Y, 0), max(p.H-h, 0))
		r := image.Rect(x, y, x+w, y+h)
		// A plate that was pushed back into the picture covers more of its box.
		cost := abs(at.X-x) + abs(at.Y-y)
		for _, t := range taken {
			o := t.Intersect(r)
			cost += 8 * o.Dx() * o.Dy()
		}
		if cost < least {
			best, least = r, cost
		}
		if least == 0 {
			break
		}
	}
	return best
}

// text draws one line of text on a plate, blended by the glyphs' coverage.
func (p *Picture) text(s string, f *face, line int, plate image.Rectangle, ink [3]uint8) {
	pad := max(line, 2)
	x, y := plate.Min.X+pad, plate.Min.Y+pad/2+f.ascent
	clip := plate.Intersect(image.Rect(0, 0, p.W, p.H))
	for _, r := range s {
		g := f.glyph(r)
		at := g.mask.Rect.Add(image.Pt(x, y))
		for v := max(at.Min.Y, clip.Min.Y); v < min(at.Max.Y, clip.Max.Y); v++ {
			for u := max(at.Min.X, clip.Min.X); u < min(at.Max.X, clip.Max.X); u++ {
				a := uint32(g.mask.Pix[(v-at.Min.Y)*g.mask.Stride+u-at.Min.X])
				i := 3 * (v*p.W + u)
				for c := range 3 {
					old := uint32(p.Pix[i+c])
					p.Pix[i+c] = uint8((old*(255-a) + uint32(ink[c])*a) / 255)
				}
			}
		}
		x += g.advance
	}
}

// ink is the colour of letters on a plate: dark on light ones. (Relative luminance, ITU-R BT.709.)
func ink(plate [3]uint8) [3]uint8 {
	if .2126*float64(plate[0])+.7152*float64(plate[1])+.0722*float64(plate[2]) > 140 {
		return [3]uint8{}
	}
	return [3]uint8{255, 255, 255}
}
