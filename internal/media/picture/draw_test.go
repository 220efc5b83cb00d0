package picture

import (
	"os"
	"path/filepath"
	"testing"

	"retinago/box"
)

// The frame lies just inside of its box, the label's plate above it, nothing else changes.
func TestDraw(t *testing.T) {
	p := New(200, 150)
	b := box.Box{X1: 40, Y1: 60, X2: 160, Y2: 120}
	if err := Draw(p, []Mark{{Box: b, Label: "cat 0.98", Color: 2}}); err != nil {
		t.Fatal(err)
	}
	c := Color(2)
	is := func(x, y int) bool { r, g, b := p.At(x, y); return [3]uint8{r, g, b} == c }
	for _, at := range [][2]int{{40, 60}, {159, 60}, {40, 119}, {159, 119}, {100, 60}, {100, 119}, {40, 90}, {159, 90}} {
		if !is(at[0], at[1]) {
			t.Errorf("no frame at %v", at)
		}
	}
	for _, at := range [][2]int{{39, 90}, {160, 90}, {100, 120}, {100, 90}, {10, 10}} {
		if r, g, b := p.At(at[0], at[1]); r|g|b != 0 {
			t.Errorf("paint at %v", at)
		}
	}
	plate, ink := 0, 0
	for y := 40; y < 60; y++ {
		for x := 40; x < 120; x++ {
			if is(x, y) {
				plate++
			} else if r, g, b := p.At(x, y); r|g|b != 0 {
				ink++ // letters, and their blends with the plate
			}
		}
	}
	if plate < 200 || ink < 40 {
		t.Errorf("a label of %d pixels of plate and %d of ink", plate, ink)
	}
}

// Boxes at and beyond the border, without area, and labels longer than the image.
func TestDrawAnywhere(t *testing.T) {
	for _, b := range []box.Box{{X1: -50, Y1: -50, X2: 500, Y2: 500}, {X1: 90, Y1: 70, X2: 90, Y2: 70}, {X1: 1e6, Y1: 1e6, X2: 2e6, Y2: 2e6}, {X1: 0, Y1: 0, X2: 3, Y2: 2}} {
		for _, s := range [][2]int{{100, 80}, {1, 1}, {7, 300}} {
			if err := Draw(New(s[0], s[1]), []Mark{{Box: b, Label: "a label that is much longer than the image is wide 0.51", Color: 90}, {Box: b}}); err != nil {
				t.Errorf("%v on %v: %v", b, s, err)
			}
		}
	}
}

// Labels of neighbours do not cover each other while there is room.
func TestDrawApart(t *testing.T) {
	p := New(640, 480)
	faces, err := p.faces()
	if err != nil {
		t.Fatal(err)
	}
	defer faces.release()
	marks := []Mark{
		{Box: box.Box{X1: 100, Y1: 100, X2: 200, Y2: 200}, Label: "person 0.98"},
		{Box: box.Box{X1: 110, Y1: 104, X2: 210, Y2: 204}, Label: "person 0.91"},
	}
	a, b := p.labels(marks[:1], nil, faces), p.labels(marks[1:], nil, faces)
	if len(a) != 1 || len(b) != 1 || !a[0].plate.Overlaps(b[0].plate) {
		t.Fatal("these labels would not have met")
	}
	if both := p.labels(marks, nil, faces); len(both) != 2 || both[0].plate.Overlaps(both[1].plate) {
		t.Errorf("labels cover each other: %v", both)
	}
}

func TestWrite(t *testing.T) {
	p := gradient(30, 20)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := p.WritePNG(path); err != nil {
		t.Fatal(err)
	}
	q, err := Decode(path)
	if err != nil || farthest(p, q) > 0 {
		t.Errorf("PNG: %v", err)
	}
	path = filepath.Join(dir, "a.jpg")
	if err := p.WriteJPEG(path, 95); err != nil {
		t.Fatal(err)
	}
	if q, err = Decode(path); err != nil || farthest(p, q) > 14 {
		t.Errorf("JPEG: %v, off by %d", err, farthest(p, q))
	}
	if err := p.WriteJPEG(filepath.Join(dir, "absent", "a.jpg"), 95); err == nil {
		t.Error("a folder that is not there took a picture")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files left, %v", len(left), err)
	}
}

func TestScaledAndPaste(t *testing.T) {
	p := gradient(60, 40)
	if d := farthest(p.Scaled(60, 40), p); d > 0 {
		t.Errorf("scaled to its own size, a pixel is off by %d", d)
	}
	q := New(50, 50)
	for _, at := range [][2]int{{-20, -10}, {30, 30}, {60, 0}, {0, -40}} {
		q.Paste(p, at[0], at[1])
	}
	for _, k := range [][4]int{{0, 0, 20, 10}, {39, 29, 9, -1}, {49, 49, 19, 19}} {
		want := [3]uint8{}
		if k[3] >= 0 {
			want[0], want[1], want[2] = p.At(k[2], k[3])
		} else {
			want[0], want[1], want[2] = p.At(59, 39)
		}
		if r, g, b := q.At(k[0], k[1]); [3]uint8{r, g, b} != want {
			t.Errorf("pixel %d,%d is %d %d %d, want %v", k[0], k[1], r, g, b, want)
		}
	}
}
