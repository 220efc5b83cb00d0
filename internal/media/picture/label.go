package picture

import "image"

// text draws one line of text on a plate, blended by the glyphs' coverage.
func (p *Picture) text(s string, f *face, plate image.Rectangle, ink [3]uint8) {
	x, y := plate.Min.X+f.pad, plate.Min.Y+f.pad/2+f.ascent
	clip := plate.Intersect(p.bounds())
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
