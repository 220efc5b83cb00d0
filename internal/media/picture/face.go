package picture

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"strings"
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
	pad            int // pixels beside the letters of a plate
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

// pools keep the faces that are not in use, by size: drawing a letter anew takes longer than everything else of a label.
var pools sync.Map // int to *sync.Pool

// faces are those for the labels of an image, from the largest to the smallest.
type faces []*face

// shares are the sizes of letters that a label tries, as shares of the image's own.
var shares = []float64{1, .7, .5, .35}

// Letters of an image are its shorter side / 40 high, and no less than these pixels.
const (
	leastOwn   = 11 // of its own size
	leastShare = 9  // of a share
)

// faces returns those for an image's labels, each size once.
func (p *Picture) faces() (faces, error) {
	var all faces
	for _, share := range shares {
		f, err := p.face(share)
		if err != nil {
			all.release()
			return nil, err
		}
		if n := len(all); n > 0 && all[n-1].px == f.px {
			f.release()
			continue
		}
		all = append(all, f)
	}
	return all, nil
}

// face is the typeface at a share of the size that suits an image.
func (p *Picture) face(share float64) (*face, error) {
	return newFace(max(leastShare, share*max(leastOwn, float64(min(p.W, p.H))/40)))
}

func (all faces) release() {
	for _, f := range all {
		f.release()
	}
}

// newFace is the typeface at a size in pixels.
func newFace(px float64) (*face, error) {
	size := int(math.Round(px))
	if pool, ok := pools.Load(size); ok {
		if f, ok := pool.(*sync.Pool).Get().(*face); ok {
			return f, nil
		}
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
	return &face{px: size, of: of, ascent: m.Ascent.Ceil(), height: m.Height.Ceil(), pad: max(size/7, 2), glyphs: map[rune]glyph{}}, nil
}

func (f *face) release() {
	pool, _ := pools.LoadOrStore(f.px, &sync.Pool{})
	pool.(*sync.Pool).Put(f)
}

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

// width is how wide a text is, in pixels.
func (f *face) width(s string) int {
	w := 0
	for _, r := range s {
		w += f.glyph(r).advance
	}
	return w
}

// plate is the size of the plate for a text.
func (f *face) plate(s string) (w, h int) { return f.width(s) + 2*f.pad, f.height + f.pad }

// shortened is a text that is at most so many pixels wide: its name ends early. The numbers at its end, such as a score, stay. It is empty
// where not even these have room.
func (f *face) shortened(s string, width int) string {
	if f.width(s) <= width {
		return s
	}
	name, numbers := s, ""
	for {
		i := strings.LastIndexByte(name, ' ')
		if i < 1 || !strings.ContainsAny(name[i+1:i+2], "#0123456789") {
			break
		}
		name, numbers = name[:i], s[i:]
	}
	left := width - f.width("\u2026"+numbers)
	for i, r := range name {
		if left -= f.glyph(r).advance; left >= 0 {
			continue
		}
		if i > 0 {
			return strings.TrimRight(name[:i], " ") + "\u2026" + numbers
		}
		break
	}
	if numbers = strings.TrimPrefix(numbers, " "); f.width(numbers) <= width {
		return numbers
	}
	return ""
}
