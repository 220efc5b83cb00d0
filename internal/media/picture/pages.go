package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retinago/internal/file"
)

// Paged are the endings of files whose pages or frames Pages reads one after another.
var Paged = []string{".gif", ".tif", ".tiff"}

// Pages reads the pages of a TIFF or the frames of a GIF in their order. It holds the file and one image in memory. It is not for
// concurrent use.
type Pages struct {
	name string
	b    []byte
	n    int
	tiff []int64 // offsets of the pages' directories that are not read yet
	gif  *animation
}

// OpenPages opens a file with several pages or frames. It returns nil for a file with one, for one whose ending is not among Paged, and for one
// that cannot be read, whose error Decode returns. Close it.
func OpenPages(path string) *Pages {
	if !slices.Contains(Paged, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	f, info, err := file.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	size := info.Size()
	if size > maxMemory {
		return nil
	}
	directories := tiffPages(f, size)
	if gif := make([]byte, len(gifSignature)); len(directories) < 2 {
		if _, err := f.ReadAt(gif, 0); err != nil || string(gif) != gifSignature {
			return nil
		}
	}
	p := &Pages{name: path, b: held.get(int(size)), n: len(directories), tiff: directories}
	if _, err := f.ReadAt(p.b, 0); err != nil && err != io.EOF {
		p.Close()
		return nil
	}
	if p.n < 2 {
		p.n, p.gif = gifFrames(p.b), newAnimation(p.b)
	}
	if p.n < 2 || p.tiff == nil && p.gif == nil {
		p.Close()
		return nil
	}
	return p
}

// Len returns the number of pages or frames.
func (p *Pages) Len() int { return p.n }

// Animated reports whether they are frames, which have times.
func (p *Pages) Animated() bool { return p.gif != nil }

// Next decodes the next page or frame, upright, under the limits of Decode, and returns the time of a frame since the first one. After a
// image with an error the next one can be read. At the end the error is io.EOF. The receiver owns the image.
func (p *Pages) Next(ctx context.Context) (pic *Picture, at time.Duration, err error) {
	if p.gif != nil {
		err = guarded(p.name, func() error {
			pic, at, err = p.gif.next(ctx)
			return err
		})
		if errors.Is(err, io.EOF) && p.gif.over() {
			err = io.EOF
		}
		return pic, at, err
	}
	if len(p.tiff) == 0 {
		return nil, 0, io.EOF
	}
	// Decoders read the page whose directory the header names.
	order(p.b).PutUint32(p.b[4:], uint32(p.tiff[0]))
	p.tiff = p.tiff[1:]
	if pic, _, _, err = DecodeBytesFor(ctx, fmt.Sprintf("%s: page %d", p.name, p.n-len(p.tiff)), p.b, nil); err == nil {
		pic.More = 0
	}
	return pic, 0, err
}

// Close frees the memory.
func (p *Pages) Close() {
	if p.b != nil {
		held.put(p.b)
		p.b = nil
	}
	if p.gif != nil {
		p.gif.canvas.Release()
		p.gif = nil
	}
}

const gifSignature = "GIF8"

// animation composes the frames of a GIF. (GIF89a specification.)
type animation struct {
	b      []byte
	common int      // bytes at the front that all frames share: the size and the colours
	i      int      // of the next block
	frames int      // that were read
	canvas *Picture // as the last frame left it
	begin  func()   // what the last frame wants done to the canvas before the next one
	time   time.Duration
}

// newAnimation returns nil for a file whose canvas cannot be decoded.
func newAnimation(b []byte) *animation {
	h, err := probe(b, int64(len(b)))
	if err != nil || h.Check(nil) != nil || len(b) < 13 {
		return nil
	}
	a := &animation{b: b, common: 13 + gifColours(b[10]), canvas: lease(h.w, h.h), begin: func() {}}
	clear(a.canvas.Pix)
	a.i = a.common
	return a
}

// over reports whether there is no further frame.
func (a *animation) over() bool { return a.i >= len(a.b) || a.b[a.i] != 0x21 && a.b[a.i] != 0x2c }

// How long a frame is shown that states no time, or less than browsers keep to.
const (
	leastDelay = 20 * time.Millisecond
	usualDelay = 100 * time.Millisecond
)

// What happens to a frame before the next one is drawn.
const (
	toBackground = 2
	toPrevious   = 3
)

func (a *animation) next(ctx context.Context) (*Picture, time.Duration, error) {
	var control []byte
	for !a.over() {
		begin := a.i
		if a.b[begin] == 0x21 {
			a.i = gifBlocks(a.b, begin+2)
			if end := begin + 8; begin+1 < len(a.b) && a.b[begin+1] == 0xf9 && end <= len(a.b) {
				control = a.b[begin:end]
			}
			continue
		}
		if begin+10 > len(a.b) {
			a.i = len(a.b)
			break
		}
		a.i = gifBlocks(a.b, begin+10+gifColours(a.b[begin+9])+1)
		a.frames++
		at := a.time
		delay := usualDelay
		if control != nil {
			if d := 10 * time.Millisecond * time.Duration(binary.LittleEndian.Uint16(control[4:])); d >= leastDelay {
				delay = d
			}
		}
		a.time += delay
		pic, err := a.draw(ctx, control, a.b[begin:min(a.i, len(a.b))])
		if err != nil {
			return nil, at, fmt.Errorf("frame %d: %w", a.frames, err)
		}
		return pic, at, nil
	}
	return nil, 0, io.EOF
}

// draw draws a frame, which it decodes as a GIF of its own, onto the canvas and returns a copy of it.
func (a *animation) draw(ctx context.Context, control, frame []byte) (*Picture, error) {
	alone := append(slices.Concat(a.b[:a.common], control, frame), 0x3b)
	m, err := gif.Decode(reader{ctx, bytes.NewReader(alone)})
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("it is damaged or cut: %w", unnamed(err))
	}
	shown, ok := m.(*image.Paletted)
	if at := m.Bounds(); !ok || !at.In(image.Rect(0, 0, a.canvas.W, a.canvas.H)) {
		return nil, fmt.Errorf("it lies at %v on a canvas of %dx%d", at, a.canvas.W, a.canvas.H)
	}
	a.begin()
	a.begin = func() {}
	at := shown.Rect
	if control != nil {
		switch control[3] >> 2 & 7 {
		case toBackground:
			a.begin = func() { a.canvas.Paste(New(at.Dx(), at.Dy()), at.Min.X, at.Min.Y) }
		case toPrevious:
			before := a.canvas.Crop(at.Min.X, at.Min.Y, at.Dx(), at.Dy())
			a.begin = func() { a.canvas.Paste(before, at.Min.X, at.Min.Y); before.Release() }
		}
	}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		if y%64 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		row := shown.Pix[shown.PixOffset(at.Min.X, y):][:at.Dx()]
		for i, v := range row {
			if int(v) >= len(shown.Palette) {
				return nil, fmt.Errorf("pixel %d of row %d has colour %d of a palette of %d", i, y, v, len(shown.Palette))
			}
			if r, g, b, alpha := shown.Palette[v].RGBA(); alpha > 0 {
				a.canvas.Set(at.Min.X+i, y, uint8(r>>8), uint8(g>>8), uint8(b>>8))
			}
		}
	}
	pic := lease(a.canvas.W, a.canvas.H)
	copy(pic.Pix, a.canvas.Pix)
	return pic, nil
}

// unnamed is an error of Go's decoder without its package, where that is all that it adds.
func unnamed(err error) error {
	if text, ok := strings.CutPrefix(err.Error(), "gif: "); ok {
		return errors.New(text)
	}
	return err
}
