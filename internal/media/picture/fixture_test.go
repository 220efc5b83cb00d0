package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// realData is a folder of the real test images. They are no part of the project.
func realData(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real pictures of %s are not here", dir)
	}
	return dir
}

// busy is the processor time that the process has taken, in which other programs do not count.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// farthest is the largest difference of two images in any channel, 256 for different sizes.
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

// gradient is an image without symmetry: red rises to the right, green downwards.
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

// lossyWebP and losslessWebP are gradient(12, 9) as libwebp writes it.
var (
	lossyWebP    = []byte("RIFF>\x00\x00\x00WEBPVP8 2\x00\x00\x00\xb0\x01\x00\x9d\x01*\f\x00\t\x00\x03\x80Z%\xb0\x02t\x01\x0e\xb5q0\x00\xfe\xec\xde\n\xa0\xb9\xc1\x96\xe0\f\xb7\x86\xccG\xaf\xfc/\xf8?<\xe8\x1b\x7frl\x06\x00")
	losslessWebP = []byte("RIFF@\x00\x00\x00WEBPVP8L3\x00\x00\x00/\v\x00\x02\x00\x992D\xf4?6\x11\xd1\xff\x80\x82\xb6m\x98\x80h7\xfe`?\x02\x82l\xdbP\x05v\x8e\x8fV\b\t\b\x12S\xf4\x840\xb5\x02\xe8\xfc!\xf9\xde\x00\x00")
)

func abs(v int) int { return max(v, -v) }
