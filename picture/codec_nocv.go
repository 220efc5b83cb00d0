//go:build nocv

package picture

import (
	"bytes"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Codec names what decodes pictures.
func Codec() string { return "Go's image packages" }

// decode reads one picture as stored, without its rotation.
func decode(b []byte) (*Picture, error) {
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return FromImage(m), nil
}
