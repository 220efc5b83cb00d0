package picture

import (
	"math"
	"testing"
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

func TestPath(t *testing.T) {
	p := New(100, 60)
	Path(p, [][2]float64{{10, 20}, {60, 20}, {60, 50}}, 1)
	c := colour(1)
	for _, at := range [][2]int{{10, 20}, {35, 20}, {60, 20}, {60, 50}} {
		if r, g, b := p.At(at[0], at[1]); [3]uint8{r, g, b} != c {
			t.Errorf("no line at %v", at)
		}
	}
	if n := painted(p); n != 51+30 {
		t.Errorf("%d pixels are painted, want 81", n)
	}
	// Points far outside take no time and paint what crosses the picture.
	p = New(100, 60)
	Path(p, [][2]float64{{-1e9, 30}, {1e9, 30}, {1e9, 1e9}, {-5, 1e12}}, 1)
	if n := painted(p); n != 100 {
		t.Errorf("%d pixels are painted, want 100", n)
	}
	for _, path := range [][][2]float64{nil, {{5, 5}}, {{-9, -9}, {-9, 99}}, {{200, 0}, {200, 60}}} {
		p = New(100, 60)
		if Path(p, path, 1); painted(p) != 0 {
			t.Errorf("%v paints", path)
		}
	}
	if Path(p, [][2]float64{{5, 5}, {5, 5}}, 1); painted(p) != 1 {
		t.Error("a point is no pixel")
	}
}

func TestClipped(t *testing.T) {
	from, to, ok := clipped([2]float64{-10, 5}, [2]float64{30, 25}, 20, 20, 0)
	if !ok || math.Abs(from[1]-10) > 1e-9 || from[0] != 0 || math.Abs(to[0]-20) > 1e-9 || math.Abs(to[1]-20) > 1e-9 {
		t.Errorf("from %v to %v, %v", from, to, ok)
	}
	if _, _, ok := clipped([2]float64{-10, 15}, [2]float64{10, 35}, 20, 20, 0); ok {
		t.Error("a line past the corner")
	}
}

func TestCaption(t *testing.T) {
	p := New(200, 100)
	for i := range p.Pix {
		p.Pix[i] = 99
	}
	if err := Caption(p, []string{"line: 3 right", "zone: 1 in \u00fc\u4e2d"}); err != nil {
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
	if err := Caption(New(1, 1), []string{"longer than the picture"}); err != nil {
		t.Error(err)
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
