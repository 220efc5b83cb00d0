package picture

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// unreadable is why the header that begins with b cannot be read.
func unreadable(b []byte, err error) error {
	switch {
	case errors.Is(err, image.ErrFormat):
		what, _ := Foreign(b)
		if what == "" {
			what = "the data does not start with the signature of a JPEG, PNG, GIF, BMP, TIFF or WebP"
		}
		return fmt.Errorf("unsupported format: %s%w", what, silent{err})
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("its header is cut: %w", err)
	}
	if why := unsupported(err); why != "" {
		return fmt.Errorf("its way of storing pixels is not read (%s): save it with 8 or 16 bits a sample, as grey, palette or RGB", why)
	}
	return fmt.Errorf("its header is damaged: %w", err)
}

// silent is an error without a text, which adds its cause to another.
type silent struct{ error }

func (silent) Error() string { return "" }

func (s silent) Unwrap() error { return s.error }

// unsupported is what one of Go's decoders does not read of a sound file, empty for other errors.
func unsupported(err error) string {
	if e, ok := errors.AsType[tiff.UnsupportedError](err); ok {
		return string(e)
	}
	if e, ok := errors.AsType[png.UnsupportedError](err); ok {
		return string(e)
	}
	if e, ok := errors.AsType[jpeg.UnsupportedError](err); ok {
		return string(e)
	}
	if errors.Is(err, bmp.ErrUnsupported) {
		return "a BMP of another version, or compressed"
	}
	return ""
}
