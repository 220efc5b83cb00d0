package picture

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
)

// MaxPixels bounds the size of pictures that are decoded: a few bytes of a file can ask for terabytes.
const MaxPixels = 178 << 20

// Decode reads a picture file, upright. A file that is cut, corrupt or no picture is an error.
func Decode(path string) (*Picture, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	return DecodeBytes(path, b)
}

// DecodeBytes is Decode on a file's content; name stands for the file in errors.
func DecodeBytes(name string, b []byte) (*Picture, error) {
	if err := check(b); err != nil {
		return nil, fmt.Errorf("picture: %s: %w", name, err)
	}
	p, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("picture: %s: %w", name, err)
	}
	return p.turned(orientation(b)), nil
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
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil && len(b) == headerBytes { // the header is longer, or at the end as TIFF's may be
		rest, more := io.ReadAll(f)
		if more != nil {
			return 0, 0, fmt.Errorf("picture: %w", more)
		}
		b = append(b, rest...)
		c, _, err = image.DecodeConfig(bytes.NewReader(b))
	}
	if err != nil {
		return 0, 0, fmt.Errorf("picture: %s: %w", path, err)
	}
	if orientation(b) >= 5 {
		return c.Height, c.Width, nil
	}
	return c.Width, c.Height, nil
}
