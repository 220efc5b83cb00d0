package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A header that is longer than what is read first, and a file that is.
func TestSizeOfLongFiles(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long.jpg")
	if err := New(30, 20).WriteJPEG(long, 90); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(long)
	if err != nil {
		t.Fatal(err)
	}
	// Five application segments of 65535 bytes, and an EXIF that turns the image by a quarter.
	var head []byte
	for range 5 {
		head = append(append(head, 0xff, 0xe5, 0xff, 0xff), make([]byte, 65533)...)
	}
	tiff := "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	exif := "Exif\x00\x00" + tiff
	head = append(append(head, 0xff, 0xe1, 0, byte(len(exif)+2)), exif...)
	if err := os.WriteFile(long, slices.Concat(b[:2], head, b[2:]), 0o644); err != nil {
		t.Fatal(err)
	}
	if w, h, err := Size(long); err != nil || w != 20 || h != 30 {
		t.Errorf("a long header: %dx%d, %v; want 20x30", w, h, err)
	}
	big := filepath.Join(dir, "big.png")
	p := New(400, 300)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32()) // noise, so that it stays big
	}
	if err := p.WritePNG(big); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(big); err != nil || st.Size() <= headerBytes {
		t.Fatalf("the file is small: %v, %v", st, err)
	}
	if w, h, err := Size(big); err != nil || w != 400 || h != 300 {
		t.Errorf("a big file: %dx%d, %v", w, h, err)
	}
	if _, _, err := Size(filepath.Join(dir, "absent.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Size reads a file's size, upright, also if it is too large to decode; data of another format is an error of its own.
func TestProbe(t *testing.T) {
	jpg := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, New(8, 5).Image(), nil) })
	for _, c := range []struct {
		name string
		b    []byte
		w, h int
	}{
		{"jpeg", jpg, 8, 5},
		{"turned", withExif(jpg, 6, binary.LittleEndian), 5, 8},
		{"huge", hugePNG(t, 97_000_000, 1_000_000_000), 97_000_000, 1_000_000_000},
	} {
		if h, err := Probe(c.name, c.b); err != nil || h.W != c.w || h.H != c.h {
			t.Errorf("%s: %dx%d, want %dx%d; %v", c.name, h.W, h.H, c.w, c.h, err)
		}
	}
	if _, err := Probe("text", []byte("hello")); !errors.Is(err, image.ErrFormat) {
		t.Errorf("text: %v", err)
	}
	if _, err := Probe("cut", jpg[:20]); err == nil || errors.Is(err, image.ErrFormat) {
		t.Errorf("a cut header: %v", err)
	}
}
