package picture

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"path/filepath"
	"testing"
)

// withExif puts an EXIF block with an orientation into a JPEG, as a camera does.
func withExif(jpg []byte, orientation uint16, order binary.ByteOrder) []byte {
	block := []byte("Exif\x00\x00II*\x00")
	if order == binary.ByteOrder(binary.BigEndian) {
		block = []byte("Exif\x00\x00MM\x00*")
	}
	block = append(block, make([]byte, 4+2+12+4)...)
	tiff := block[6:]
	order.PutUint32(tiff[4:], 8)
	order.PutUint16(tiff[8:], 1)
	order.PutUint16(tiff[10:], 0x0112)
	order.PutUint16(tiff[12:], 3)
	order.PutUint32(tiff[14:], 1)
	order.PutUint16(tiff[18:], orientation)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, 0, 0)
	binary.BigEndian.PutUint16(out[4:], uint16(len(block)+2))
	return append(append(out, block...), jpg[2:]...)
}

// stored returns how a camera stores an upright image under an EXIF orientation. (EXIF 2.3, 4.6.4 A: 1 is top-left, 2
// top-right, ... 8 left-bottom for where row 0 and column 0 are.)
func stored(p *Picture, orientation int) *Picture {
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	q := New(w, h)
	for y := range p.H {
		for x := range p.W {
			r, g, b := p.At(x, y)
			fx, fy := p.W-1-x, p.H-1-y
			sx, sy := [...]int{1: x, 2: fx, 3: fx, 4: x, 5: y, 6: y, 7: fy, 8: fy}[orientation],
				[...]int{1: y, 2: y, 3: fy, 4: fy, 5: x, 6: fx, 7: fx, 8: x}[orientation]
			q.Set(sx, sy, r, g, b)
		}
	}
	return q
}

func TestOrientation(t *testing.T) {
	p := gradient(48, 32)
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			jpg := encode(t, func(b *bytes.Buffer) error {
				return jpeg.Encode(b, stored(p, o).Image(), &jpeg.Options{Quality: 100})
			})
			q, err := DecodeBytes("exif", withExif(jpg, uint16(o), order))
			if err != nil {
				t.Fatal(err)
			}
			if d := farthest(p, q); d > 12 {
				t.Errorf("orientation %d, %v: %dx%d, a pixel is off by %d", o, order, q.W, q.H, d)
			}
		}
	}
}

func TestOrientationOfRealPictures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t, "bad_images"), "exif", "*.jpg"))
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	upright, err := Decode(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files[1:] {
		p, err := Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		w, h, err := Size(f)
		if err != nil || w != p.W || h != p.H {
			t.Errorf("%s: the header says %dx%d upright, the picture is %dx%d (%v)", f, w, h, p.W, p.H, err)
		}
		if p.W != upright.W || p.H != upright.H {
			t.Errorf("%s: %dx%d, want %dx%d", f, p.W, p.H, upright.W, upright.H)
			continue
		}
		sum := 0
		for i := range p.Pix {
			sum += abs(int(p.Pix[i]) - int(upright.Pix[i]))
		}
		if mean := float64(sum) / float64(len(p.Pix)); mean > 8 {
			t.Errorf("%s: differs from %s by %.1f on average", f, files[0], mean)
		}
	}
}
