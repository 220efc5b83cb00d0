//go:build !opencv && !libjpeg

package picture

import (
	"context"
	"image"
	"image/jpeg"
	"io"
)

// jpegCodec names what decodes and encodes JPEGs.
const jpegCodec = "JPEG by Go's image/jpeg"

// decodeJPEG decodes a JPEG upright, its sides divided by denom, 1, 2, 4 or 8, and rounded up: means of pixels.
func decodeJPEG(ctx context.Context, b []byte, h Header, denom int) (*Picture, error) {
	p, err := decodeGo(ctx, b, h, func(r reader) (image.Image, error) { return jpeg.Decode(r) })
	if err != nil {
		return nil, err
	}
	return p.turned(h.turn).reduced(denom), nil
}

// jpegBesides is what decoding a JPEG takes besides the file and the pixels, in bytes.
func (h Header) jpegBesides(denom int64) int64 {
	w, n := int64(h.w), int64(h.w)*int64(h.h)
	some := 1<<20 + 256*w + 64*h.jpeg.blocks
	if h.turn > 1 || denom > 1 {
		some += 3 * n
	}
	if h.jpeg.progressive {
		some += 256 * h.jpeg.blocks
	}
	if h.jpeg.components == 4 || h.jpeg.rgb {
		some += 4 * n
	}
	return some
}

func encodeJPEG(w io.Writer, p *Picture, quality int) error {
	m := p.Image()
	// Opaque, so that both kinds of alpha are the same; Go's encoder has a fast way for this one.
	return jpeg.Encode(w, &image.RGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, &jpeg.Options{Quality: quality})
}
