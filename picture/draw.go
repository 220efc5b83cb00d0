package picture

import (
	"fmt"
	"image"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"retinago/box"
)

// Mark is a box to draw, with a label in the colour of a class.
type Mark struct {
	Box   box.Box // pixels
	Label string  // empty draws none
	Color int     // class index
}

// Draw draws marks onto the picture, the last on top. Lines and letters suit the picture's size; labels stay inside the
// picture and avoid each other where there is room.
func Draw(p *Picture, marks []Mark) error {
	side := float64(min(p.W, p.H))
	line := max(int(math.Round(side/220)), 1)
	face, err := newFace(max(11, side/32))
	if err != nil {
		return err
	}
	defer face.Close()
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
		for x := r.Min.X; x < r.Max.X; x++ {
			p.Set(x, y, c[0], c[1], c[2])
		}
	}
}

// label writes a mark's text on a plate at its box and returns the plate.
func (p *Picture) label(m Mark, line int, face font.Face, taken []image.Rectangle) image.Rectangle {
	metrics := face.Metrics()
	pad := max(line, 2)
	w := font.MeasureString(face, m.Label).Ceil() + 2*pad
	h := metrics.Height.Ceil() + pad
	plate := p.place(m.Box, w, h, taken)
	c := colour(m.Color)
	p.fill(plate, c)
	ink := [3]uint8{255, 255, 255}
	// Relative luminance (ITU-R BT.709): dark letters on light plates.
	if .2126*float64(c[0])+.7152*float64(c[1])+.0722*float64(c[2]) > 140 {
		ink = [3]uint8{}
	}
	p.text(m.Label, face, fixed.P(plate.Min.X+pad, plate.Min.Y+pad/2+metrics.Ascent.Ceil()), plate, ink)
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

// text draws one line of text, blended by the glyphs' coverage.
func (p *Picture) text(s string, face font.Face, dot fixed.Point26_6, clip image.Rectangle, ink [3]uint8) {
	clip = clip.Intersect(image.Rect(0, 0, p.W, p.H))
	for _, r := range s {
		dr, mask, mp, advance, ok := face.Glyph(dot, r)
		if !ok {
			continue
		}
		for y := max(dr.Min.Y, clip.Min.Y); y < min(dr.Max.Y, clip.Max.Y); y++ {
			for x := max(dr.Min.X, clip.Min.X); x < min(dr.Max.X, clip.Max.X); x++ {
				_, _, _, a := mask.At(mp.X+x-dr.Min.X, mp.Y+y-dr.Min.Y).RGBA()
				i := 3 * (y*p.W + x)
				for c := range 3 {
					old := uint32(p.Pix[i+c])
					p.Pix[i+c] = uint8((old*(0xffff-a) + uint32(ink[c])*a) / 0xffff)
				}
			}
		}
		dot.X += advance
	}
}

var typeface = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gomedium.TTF) })

// newFace is the label's typeface at a size in pixels.
func newFace(px float64) (font.Face, error) {
	f, err := typeface()
	if err != nil {
		return nil, fmt.Errorf("picture: the built-in typeface: %w", err)
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: px, DPI: 72, Hinting: font.HintingFull})
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
