package infer

import (
	"math"
	"slices"
	"strings"
	"testing"

	"retinago/box"
	"retinago/detector"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/tile"
)

func TestParts(t *testing.T) {
	l := plan{tile: 100, overlap: .2}
	if got := l.parts(data.Size{W: 100, H: 100}); !slices.Equal(got, []tile.Part{{X: 0, Y: 0, W: 100, H: 100}}) {
		t.Errorf("a picture of a tile: %v", got)
	}
	if got := l.parts(data.Size{W: 180, H: 50}); !slices.Equal(got, []tile.Part{{X: 0, Y: 0, W: 180, H: 50}, {X: 0, Y: 0, W: 100, H: 50}, {X: 80, Y: 0, W: 100, H: 50}}) {
		t.Errorf("a flat picture: %v", got)
	}
}

// A box found in any view is where it is in the image.
func TestPlace(t *testing.T) {
	in := &Input{placed: placed{data.Size{W: 50, H: 20}, data.Size{W: 100, H: 40}, view{x: 300, y: 200}}}
	if got, want := in.place(box.Box{X1: 5, Y1: 2, X2: 15, Y2: 7}), (box.Box{X1: 310, Y1: 204, X2: 330, Y2: 214}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	in.view.flip = true
	if got, want := in.place(box.Box{X1: 5, Y1: 2, X2: 15, Y2: 7}), (box.Box{X1: 370, Y1: 204, X2: 390, Y2: 214}); got != want {
		t.Errorf("mirrored %v, want %v", got, want)
	}
}

// What a tile's border cuts is left to the next tile, unless it is larger than what they share.
func TestCut(t *testing.T) {
	l := plan{tile: 100, overlap: .2}
	in := &Input{placed: placed{size: data.Size{W: 100, H: 100}, view: view{x: 80, tile: true}}}
	size := data.Size{W: 260, H: 100}
	for _, k := range []struct {
		b    box.Box
		want bool
	}{
		{box.Box{X1: 100, Y1: 10, X2: 130, Y2: 40}, false}, // inside
		{box.Box{X1: 80, Y1: 10, X2: 95, Y2: 40}, true},    // at its left
		{box.Box{X1: 165, Y1: 10, X2: 179.5, Y2: 40}, true},
		{box.Box{X1: 80, Y1: 10, X2: 105, Y2: 40}, false}, // 25 of 20 shared pixels
		{box.Box{X1: 100, Y1: 0, X2: 110, Y2: 10}, false}, // at the image's border
	} {
		if got := l.cut(in, size, k.b); got != k.want {
			t.Errorf("%v: %v", k.b, got)
		}
	}
}

// Two looks at one object become one: the average, or the better.
func TestMerge(t *testing.T) {
	categories := []detector.Category{{ID: 1, Name: "cat"}, {ID: 2, Name: "dog"}}
	a, b := box.Box{X1: 0, Y1: 0, X2: 10, Y2: 10}, box.Box{X1: 1, Y1: 0, X2: 11, Y2: 10}
	far := box.Box{X1: 50, Y1: 50, X2: 60, Y2: 60}
	in := &inputs{request: request{decode: detector.Decoding{Score: .3, NMS: .5, MaxDets: 2}}, all: []*Input{{}, {placed: placed{view: view{flip: true}}}}}
	found := [][]Detection{{{Box: a, Score: .9}, {Box: far, Class: 1, Score: .5}}, {{Box: b, Score: .6}}}

	in.plan = plan{flip: true, fuse: true}
	got := in.merge(found, categories)
	// (.9*0 + .6*1)/1.5 = .4; the mean score is .75. What one look of two saw has half of its score, .25, and goes.
	if len(got) != 1 || math.Abs(float64(got[0].Box.X1)-.4) > 1e-6 || math.Abs(float64(got[0].Score)-.75) > 1e-6 || got[0].Category.Name != "cat" {
		t.Errorf("fused %+v", got)
	}
	in.plan.fuse = false
	got = in.merge(found, categories)
	if len(got) != 2 || got[0].Box != a || got[0].Score != .9 || got[1].Box != far || got[1].Category.Name != "dog" {
		t.Errorf("the best %+v", got)
	}
	in.decode.MaxDets = 1
	if got = in.merge(found, categories); len(got) != 1 {
		t.Errorf("%d detections, at most 1 is wanted", len(got))
	}
}

// Mirrored images give mirrored detections, so that looking at both sides of one is looking at both sides of the other.
func TestFlip(t *testing.T) {
	o := low()
	o.Choice = Choice{Flip: true}
	p := load(t, o)
	pic := noise(96, 96)
	for y := range 96 {
		for x := range 48 {
			pic.Set(x, y, uint8(5*y), uint8(x*y), 9)
		}
	}
	mirror := picture.New(96, 96)
	for y := range 96 {
		for x := range 96 {
			r, g, b := pic.At(95-x, y)
			mirror.Set(x, y, r, g, b)
		}
	}
	a, err := p.Predict(t.Context(), pic)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Predict(t.Context(), mirror)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d detections, mirrored %d", len(a), len(b))
	}
	for i := range 5 {
		if math.Abs(float64(a[i].Score-b[i].Score)) > 1e-3 || math.Abs(float64(a[i].Box.X1-b[i].Box.FlipX(96).X1)) > .5 {
			t.Errorf("detection %d: %+v, mirrored %+v", i, a[i], b[i])
		}
	}
}

