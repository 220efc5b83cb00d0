//go:build !opencv

package picture

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// sameAsGo compares a file with what golang.org/x/image/tiff makes of it.
func sameAsGo(t *testing.T, name string, b []byte) bool {
	t.Helper()
	m, err := tiff.Decode(bytes.NewReader(b))
	p, got := DecodeBytes(name, b)
	if err != nil || got != nil {
		if err == nil || got == nil {
			t.Errorf("%s: %v, golang.org/x/image has %v", name, got, err)
		}
		return false
	}
	if d := farthest(p, FromImage(m)); d != 0 {
		t.Errorf("%s: a pixel is off by %d", name, d)
	}
	return true
}

// Every kind of pixels that Go writes and reads comes out as Go's own decoder has it.
func TestTIFFIsGos(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	box := image.Rect(0, 0, 37, 23)
	grey, grey16, rgba, nrgba := image.NewGray(box), image.NewGray16(box), image.NewRGBA(box), image.NewNRGBA(box)
	rgba16, nrgba16 := image.NewRGBA64(box), image.NewNRGBA64(box)
	palette := image.NewPaletted(box, nil)
	for i := range 200 {
		palette.Palette = append(palette.Palette, color.RGBA{uint8(i), uint8(3 * i), uint8(255 - i), 255})
	}
	for _, pix := range [][]uint8{grey.Pix, grey16.Pix, rgba.Pix, nrgba.Pix, rgba16.Pix, nrgba16.Pix} {
		for i := range pix {
			pix[i] = uint8(r.Uint32())
		}
	}
	for i := range palette.Pix {
		palette.Pix[i] = uint8(r.IntN(200))
	}
	for i := 3; i < len(rgba.Pix); i += 4 { // colours are at most as much as the opacity
		rgba.Pix[i] = max(rgba.Pix[i], rgba.Pix[i-1], rgba.Pix[i-2], rgba.Pix[i-3])
	}
	for i := 6; i < len(rgba16.Pix); i += 8 {
		rgba16.Pix[i] = 255
	}
	for name, m := range map[string]image.Image{"grey": grey, "grey16": grey16, "rgba": rgba, "nrgba": nrgba, "rgba16": rgba16, "nrgba16": nrgba16, "palette": palette} {
		for _, o := range []tiff.Options{{}, {Compression: tiff.Deflate}, {Compression: tiff.Deflate, Predictor: true}} {
			var b bytes.Buffer
			if err := tiff.Encode(&b, m, &o); err != nil {
				t.Fatal(err)
			}
			if !sameAsGo(t, name, b.Bytes()) {
				t.Errorf("%s with %+v is not read", name, o)
			}
			for n := b.Len() - 1; n > 0; n -= 1 + b.Len()/50 {
				sameAsGo(t, name+", cut", b.Bytes()[:n])
			}
		}
	}
}

// The decoder's own test images: tiles, strips, bits, LZW, PackBits, fax.
func TestTIFFPictures(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image").Output()
	if err != nil {
		t.Skip("the go command does not tell where golang.org/x/image is: ", err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "*.tiff"))
	if len(files) == 0 {
		t.Skip("golang.org/x/image comes without its test pictures")
	}
	read := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if sameAsGo(t, filepath.Base(f), b) {
			read++
		}
	}
	if read < 12 {
		t.Errorf("%d of %d files were read", read, len(files))
	}
}
