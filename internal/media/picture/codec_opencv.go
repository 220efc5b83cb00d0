//go:build opencv

package picture

import (
	"context"

	"gocv.io/x/gocv"
)

// Codec names what decodes images.
func Codec() string { return jpegCodec + ", OpenCV " + gocv.OpenCVVersion() }

// decode reads one image, upright, its sides divided by denom (1, 2, 4 or 8) and rounded up. OpenCV cannot be interrupted: what is left to
// it takes at most about a second, since its pixels and blocks are bounded before.
func decode(ctx context.Context, b []byte, h Header, denom int) (*Picture, error) {
	switch h.Format {
	case "jpeg":
		return decodeJPEG(ctx, b, h, denom)
	case "gif": // OpenCV 4.6 reads none
		return decodeGIF(ctx, b, h)
	case "webp":
		p, err := decodeWebP(ctx, b, h, func(h Header, data []byte) (*Picture, error) {
			if h.webp.from != 20 || h.webp.to+(h.webp.to&1) != int64(len(b)) {
				b = plainWebP(data)
			}
			return decodeVP8(ctx, b, h.w, h.h)
		})
		if err != nil {
			return nil, err
		}
		return p.turned(h.turn), nil
	case "png":
		b = plainPNG(b)
	case "tiff":
		if h.turn > 1 {
			b = uprightTIFF(b)
		}
	}
	p, err := decodeOpenCV(b, h.w, h.h)
	if err != nil {
		return nil, err
	}
	return p.turned(h.turn), nil
}

// besides is what decoding takes besides the file and the pixels, in bytes.
func (h Header) besides(denom int64) int64 {
	w, n := int64(h.w), int64(h.w)*int64(h.h)
	some := 1<<20 + 256*w // rows on the way
	switch h.Format {
	case "jpeg":
		return h.jpegBesides(denom)
	case "gif":
		return some + n
	case "webp":
		if h.webp.lossless {
			some += h.lossless()
		} else {
			some += h.size
		}
		some += h.animated()
	case "tiff":
		some += h.tiff.libtiff(h.size)
		if h.turn > 1 {
			some += h.size // as one that is upright
		}
	case "png":
		some += h.size // without what is not pixels
	}
	if h.turn > 1 {
		some += 3 * n
	}
	return some
}
