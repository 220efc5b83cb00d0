package picture

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// face is the labels' typeface at a size, with the glyphs that were drawn so far. It is not for concurrent use.
type face struct {
	px             int
	of             font.Face
	ascent, height int // pixels
	glyphs         map[rune]glyph
}

// glyph is a letter around its origin, and how far the next one is, in pixels.
type glyph struct {
	mask    *image.Alpha
	advance int
}

// mostGlyphs bounds what a face keeps.
const mostGlyphs = 1024

var typeface = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gomedium.TTF) })

// faces keeps those that are not in use: drawing a letter anew takes longer than everything else of a label.
var faces sync.Pool

// face is that for a picture's labels.
func (p *Picture) face() (*face, error) { return newFace(max(11, float64(min(p.W, p.H))/32)) }

// newFace is the typeface at a size in pixels.
func newFace(px float64) (*face, error) {
	size := int(math.Round(px))
	if f, ok := faces.Get().(*face); ok && f.px == size {
		return f, nil
	}
	t, err := typeface()
	if err != nil {
		return nil, fmt.Errorf("picture: the built-in typeface: %w", err)
	}
	of, err := opentype.NewFace(t, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("picture: the built-in typeface at %d pixels: %w", size, err)
	}
	m := of.Metrics()
	return &face{px: size, of: of, ascent: m.Ascent.Ceil(), height: m.Height.Ceil(), glyphs: map[rune]glyph{}}, nil
}

func (f *face) release() { faces.Put(f) }

// glyph draws a letter, or takes it from those that were drawn; one that the typeface lacks is as it has it.
func (f *face) glyph(r rune) glyph {
	if g, ok := f.glyphs[r]; ok {
		return g
	}
	at, mask, from, advance, _ := f.of.Glyph(fixed.Point26_6{}, r)
	g := glyph{mask: image.NewAlpha(at), advance: advance.Round()}
	if mask != nil {
		draw.Draw(g.mask, at, mask, from, draw.Src)
	}
	if len(f.glyphs) >= mostGlyphs {
		clear(f.glyphs)
	}
	f.glyphs[r] = g
	return g
}

// plate is the size of the plate for a text, beside lines of some width.
func (f *face) plate(s string, line int) (w, h int) {
	pad := max(line, 2)
	w = 2 * pad
	for _, r := range s {
		w += f.glyph(r).advance
	}
	return w, f.height + pad
}
