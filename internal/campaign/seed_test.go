//go:build campaign

package campaign

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// seed is a sound image, or one that is known to be bad, from which mutated ones are made.
type seed struct {
	name   string
	format string // extension
	b      []byte
}

// largestSeed bounds seeds: what is larger is slow to decode and no richer.
const largestSeed = 96 << 10

// seeds are made here, and found in Go's own sources, in golang.org/x/image's, and beside the repository, as far as those are there.
func seeds(t *testing.T) map[string][]seed {
	t.Helper()
	all := map[string][]seed{}
	add := func(name, format string, b []byte) {
		if len(b) <= largestSeed {
			all[format] = append(all[format], seed{name, format, b})
		}
	}
	for _, s := range made(t) {
		add(s.name, s.format, s.b)
	}
	folders := []string{filepath.Join("..", "..", "..", "shared", "data", "bad_images"), filepath.Join("..", "media", "picture", "testdata")}
	for _, where := range [][]string{{"list", "-m", "-f", "{{.Dir}}/testdata", "golang.org/x/image"}, {"env", "GOROOT"}} {
		out, err := exec.Command("go", where...).Output()
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	folders[len(folders)-1] = filepath.Join(folders[len(folders)-1], "src", "image")
	for _, dir := range folders {
		if _, err := os.Stat(dir); err != nil {
			t.Logf("no pictures in %s: it is not there", dir)
			continue
		}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			format, ok := formats[strings.ToLower(filepath.Ext(path))]
			if err != nil || d.IsDir() || !ok {
				return err
			}
			b, err := os.ReadFile(path)
			if err == nil {
				add(filepath.Base(path), format, b)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var formats = map[string]string{".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".gif": "gif", ".bmp": "bmp", ".tif": "tif", ".tiff": "tif", ".webp": "webp"}

// order is that of formats, so that equal seeds of randomness draw equal images.
var order = []string{"jpg", "png", "gif", "bmp", "tif", "webp"}

// scenery is an image with edges and gradients.
func scenery(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(x * y), 255}
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < w*h/9 {
				c = color.NRGBA{200, uint8(3 * x), 40, uint8(128 + y)}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// made are seeds of every format that this program can write, most by hand: see bitmaps, tiffs, progressive.
func made(t *testing.T) []seed {
	t.Helper()
	m := scenery(45, 34)
	gray, paletted := image.NewGray(m.Rect), image.NewPaletted(m.Rect, color.Palette{color.Black, color.White, color.NRGBA{200, 30, 30, 255}, color.NRGBA{0, 90, 200, 255}})
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			gray.Set(x, y, m.At(x, y))
			paletted.SetColorIndex(x, y, uint8(x/8+y/8)%4)
		}
	}
	var out []seed
	add := func(name, format string, encode func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, seed{name, format, b.Bytes()})
	}
	for name, m := range map[string]image.Image{"colour": m, "gray": gray, "paletted": paletted} {
		add(name, "jpg", func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 60}) })
		add(name, "png", func(b *bytes.Buffer) error { return png.Encode(b, m) })
		for _, c := range []tiff.CompressionType{tiff.Uncompressed, tiff.Deflate} {
			add(name, "tif", func(b *bytes.Buffer) error {
				return tiff.Encode(b, m, &tiff.Options{Compression: c, Predictor: c == tiff.Deflate})
			})
		}
	}
	add("two frames", "gif", func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{paletted, paletted}, Delay: []int{1, 1}})
	})
	var upright bytes.Buffer
	if err := jpeg.Encode(&upright, m, nil); err != nil {
		t.Fatal(err)
	}
	turned := []byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	out = append(out, seed{"turned", "jpg", append(turned, upright.Bytes()[2:]...)}, seed{"progressive", "jpg", progressive(64, 48, 3)})
	out = append(out, bitmaps()...)
	return sorted(append(out, tiffs()...))
}
