package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// realData is a folder of the real test pictures. They are no part of the project.
func realData(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real pictures of %s are not here", dir)
	}
	return dir
}

// farthest is the largest difference of two pictures in any channel, 256 for different sizes.
func farthest(a, b *Picture) int {
	if a.W != b.W || a.H != b.H {
		return 256
	}
	d := 0
	for i := range a.Pix {
		d = max(d, abs(int(a.Pix[i])-int(b.Pix[i])))
	}
	return d
}

// gradient is a picture without symmetry: red rises to the right, green downwards.
func gradient(w, h int) *Picture {
	p := New(w, h)
	for y := range h {
		for x := range w {
			p.Set(x, y, uint8(40+160*x/w), uint8(20+200*y/h), 90)
		}
	}
	return p
}

func encode(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encoders are Go's, by format.
func encoders() map[string]func(io.Writer, image.Image) error {
	return map[string]func(io.Writer, image.Image) error{
		"png":  png.Encode,
		"bmp":  bmp.Encode,
		"jpeg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) },
		"tiff": func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) },
		"tiff, deflate": func(w io.Writer, m image.Image) error {
			return tiff.Encode(w, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		},
	}
}
