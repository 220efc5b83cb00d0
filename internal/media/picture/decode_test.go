package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"retinago/internal/memory"
)

func TestDecodeFormats(t *testing.T) {
	p := gradient(37, 23)
	m := p.Image()
	files := map[string]struct {
		b   []byte
		tol int
	}{
		"png":  {encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }), 0},
		"bmp":  {encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }), 0},
		"tiff": {encode(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) }), 0},
		"jpeg": {encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 98}) }), 12},
	}
	for name, f := range files {
		q, err := DecodeBytes(name, f.b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := farthest(p, q); d > f.tol {
			t.Errorf("%s: a pixel is off by %d", name, d)
		}
	}
}

// Images that are not RGB: gray, 16-bit gray, 16-bit colour, palette, transparency, an animation's first frame.
func TestDecodeModels(t *testing.T) {
	const w, h = 6, 4
	want := New(w, h)
	gray, gray16 := image.NewGray(image.Rect(0, 0, w, h)), image.NewGray16(image.Rect(0, 0, w, h))
	rgb16, clear := image.NewNRGBA64(image.Rect(0, 0, w, h)), image.NewNRGBA(image.Rect(0, 0, w, h))
	pal := image.NewPaletted(image.Rect(0, 0, w, h), nil)
	for y := range h {
		for x := range w {
			v := uint8(10*x + 40*y)
			want.Set(x, y, v, v, v)
			gray.SetGray(x, y, color.Gray{v})
			gray16.SetGray16(x, y, color.Gray16{uint16(v)<<8 | 0x55})
			rgb16.SetNRGBA64(x, y, color.NRGBA64{uint16(v) << 8, uint16(v) << 8, uint16(v) << 8, 0xffff})
			clear.SetNRGBA(x, y, color.NRGBA{v, v, v, uint8(60 + 20*x)})
			pal.Palette = append(pal.Palette, color.RGBA{v, v, v, 255})
			pal.SetColorIndex(x, y, uint8(len(pal.Palette)-1))
		}
	}
	for name, m := range map[string]image.Image{"gray": gray, "gray16": gray16, "rgb16": rgb16, "transparent": clear, "palette": pal} {
		q, err := DecodeBytes(name, encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := farthest(want, q); d > 0 {
			t.Errorf("%s: a pixel is off by %d", name, d)
		}
	}
	q, err := DecodeBytes("gif", encode(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{pal, pal}, Delay: []int{1, 1}})
	}))
	if err != nil {
		t.Fatal(err)
	}
	if d := farthest(want, q); d > 0 {
		t.Errorf("gif: a pixel is off by %d", d)
	}
}

// A file that ends anywhere before its end is an error; one with flipped bits is an error or an image.
func TestDecodeDamaged(t *testing.T) {
	p := gradient(64, 48)
	for name, b := range map[string][]byte{
		"png": encode(t, func(b *bytes.Buffer) error { return png.Encode(b, p.Image()) }),
		"jpg": encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, p.Image(), nil) }),
	} {
		for n := 0; n < len(b)-2; n += 1 + len(b)/200 {
			if _, err := DecodeBytes(name, b[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes were decoded", name, n, len(b))
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			c := bytes.Clone(b)
			for range 1 + r.IntN(4) {
				c[r.IntN(len(c))] ^= 1 << r.IntN(8)
			}
			if q, err := DecodeBytes(name, c); err == nil && len(q.Pix) != 3*q.W*q.H {
				t.Fatalf("%s: %dx%d with %d values", name, q.W, q.H, len(q.Pix))
			}
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	dir := t.TempDir()
	huge := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, New(1, 1).Image()) })
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	for name, f := range map[string]struct {
		content []byte
		want    string
	}{
		"empty.jpg": {nil, "empty"},
		"text.png":  {[]byte("this is no image at all"), "unsupported format"},
		"huge.png":  {huge, "damaged"}, // the checksum betrays it first
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: %v; want the path and %q", name, err, f.want)
		}
	}
	if _, err := Decode(filepath.Join(dir, "absent.jpg")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// A header that asks for more pixels than there can be is refused before memory is taken.
func TestDecodeHuge(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, New(2, 2).Image()) })
	binary.LittleEndian.PutUint32(b[18:], 60000)
	binary.LittleEndian.PutUint32(b[22:], 60000)
	if _, err := DecodeBytes("huge.bmp", b); err == nil || !strings.Contains(err.Error(), "60000x60000") {
		t.Errorf("%v; want its size", err)
	}
}

// OpenCV's images live outside of Go's heap: decoding must give them back.
func TestDecodeLeak(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gradient(800, 600).Image(), nil) })
	work := func(n int) {
		for range n {
			if _, err := DecodeBytes("leak", b); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
	}
	work(30)
	before := memory.Resident()
	work(200) // leaks of one image each would be 288 MB
	if grown := memory.Resident() - before; grown > 48<<20 {
		t.Errorf("200 pictures left %d MB behind", grown>>20)
	}
}
