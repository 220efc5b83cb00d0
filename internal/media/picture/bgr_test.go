package picture

import (
	"bytes"
	"testing"
)

func TestBGR(t *testing.T) {
	for n := range 70 { // whole vectors and what is left
		p := New(n, 1)
		for i := range p.Pix {
			p.Pix[i] = uint8(3*i + 1)
		}
		bgr := make([]uint8, len(p.Pix))
		p.BGR(bgr)
		for i := range n {
			if bgr[3*i] != p.Pix[3*i+2] || bgr[3*i+1] != p.Pix[3*i+1] || bgr[3*i+2] != p.Pix[3*i] {
				t.Fatalf("%d pixels: pixel %d became %v", n, i, bgr[3*i:3*i+3])
			}
		}
		if q := FromBGR(n, 1, bgr); !bytes.Equal(q.Pix, p.Pix) || q.W != n {
			t.Fatalf("%d pixels there and back: %v", n, q.Pix)
		}
	}
}

func TestCrop(t *testing.T) {
	p := New(5, 4)
	for i := range p.Pix {
		p.Pix[i] = uint8(i)
	}
	q := p.Crop(1, 2, 3, 2)
	if q.W != 3 || q.H != 2 {
		t.Fatalf("%dx%d", q.W, q.H)
	}
	for y := range 2 {
		for x := range 3 {
			a, _, _ := q.At(x, y)
			if b, _, _ := p.At(x+1, y+2); a != b {
				t.Errorf("pixel %d,%d is %d, want %d", x, y, a, b)
			}
		}
	}
	for _, r := range [][4]int{{-1, 0, 2, 2}, {4, 0, 2, 2}, {0, 3, 2, 2}, {0, 0, 0, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v is outside", r)
				}
			}()
			p.Crop(r[0], r[1], r[2], r[3])
		}()
	}
}

func BenchmarkBGR(b *testing.B) {
	p := New(1280, 720)
	bgr := make([]uint8, len(p.Pix))
	b.SetBytes(int64(len(bgr)))
	for b.Loop() {
		p.BGR(bgr)
	}
}
