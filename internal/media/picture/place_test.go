package picture

import (
	"fmt"
	"image"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/box"
)

// crowd returns n marks of objects of the given sides in pixels, at random places.
func crowd(p *Picture, n int, least, most float32) []Mark {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	marks := make([]Mark, n)
	for i := range marks {
		w, h := least+rng.Float32()*(most-least), least+rng.Float32()*(most-least)
		marks[i] = Mark{Box: box.FromXYWH(rng.Float32()*(float32(p.W)-w), rng.Float32()*(float32(p.H)-h), w, h), Label: fmt.Sprintf("person 0.%02d", i%100), Color: i % 9}
	}
	return marks
}

func placed(t *testing.T, p *Picture, marks []Mark) []label {
	t.Helper()
	faces, err := p.faces()
	if err != nil {
		t.Fatal(err)
	}
	defer faces.release()
	return p.labels(marks, nil, faces)
}

// Labels are inside of the image and cover neither small objects nor each other, on images of all sizes.
func TestLabelsCoverNothing(t *testing.T) {
	for _, k := range []struct {
		w, h, n     int
		least, most float32
		labelled    int // at least
	}{
		{64, 64, 3, 6, 12, 1},
		{64, 48, 3, 2, 16, 1},
		{300, 200, 8, 8, 20, 5},
		{640, 480, 12, 100, 300, 12},
		{1024, 768, 30, 8, 8, 28},
		{1024, 768, 400, 8, 60, 60},
		{6000, 4000, 200, 8, 900, 130},
	} {
		t.Run(fmt.Sprintf("%dx%d", k.w, k.h), func(t *testing.T) {
			p := &Picture{W: k.w, H: k.h}
			marks := crowd(p, k.n, k.least, k.most)
			labels := placed(t, p, marks)
			if len(labels) < k.labelled {
				t.Errorf("%d of %d objects have labels, want %d", len(labels), k.n, k.labelled)
			}
			side := min(k.w, k.h) / 16 // no less than this is small, whatever else is
			for i, l := range labels {
				if !l.plate.In(p.bounds()) || l.plate.Empty() {
					t.Errorf("%q at %v is outside of the picture", l.text, l.plate)
				}
				for _, o := range labels[:i] {
					if o.plate.Overlaps(l.plate) {
						t.Errorf("%q at %v covers %q at %v", l.text, l.plate, o.text, o.plate)
					}
				}
				for _, m := range marks {
					if b := pixels(m.Box); b.Dx() <= side && b.Dy() <= side && b.Overlaps(l.plate) {
						t.Errorf("%q at %v covers a small object at %v", l.text, l.plate, b)
					}
				}
			}
		})
	}
}

// Where there is room for one label alone, it is that of the last mark, which is the best.
func TestLabelOfTheLast(t *testing.T) {
	p := &Picture{W: 64, H: 64}
	b := box.Box{X1: 2, Y1: 14, X2: 62, Y2: 50}
	var marks []Mark
	for i := range 30 {
		marks = append(marks, Mark{Box: b, Label: fmt.Sprintf("cat 0.%02d", i)})
	}
	labels := placed(t, p, marks)
	if len(labels) == 0 || len(labels) == len(marks) || labels[0].text != "cat 0.29" {
		t.Errorf("%v", labels)
	}
}

// A label's letters are smaller at a small object, and scale with the image.
func TestLabelSizes(t *testing.T) {
	size := func(side int, object float32) int {
		p := &Picture{W: side, H: side}
		labels := placed(t, p, []Mark{{Box: box.FromXYWH(float32(side)/2, float32(side)/2, object, object), Label: "cat 0.9"}})
		if len(labels) != 1 {
			t.Fatalf("%d labels", len(labels))
		}
		return labels[0].face.px
	}
	for _, k := range []struct {
		side   int
		object float32
		want   int
	}{{300, 100, 11}, {300, 8, 9}, {1024, 400, 26}, {1024, 8, 9}, {6000, 2000, 150}, {6000, 60, 53}} {
		if got := size(k.side, k.object); got != k.want {
			t.Errorf("an object of %v on %d pixels has letters of %d, want %d", k.object, k.side, got, k.want)
		}
	}
}

// The frame of a small object covers none of it, and leaves the image only where the object does.
func TestFrameOfSmall(t *testing.T) {
	p := New(1024, 1024)
	boxes := []box.Box{box.FromXYWH(500, 500, 8, 8), box.FromXYWH(700, 100, 30, 60)}
	for _, b := range boxes {
		if err := Draw(p, []Mark{{Box: b}}); err != nil {
			t.Fatal(err)
		}
		at := pixels(b)
		for y := at.Min.Y - 1; y <= at.Max.Y; y++ {
			for x := at.Min.X - 1; x <= at.Max.X; x++ {
				r, g, b := p.At(x, y)
				if in := image.Pt(x, y).In(at); in == ([3]uint8{r, g, b} != [3]uint8{}) {
					t.Fatalf("%v: pixel %d,%d is %d %d %d", at, x, y, r, g, b)
				}
			}
		}
	}
	for _, b := range []box.Box{{X2: 8, Y2: 8}, {X1: 1016, Y1: 1016, X2: 1024, Y2: 1024}} {
		p = New(1024, 1024)
		if r, _ := p.framed(pixels(b), p.line()); !r.In(p.bounds()) {
			t.Errorf("the frame of %v is at %v", b, r)
		}
	}
	if r, _ := p.framed(image.Rect(-4, 10, 4, 18), 5); r.Min.X != -4 {
		t.Errorf("the frame of an object that leaves the picture is at %v", r)
	}
}

func TestLineScales(t *testing.T) {
	for side, want := range map[int]int{64: 1, 300: 1, 1024: 5, 6000: 27} {
		if got := (&Picture{W: side, H: side}).line(); got != want {
			t.Errorf("lines on %d pixels are %d wide, want %d", side, got, want)
		}
	}
}

func TestShortened(t *testing.T) {
	f, err := newFace(15)
	if err != nil {
		t.Fatal(err)
	}
	defer f.release()
	const long = "a class with a very long name 0.97 #12"
	for _, k := range []struct{ text, begin, end string }{
		{long, "a class", "\u2026 0.97 #12"},
		{"class 3", "class 3", ""},
		{strings.Repeat("\u4e2d", 50) + " 0.5", "\u4e2d", "\u2026 0.5"},
	} {
		got := f.shortened(k.text, 160)
		if !strings.HasPrefix(got, k.begin) || !strings.HasSuffix(got, k.end) || f.width(got) > 160 {
			t.Errorf("%q becomes %q, %d pixels wide", k.text, got, f.width(got))
		}
	}
	if got := f.shortened(long, f.width("0.97 #12")); got != "0.97 #12" {
		t.Errorf("where there is room for numbers alone: %q", got)
	}
	if got := f.shortened(long, 5); got != "" {
		t.Errorf("on 5 pixels: %q", got)
	}
}
