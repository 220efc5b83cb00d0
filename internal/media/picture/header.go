package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/gif" // for the headers
	_ "image/jpeg"
	_ "image/png"
	"io"

	_ "golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// Header describes an image by the first bytes of its file.
type Header struct {
	Format string // jpeg, png, gif, bmp, tiff or webp
	W, H   int    // upright, in pixels

	w, h int   // as stored
	turn int   // EXIF orientation, 1 to 8
	size int64 // bytes of the file
	jpeg jpegHeader
	tiff tiffHeader
	webp webpHeader
	deep int64 // bytes of a pixel in Go's images, for PNG and BMP
	laid bool  // an interlaced PNG

	wrong error // why the size is known, but the image cannot be decoded
}

// Bytes returns a bound of the memory that decoding the image takes at its peak, including the file and the pixels. target is that
// of DecodeFor.
func (h Header) Bytes(target Target) int64 {
	denom := int64(h.denom(target))
	w, rows := (int64(h.w)+denom-1)/denom, (int64(h.h)+denom-1)/denom
	return h.size + 3*w*rows + h.besides(denom)
}

// denom is the divisor of both sides by which a JPEG is decoded smaller.
func (h Header) denom(target Target) int {
	denom := 1
	if target != nil && h.Format == "jpeg" {
		tw, th := target(h.W, h.H)
		for denom = 8; denom > 1 && (h.W < denom*tw || h.H < denom*th); denom /= 2 {
		}
	}
	return denom
}

// Probe reads the header of a file's content; name stands for the file in errors. Its memory does not depend on the
// image's size, and it refuses no image for its size. An unknown format is an image.ErrFormat.
func Probe(name string, b []byte) (h Header, err error) {
	err = guarded(name, func() error {
		if h, err = probe(b, int64(len(b))); err != nil {
			err = unreadable(b, err)
		}
		return err
	})
	return h, err
}

// guarded returns a panic as an error, and names the file in all errors: one bad file must not end a program.
func guarded(name string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("its decoder panics: %v", v)
		}
		if err != nil {
			err = fmt.Errorf("picture: %s: %w", name, err)
		}
	}()
	return f()
}

// probe reads the header in the first bytes of a file of some size.
func probe(b []byte, size int64) (Header, error) {
	return probeIn(b, bytes.NewReader(b), size)
}

// probeIn is probe of a file, which is read on for the orientation: it may stand behind the pixels.
func probeIn(b []byte, file io.ReaderAt, size int64) (Header, error) {
	c, format, err := config(b)
	if err != nil {
		return Header{}, err
	}
	h := Header{Format: format, W: c.Width, H: c.Height, w: c.Width, h: c.Height, turn: orientationIn(file, size), size: size}
	if h.turn >= 5 {
		h.W, h.H = h.h, h.w
	}
	switch format {
	case "jpeg":
		h.jpeg, h.wrong = readJPEGHeader(b)
	case "png":
		h.deep, h.laid = depthPNG(b)
	case "bmp":
		h.deep = 4
		if binary.LittleEndian.Uint16(b[28:]) <= 8 {
			h.deep = 1
		}
	case "tiff":
		h.tiff, h.wrong = readTIFFHeader(b)
		if h.wrong == nil && (h.tiff.w != h.w || h.tiff.h != h.h) {
			h.wrong = fmt.Errorf("its directory says %dx%d and %dx%d pixels", h.tiff.w, h.tiff.h, h.w, h.h)
		}
	case "webp":
		h.webp, h.wrong = readWebPHeader(b)
	}
	return h, nil
}

// config reads a file's header. image.DecodeConfig hides from the TIFF reader that b can be read anywhere, which then takes
// memory up to the offset that the file names: 4 GB for one of 12 bytes.
func config(b []byte) (image.Config, string, error) {
	if bytes.HasPrefix(b, []byte("II*\x00")) || bytes.HasPrefix(b, []byte("MM\x00*")) {
		c, err := tiff.DecodeConfig(bytes.NewReader(b))
		return c, "tiff", err
	}
	return image.DecodeConfig(bytes.NewReader(b))
}

// Check returns an ErrTooMuch for an image that takes more memory or time than the limits, before anything is allocated.
func (h Header) Check(target Target) error {
	switch {
	case h.wrong != nil:
		return h.wrong
	case h.w < 1 || h.h < 1:
		return fmt.Errorf("its header says %dx%d pixels", h.w, h.h)
	case h.w > maxSide || h.h > maxSide:
		return tooMuch("it has %dx%d pixels, more on a side than the %d that are decoded", h.w, h.h, maxSide)
	case int64(h.w)*int64(h.h) > MaxPixels:
		return tooMuch("it has %dx%d pixels, more than the %d million that are decoded", h.w, h.h, MaxPixels>>20)
	}
	if h.Format == "tiff" {
		if err := h.tiff.bounds(); err != nil {
			return err
		}
	}
	return fits(h.Format, h.w, h.h, h.Bytes(target))
}

// depthPNG is the bytes of a pixel that Go's decoder makes of a PNG, and whether it is interlaced. (PNG specification, 11.2.2.)
func depthPNG(b []byte) (deep int64, laid bool) {
	bits, kind := b[24], b[25]
	deep = 1
	switch {
	case kind == 2 || kind == 4 || kind == 6, bytes.Contains(b[:min(len(b), headerBytes)], []byte("tRNS")):
		deep = 4
	}
	if bits == 16 {
		deep *= 2
	}
	return deep, b[28] != 0
}
