package picture

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// half wants images at a share of their size.
func half(n int) Target {
	return func(w, h int) (int, int) { return (w + n - 1) / n, (h + n - 1) / n }
}

// A JPEG that is scaled down is decoded as small as its target allows, upright; its own size stays known.
func TestDecodeFor(t *testing.T) {
	dir := t.TempDir()
	p := gradient(160, 96)
	path := filepath.Join(dir, "p.jpg")
	for o := 1; o <= 8; o++ {
		jpg := encode(t, func(b *bytes.Buffer) error {
			return jpeg.Encode(b, stored(p, o).Image(), &jpeg.Options{Quality: 100})
		})
		if err := os.WriteFile(path, withExif(jpg, uint16(o), binary.BigEndian), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, k := range []struct {
			target Target
			denom  int
		}{
			{nil, 1}, {half(1), 1}, {half(2), 2}, {half(3), 2}, {half(4), 4}, {half(8), 8}, {half(100), 8},
			{func(w, h int) (int, int) { return w/2 + 1, h / 2 }, 1}, // one side keeps more than half
			{func(w, h int) (int, int) { return w / 8, h/4 + 1 }, 2},
			{func(w, h int) (int, int) { return 2 * w, 2 * h }, 1},
		} {
			q, w, h, err := DecodeFor(t.Context(), path, k.target)
			if err != nil {
				t.Fatal(err)
			}
			if w != 160 || h != 96 || q.W != 160/k.denom || q.H != 96/k.denom {
				t.Fatalf("orientation %d: %dx%d of %dx%d, want 1/%d of 160x96", o, q.W, q.H, w, h, k.denom)
			}
			n := k.denom
			want := &Picture{W: p.W, H: p.H, Pix: bytes.Clone(p.Pix)}
			if d := farthest(want.reduced(n), q); d > 12 {
				t.Errorf("orientation %d at 1/%d: a pixel is off by %d", o, n, d)
			}
		}
	}
}

// Sides that do not divide are rounded up; other formats come whole.
func TestDecodeForOddSizes(t *testing.T) {
	dir := t.TempDir()
	jpg, pngs := filepath.Join(dir, "p.jpg"), filepath.Join(dir, "p.png")
	for _, s := range [][2]int{{1, 1}, {1, 40}, {17, 9}, {33, 31}} {
		p := gradient(s[0], s[1])
		if err := p.WriteJPEG(jpg, 95); err != nil {
			t.Fatal(err)
		}
		if err := p.WritePNG(pngs); err != nil {
			t.Fatal(err)
		}
		tiny := func(int, int) (int, int) { return 1, 1 }
		q, w, h, err := DecodeFor(t.Context(), jpg, tiny)
		denom := 8
		for denom > min(s[0], s[1]) {
			denom /= 2
		}
		if err != nil || w != s[0] || h != s[1] || q.W != (w+denom-1)/denom || q.H != (h+denom-1)/denom {
			t.Errorf("%v: %v of %dx%d, %v; want 1/%d", s, q, w, h, err, denom)
		}
		if q, w, h, err = DecodeFor(t.Context(), pngs, tiny); err != nil || w != s[0] || h != s[1] || farthest(p, q) != 0 {
			t.Errorf("a PNG of %v: %v of %dx%d, %v", s, q, w, h, err)
		}
	}
}

func TestReduced(t *testing.T) {
	p := New(3, 3)
	for i := range 9 {
		p.Set(i%3, i/3, uint8(i), uint8(10*i), 7)
	}
	// Means of 0 1 3 4, of 2 5, of 6 7, and 8 alone, rounded half up.
	want := &Picture{W: 2, H: 2, Pix: []uint8{2, 20, 7, 4, 35, 7, 7, 65, 7, 8, 80, 7}}
	if got := p.reduced(2); farthest(got, want) != 0 {
		t.Errorf("%v, want %v", got, want)
	}
}

// A released image's memory serves the next, whatever was in it.
func TestRelease(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, gradient(20, 10).Image()) })
	for range 20 {
		p := New(30, 10)
		for i := range p.Pix {
			p.Pix[i] = 99
		}
		p.Release()
		q, err := DecodeBytes("p", b)
		if err != nil || farthest(q, gradient(20, 10)) != 0 {
			t.Fatalf("%v, %v", q, err)
		}
	}
	p := New(1, 1)
	p.Release()
	p.Release() // is nothing then
}
