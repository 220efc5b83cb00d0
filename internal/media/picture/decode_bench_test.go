package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func BenchmarkDecode(b *testing.B) {
	p := gradient(1280, 960)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] += uint8(r.Uint32() & 7) // as cameras have it
	}
	path := filepath.Join(b.TempDir(), "p")
	for name, encode := range map[string]func(io.Writer, image.Image) error{
		"jpeg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 90}) },
		"png":  png.Encode,
		"bmp":  bmp.Encode,
		"tiff": func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) },
	} {
		var file bytes.Buffer
		if err := encode(&file, p.Image()); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(p.Pix)))
			for b.Loop() {
				q, err := Decode(path)
				if err != nil {
					b.Fatal(err)
				}
				q.Release()
			}
		})
	}
}
