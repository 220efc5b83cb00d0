package picture

import (
	"testing"

	"retinago/box"
)

func painted(p *Picture) int {
	n := 0
	for i := 0; i < len(p.Pix); i += 3 {
		if p.Pix[i]|p.Pix[i+1]|p.Pix[i+2] != 0 {
			n++
		}
	}
	return n
}

func TestCaption(t *testing.T) {
	p := New(200, 100)
	for i := range p.Pix {
		p.Pix[i] = 99
	}
	if err := Draw(p, nil, "line: 3 right", "zone: 1 in \u00fc\u4e2d"); err != nil {
		t.Fatal(err)
	}
	dark, light := 0, 0
	for i := 0; i < len(p.Pix); i += 3 {
		if p.Pix[i] == 24 {
			dark++
		} else if p.Pix[i] == 255 {
			light++
		}
	}
	if dark < 500 || light < 50 {
		t.Errorf("%d pixels of plates, %d of letters", dark, light)
	}
	if r, _, _ := p.At(199, 99); r != 99 {
		t.Error("paint beside the plates")
	}
	if err := Draw(New(1, 1), nil, "longer than the image"); err != nil {
		t.Error(err)
	}
}

// Captions of a small image have smaller letters, then shorter lines; labels keep off them.
func TestCaptionSizes(t *testing.T) {
	lines := []string{"line 1: person left 12, person right 7", "zone 1: person in 3, person out 4"}
	for _, k := range []struct {
		w, h  int
		whole bool
	}{{1280, 720, true}, {240, 180, true}, {96, 64, false}} {
		p := New(k.w, k.h)
		faces, err := p.faces()
		if err != nil {
			t.Fatal(err)
		}
		plates := p.captioned(lines, faces)
		for i, l := range plates {
			if l.plate.Max.X > k.w || (l.text == lines[i]) != k.whole || l.plate.Min.Y < l.face.height*i {
				t.Errorf("on %dx%d line %d is %q at %v", k.w, k.h, i, l.text, l.plate)
			}
		}
		m := Mark{Box: box.FromXYWH(2, 2, float32(k.w)-9, float32(k.h)-9), Label: "cat"}
		for _, l := range p.labels([]Mark{m}, plates, faces) {
			if l.plate.Overlaps(plates[0].plate) || l.plate.Overlaps(plates[1].plate) {
				t.Errorf("on %dx%d the label at %v covers a caption", k.w, k.h, l.plate)
			}
		}
		faces.release()
	}
}

func BenchmarkDraw(b *testing.B) {
	p := New(1280, 720)
	var marks []Mark
	for i := range 20 {
		x, y := float32(i%5*250), float32(i/5*170+30)
		m := Mark{Label: "person 0.98", Color: i}
		m.Box.X1, m.Box.Y1, m.Box.X2, m.Box.Y2 = x, y, x+200, y+120
		marks = append(marks, m)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Draw(p, marks); err != nil {
			b.Fatal(err)
		}
	}
}