// Tiles, scales and flips give detections on the image, by Predict and in batches alike.
func TestViews(t *testing.T) {
	o := low()
	o.Choice = Choice{Flip: true, Scales: []float64{1, 1.5}, Tile: 100, Overlap: .2, Merge: "nms"}
	p := load(t, o)
	pic := noise(250, 120)
	in, err := p.views(p.common, pic, data.Size{W: 250, H: 120}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(in.all); n != 4*(1+3*2) {
		t.Errorf("%d looks", n)
	}
	in.release()
	found, err := p.Predict(t.Context(), pic)
	if err != nil || len(found) == 0 {
		t.Fatal(len(found), err)
	}
	for _, d := range found {
		if d.Box.X1 < -.01 || d.Box.Y1 < -.01 || d.Box.X2 > 250.1 || d.Box.Y2 > 120.1 {
			t.Errorf("%v is not on the picture", d.Box)
		}
	}
	if _, err := p.views(p.common, pic, data.Size{W: 500, H: 240}, 1); err == nil {
		t.Error("a smaller copy of the picture")
	}
}

func TestChoice(t *testing.T) {
	o := low()
	all, err := load(t, o).Predict(t.Context(), noise(96, 90))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, d := range all {
		count[d.Category.Name]++
	}
	if len(count) < 2 {
		t.Fatalf("classes %v", count)
	}
	name := all[0].Category.Name
	o.Choice = Choice{Classes: []string{name}}
	found, err := load(t, o).Predict(t.Context(), noise(96, 90))
	if err != nil || len(found) < count[name] {
		t.Errorf("%d of %s, without the others %d (%v)", count[name], name, len(found), err)
	}
	for _, d := range found {
		if d.Category.Name != name {
			t.Errorf("a %s", d.Category.Name)
		}
	}
	o.Choice = Choice{Scores: map[string]float64{name: .999}}
	found, err = load(t, o).Predict(t.Context(), noise(96, 90))
	if err != nil || len(found) == 0 || slices.ContainsFunc(found, func(d Detection) bool { return d.Category.Name == name }) {
		t.Errorf("%d detections at a score that %s does not reach (%v)", len(found), name, err)
	}
	path, err := save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		c    Choice
		want string
	}{
		{Choice{Classes: []string{"cow"}}, "triangle"},
		{Choice{Scores: map[string]float64{"cow": .5}}, "cow"},
		{Choice{Scores: map[string]float64{"star": 1.5}}, "star"},
		{Choice{Classes: []string{"circle"}, Scores: map[string]float64{"star": .5}}, "not among"},
		{Choice{Scales: []float64{1, 99}}, "99"},
		{Choice{Merge: "mean"}, "fuse, nms"},
		{Choice{Tile: 3}, "3 pixels"},
		{Choice{Tile: 100, Overlap: 1}, "overlap"},
	} {
		if _, err := Load(path, Options{Choice: k.c}); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: %v", k.c, err)
		}
	}
}
