package picture

import (
	"bytes"
	"context"
	"image"
	"image/gif"
)

// reader reads a file for Go's decoders, a little at a time, and fails once its context ends: that ends decoding.
type reader struct {
	ctx context.Context
	r   *bytes.Reader
}

// morsel is so short that no decoder makes much of it.
const morsel = 1 << 10

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p[:min(len(p), morsel)])
}

// decodeGo decodes with one of Go's decoders. An image that is smaller than its header says, as the first frame of an animation
// may be, lies on black.
func decodeGo(ctx context.Context, b []byte, h Header, read func(reader) (image.Image, error)) (*Picture, error) {
	held.room(h.Bytes(nil))
	m, err := read(reader{ctx, bytes.NewReader(b)})
	if err != nil {
		return nil, err
	}
	return filled(h.w, h.h, func(p *Picture) error {
		at := m.Bounds()
		if !at.In(image.Rect(0, 0, h.w, h.h)) {
			return errSize(at.Dx(), at.Dy(), h)
		}
		if at.Dx() < h.w || at.Dy() < h.h {
			clear(p.Pix)
		}
		return p.draw(ctx, m, at.Min.X, at.Min.Y)
	})
}

// decodeGIF decodes the first frame.
func decodeGIF(ctx context.Context, b []byte, h Header) (*Picture, error) {
	return decodeGo(ctx, b, h, func(r reader) (image.Image, error) { return gif.Decode(r) })
}
