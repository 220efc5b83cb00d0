package picture

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
	"sync"
)

// MaxPixels bounds the size of pictures that are decoded: a few bytes of a file can ask for terabytes.
const MaxPixels = 178 << 20

// Decode reads a picture file, upright. A file that is cut, corrupt or no picture is an error.
func Decode(path string) (*Picture, error) {
	p, _, _, err := DecodeFor(path, nil)
	return p, err
}

// DecodeBytes is Decode on a file's content; name stands for the file in errors.
func DecodeBytes(name string, b []byte) (*Picture, error) {
	p, _, _, err := decodeFor(name, b, nil)
	return p, err
}

// DecodeBytesFor is DecodeFor on a file's content; name stands for the file in errors.
func DecodeBytesFor(name string, b []byte, target Target) (p *Picture, w, h int, err error) {
	return decodeFor(name, b, target)
}

// Target tells the size in pixels that a picture of w x h is to be scaled to.
type Target func(w, h int) (tw, th int)

// DecodeFor is Decode for a picture that is then scaled. Where the target is smaller by 2, 4 or 8 on both sides, a JPEG is
// decoded so much smaller: from the coarse part of its coefficients, in less time, and scaled on it differs from the
// whole picture scaled. Other files, and all without a target, are decoded whole. w and h are the file's own, upright.
func DecodeFor(path string, target Target) (p *Picture, w, h int, err error) {
	b := files.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() <= maxKept {
			files.Put(b)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("picture: %w", err)
	}
	defer f.Close()
	if _, err := b.ReadFrom(f); err != nil {
		return nil, 0, 0, fmt.Errorf("picture: %w", err)
	}
	return decodeFor(path, b.Bytes(), target)
}

// files keeps the memory that files are read into, up to maxKept bytes each.
var files = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxKept = 32 << 20

func decodeFor(name string, b []byte, target Target) (p *Picture, w, h int, err error) {
	head, err := check(b)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("picture: %s: %w", name, err)
	}
	turn := orientation(b)
	w, h = head.w, head.h
	if turn >= 5 {
		w, h = h, w
	}
	denom := 1
	if target != nil && head.format == "jpeg" {
		tw, th := target(w, h)
		for denom = 8; denom > 1 && (w < denom*tw || h < denom*th); denom /= 2 {
		}
	}
	if p, err = decode(b, head, denom); err != nil {
		return nil, 0, 0, fmt.Errorf("picture: %s: %w", name, err)
	}
	return p.turned(turn), w, h, nil
}

// headerBytes are read of a file first for its size; most headers end before.
const headerBytes = 256 << 10

// Size reads a picture's width and height, upright, from its header.
func Size(path string) (w, h int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, fmt.Errorf("picture: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, headerBytes))
	if err != nil {
		return 0, 0, fmt.Errorf("picture: %w", err)
	}
	c, _, err := config(b)
	if err != nil && len(b) == headerBytes { // the header is longer, or at the end as TIFF's may be
		rest, more := io.ReadAll(f)
		if more != nil {
			return 0, 0, fmt.Errorf("picture: %w", more)
		}
		b = append(b, rest...)
		c, _, err = config(b)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("picture: %s: %w", path, err)
	}
	w, h = upright(c, b)
	return w, h, nil
}

// SizeBytes is Size of a file's content, in memory that does not depend on the size; name stands for the file in errors. What
// is of no known format is an image.ErrFormat.
func SizeBytes(name string, b []byte) (w, h int, err error) {
	c, _, err := config(b)
	if err != nil {
		return 0, 0, fmt.Errorf("picture: %s: %w", name, err)
	}
	w, h = upright(c, b)
	return w, h, nil
}

func upright(c image.Config, b []byte) (w, h int) {
	if orientation(b) >= 5 {
		return c.Height, c.Width
	}
	return c.Width, c.Height
}
