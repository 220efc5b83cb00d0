//go:build !opencv

package picture

import (
	"context"
	"image"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/vp8"
)

// Codec names what decodes images.
func Codec() string { return jpegCodec + ", other formats by Go's image packages" }

// decode reads one image, upright, its sides divided by denom (1, 2, 4 or 8) and rounded up.
func decode(ctx context.Context, b []byte, h Header, denom int) (p *Picture, err error) {
	switch h.Format {
	case "jpeg":
		return decodeJPEG(ctx, b, h, denom)
	case "png":
		p, err = decodeGo(ctx, b, h, func(r reader) (image.Image, error) { return png.Decode(r) })
	case "gif":
		p, err = decodeGIF(ctx, b, h)
	case "bmp":
		p, err = decodeGo(ctx, b, h, func(r reader) (image.Image, error) { return bmp.Decode(r) })
	case "tiff":
		p, err = decodeTIFF(ctx, b, h)
	case "webp":
		p, err = decodeWebP(ctx, b, h, func(h Header, data []byte) (*Picture, error) {
			return decodeGo(ctx, data, h, func(r reader) (image.Image, error) {
				d := vp8.NewDecoder()
				d.Init(r, len(data))
				if _, err := d.DecodeFrameHeader(); err != nil {
					return nil, err
				}
				return d.DecodeFrame()
			})
		})
	}
	if err != nil {
		return nil, err
	}
	return p.turned(h.turn).reduced(denom), nil
}

// besides is what decoding takes besides the file and the pixels, in bytes.
func (h Header) besides(denom int64) int64 {
	w, n := int64(h.w), int64(h.w)*int64(h.h)
	some := 1<<20 + 256*w // rows on the way
	if h.turn > 1 || denom > 1 {
		some += 3 * n
	}
	switch h.Format {
	case "jpeg":
		return h.jpegBesides(denom)
	case "png":
		some += h.deep * n
		if h.laid {
			some += h.deep * n / 2
		}
	case "gif":
		some += n
	case "bmp":
		some += h.deep * n
	case "tiff":
		some += h.tiff.blockBytes()
	case "webp":
		if h.webp.lossless {
			some += h.lossless()
		} else {
			some += 3 * (w + 16) * (int64(h.h) + 16) / 2
		}
		some += h.animated()
	}
	return some
}
