package picture

import "image"

// Captions are white on dark.
var (
	plateColor = [3]uint8{24, 24, 24}
	white      = [3]uint8{255, 255, 255}
)

// captioned gives lines of text their plates, from the top left corner downwards. Letters are smaller where the lines would be wider than the
// image or higher than half of it; a line that is too wide still is shortened.
func (p *Picture) captioned(lines []string, faces faces) []label {
	f := faces[0]
	for _, f = range faces {
		if p.fits(lines, f) {
			break
		}
	}
	plates := make([]label, len(lines))
	y := 0
	for i, s := range lines {
		s = f.shortened(s, p.W-2*f.pad)
		w, h := f.plate(s)
		plates[i] = label{text: s, face: f, plate: image.Rect(0, y, w, y+h)}
		y += h
	}
	return plates
}

func (p *Picture) fits(lines []string, f *face) bool {
	high := 0
	for _, s := range lines {
		w, h := f.plate(s)
		if high += h; w > p.W || 2*high > p.H {
			return false
		}
	}
	return true
}

// tag writes a text on a dark plate.
func (p *Picture) tag(s string, f *face, plate image.Rectangle) {
	p.fill(plate, plateColor)
	p.text(s, f, plate, white)
}
