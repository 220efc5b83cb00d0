package infer

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"retinago/internal/media/picture"
)

// stored is how an image is stored to be turned upright by an EXIF orientation: pixel x, y of the stored image of what is upright.
func stored(p *picture.Picture, orientation int) *picture.Picture {
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	q := picture.New(w, h)
	for y := range h {
		for x := range w {
			u, v := x, y
			switch orientation {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = h-1-y, x
			case 7:
				u, v = h-1-y, w-1-x
			case 8:
				u, v = y, w-1-x
			}
			r, g, b := p.At(u, v)
			q.Set(x, y, r, g, b)
		}
	}
	return q
}

// tagged is a PNG file with an EXIF orientation: a chunk eXIf after the header.
func tagged(t *testing.T, path string, orientation int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	exif := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	exif[19] = byte(orientation)
	chunk := append([]byte("eXIf"), exif...)
	var out bytes.Buffer
	out.Write(b[:33]) // signature and IHDR
	binary.Write(&out, binary.BigEndian, uint32(len(exif)))
	out.Write(chunk)
	binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(chunk))
	out.Write(b[33:])
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// An image gives the same boxes however its camera was held.
func TestUpright(t *testing.T) {
	p := load(t, low())
	pic := noise(90, 60)
	want, err := p.Predict(t.Context(), pic)
	if err != nil || len(want) == 0 {
		t.Fatal(len(want), err)
	}
	for o := 1; o <= 8; o++ {
		path := filepath.Join(t.TempDir(), "a.png")
		if err := stored(pic, o).WritePNG(path); err != nil {
			t.Fatal(err)
		}
		tagged(t, path, o)
		got := predictFile(t, p, path)
		if len(got) != len(want) {
			t.Fatalf("orientation %d: %d detections, want %d", o, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("orientation %d, detection %d: %+v, want %+v", o, i, got[i], want[i])
				break
			}
		}
	}
}

func predictFile(t *testing.T, p *Predictor, path string) []Detection {
	t.Helper()
	pic, err := picture.Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.Predict(t.Context(), pic)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// One photograph in the eight orientations. They were compressed apart, so that boxes agree to a pixel or so.
func TestUprightPhotographs(t *testing.T) {
	const dir = "../../shared/data/bad_images/exif"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the pictures are not there")
	}
	p := load(t, low())
	want := predictFile(t, p, filepath.Join(dir, "Landscape_1.jpg"))
	for o := 2; o <= 8; o++ {
		got := predictFile(t, p, filepath.Join(dir, "Landscape_"+string(rune('0'+o))+".jpg"))
		for i := range 5 {
			best := float32(0)
			for _, d := range got {
				if d.Class == want[i].Class {
					best = max(best, d.Box.IoU(want[i].Box))
				}
			}
			if best < .9 {
				t.Errorf("orientation %d: nothing like %+v, overlap %.2f", o, want[i], best)
			}
		}
	}
}
