//go:build nocv

package picture

import (
	"bytes"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"io"

	_ "golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Codec names what decodes pictures.
func Codec() string { return "Go's image packages" }

// decode reads one picture as stored, without its rotation, its sides divided by denom (1, 2, 4 or 8) and rounded up.
func decode(b []byte, h header, denom int) (*Picture, error) {
	read := image.Decode
	if h.format == "tiff" { // as config has it
		read = func(r io.Reader) (image.Image, string, error) {
			m, err := tiff.Decode(r)
			return m, h.format, err
		}
	}
	m, _, err := read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return FromImage(m).reduced(denom), nil
}

func encodeJPEG(w io.Writer, p *Picture, quality int) error {
	m := p.image()
	// Opaque, so that both kinds of alpha are the same; Go's encoder has a fast way for this one.
	return jpeg.Encode(w, &image.RGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, &jpeg.Options{Quality: quality})
}
