//go:build campaign

package campaign

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// large are sound images near fewPixels, in small files. They cost what an image may.
var large = sync.OnceValue(func() map[string][]byte {
	const w, h = 5990, 6000
	out := map[string][]byte{
		"a progressive JPEG of 2000x2000 in 40 scans": progressive(2000, 2000, 39),
		"a BMP in runs of which most are missing":     bitmapHeader(w, h, 8, 1, 256, []byte{200, 9, 0, 1}),
	}
	add := func(name string, encode func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			panic("campaign: " + name + ": " + err.Error())
		}
		out[name] = b.Bytes()
	}
	gray, deep := image.NewGray(image.Rect(0, 0, w, h)), image.NewNRGBA64(image.Rect(0, 0, w, h))
	for i := range 4000 {
		deep.SetNRGBA64(i%w, i, color.NRGBA64{0xffff, uint16(i), 7, 0x8000})
		gray.SetGray(i, i, color.Gray{200})
	}
	colour := image.NewYCbCr(gray.Rect, image.YCbCrSubsampleRatio444)
	paletted := image.NewPaletted(gray.Rect, color.Palette{color.Black, color.White})
	add("a gray PNG", func(b *bytes.Buffer) error { return png.Encode(b, gray) })
	add("a PNG of 64 bits", func(b *bytes.Buffer) error {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(b, deep)
	})
	add("a JPEG", func(b *bytes.Buffer) error { return jpeg.Encode(b, colour, nil) })
	add("a GIF", func(b *bytes.Buffer) error { return gif.Encode(b, paletted, nil) })
	add("a BMP", func(b *bytes.Buffer) error { return bmp.Encode(b, gray) })
	add("a TIFF of 64 bits", func(b *bytes.Buffer) error { return tiff.Encode(b, deep, &tiff.Options{Compression: tiff.Deflate}) })
	return out
})
