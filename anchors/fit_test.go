package anchors

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/box"
)

// The finder looks at one cell per level; all cells must give the same.
func TestBestIsTheGrids(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for _, torchvisions := range []bool{false, true} {
		c := Default()
		c.IntegerSizes, c.CanvasStrides = torchvisions, torchvisions
		const w, h = 300, 200
		var hw [][2]int
		for _, s := range c.Strides {
			hw = append(hw, [2]int{(h + s - 1) / s, (w + s - 1) / s})
		}
		grid, f := c.Grid(h, w, hw), c.finder()
		for i := range 300 {
			b := box.FromXYWH(-20+float32(w)*r.Float32(), -20+float32(h)*r.Float32(), 200*r.Float32(), 200*r.Float32())
			if i%5 == 0 { // in the middle between cells
				b = box.FromXYWH(float32(r.IntN(30)*4), float32(r.IntN(20)*4), 24, 40)
			}
			var want float32
			for _, a := range grid {
				want = max(want, a.IoU(b))
			}
			if got := f.best(b, w, h); math.Abs(float64(got-want)) > 1e-5 {
				t.Fatalf("%v: %v, want %v", b, got, want)
			}
		}
	}
}

func TestCover(t *testing.T) {
	t.Parallel()
	c := Config{Strides: []int{8}, Sizes: []float64{32}, Scales: []float64{1}, Ratios: []float64{1}}
	p := []Picture{{W: 640, H: 640, Boxes: []box.Box{
		square(48-16, 48-16, 32),                              // an anchor's place: 1
		square(48-8, 48-8, 16),                                // 256/1024 = .25
		{X1: 48 - 16, Y1: 48 - 16, X2: 48 + 16, Y2: 48 - 1.6}, // height 14.4: its centre is at 39.2, nearest cell 40 (24 to 56): all inside, .45
		{X1: 5, X2: 5, Y2: 9},                                 // no area
	}, Classes: []int32{2, 0, 2, 1}}, {W: 640, H: 640, Scale: .25, Boxes: []box.Box{square(48-16, 48-16, 32)}, Classes: []int32{0}}, {W: 64, H: 64}}
	got := c.Cover(p)
	check := func(name string, r Recall, n int, mean, at40, at50 float64) {
		t.Helper()
		if r.Objects != n || math.Abs(r.Mean-mean) > 1e-6 || math.Abs(r.At40-at40) > 1e-6 || math.Abs(r.At50-at50) > 1e-6 {
			t.Errorf("%s: %+v, want %d objects, %v, %v, %v", name, r, n, mean, at40, at50)
		}
	}
	check("all", got.All, 4, (1+.25+.45+1)/4, .75, .5)
	// 32x32 is the first medium area; at a scale of .25 it was 128x128, large.
	check("small", got.Sizes[0], 2, .35, .5, 0)
	check("medium", got.Sizes[1], 1, 1, 1, 1)
	check("large", got.Sizes[2], 1, 1, 1, 1)
	check("class 0", got.Classes[0], 2, .625, .5, .5)
	check("class 2", got.Classes[2], 2, .725, 1, .5)
	if len(got.Classes) != 3 || got.Classes[1].Objects != 0 {
		t.Errorf("classes %+v", got.Classes)
	}
	for _, w := range []string{"all                         4     0.675     0.750     0.500\n", "cat ", "class 1                     0         -"} {
		if text := got.Table([]string{"cat"}); !strings.Contains(text, w) {
			t.Errorf("lacks %q:\n%s", w, text)
		}
	}
}

// Tall objects, that the paper's anchors miss.
func tall(r *rand.Rand, n int) []Picture {
	var out []Picture
	for range n {
		p := Picture{W: 256, H: 256}
		for range 4 {
			w := 12 + 6*r.Float32()
			p.Boxes = append(p.Boxes, box.FromXYWH(200*r.Float32(), 120*r.Float32(), w, w*(6+r.Float32())))
		}
		out = append(out, p)
	}
	return out
}

func TestFit(t *testing.T) {
	t.Parallel()
	pictures := tall(rand.New(rand.NewPCG(7, 8)), 50)
	c := Default()
	before := c.Cover(pictures)
	fitted, err := c.Fit(pictures)
	if err != nil {
		t.Fatal(err)
	}
	after := fitted.Cover(pictures)
	if before.All.At50 > .2 || after.All.At50 < .9 || after.All.Mean < before.All.Mean+.2 {
		t.Errorf("before %+v, after %+v with %+v", before.All, after.All, fitted)
	}
	if fitted.PerCell() != c.PerCell() || len(fitted.Sizes) != len(c.Sizes) || c.Sizes[0] != 32 || c.Ratios[0] != .5 {
		t.Errorf("fitted %+v from %+v", fitted, c)
	}
	again, err := c.Fit(pictures)
	if err != nil || again.Cover(pictures).All != after.All {
		t.Errorf("a second fit differs: %+v, %v", again, err)
	}
}

// Anchors that are right already stay.
func TestFitIsNeverWorse(t *testing.T) {
	t.Parallel()
	c := Default()
	p := []Picture{{W: 512, H: 512}}
	p[0].Boxes = append(p[0].Boxes, c.Grid(32, 32, [][2]int{{4, 4}, {2, 2}, {1, 1}, {1, 1}, {1, 1}})...)
	fitted, err := c.Fit(p)
	if got, want := fitted.Cover(p).All.Mean, c.Cover(p).All.Mean; err != nil || got < want {
		t.Errorf("%v, was %v, %v", got, want, err)
	}
}

func TestFitNeedsObjects(t *testing.T) {
	t.Parallel()
	for _, p := range [][]Picture{nil, {{W: 9, H: 9}}, {{W: 9, H: 9, Boxes: []box.Box{{}}}}} {
		if _, err := Default().Fit(p); err == nil {
			t.Errorf("fitted to %v", p)
		}
	}
}

func TestSampleIsBounded(t *testing.T) {
	t.Parallel()
	p := tall(rand.New(rand.NewPCG(1, 1)), fitObjects) // four times as many objects
	n := 0
	for _, q := range sample(p) {
		n += len(q.Boxes)
	}
	if n != fitObjects {
		t.Errorf("%d objects, want %d", n, fitObjects)
	}
}
