package tiles

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	"retinago/internal/tile"
)

// dataset has images of the given sizes, and objects as {image, x, y, w, h}, all of one class.
func dataset(sizes [][2]int, objects ...[5]float64) *coco.Dataset {
	d := &coco.Dataset{Path: "d.json", Categories: []coco.Category{{ID: 7, Name: "ship"}}}
	for i, s := range sizes {
		d.Images = append(d.Images, coco.Image{ID: int64(i + 10), FileName: fmt.Sprintf("%d.png", i), Width: s[0], Height: s[1]})
	}
	for i, o := range objects {
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 5), ImageID: int64(o[0]) + 10, CategoryID: 7, BBox: [4]float64{o[1], o[2], o[3], o[4]}, Area: o[3] * o[4] / 2})
	}
	return d
}

// An image of 180 x 100 pixels has tiles of 100 at 0 and 80, which share 20 pixels.
func TestCutObjects(t *testing.T) {
	wide := [][2]int{{180, 100}}
	o := Options{Grid: tile.Grid{Side: 100, Overlap: .2}, Keep: .25, Empty: 1}
	type object struct {
		box   [4]float64
		area  float64
		crowd bool
	}
	for name, k := range map[string]struct {
		x, y, w, h  float64
		crowd       bool
		left, right []object
		lost        int
	}{
		"in one tile":              {x: 10, y: 20, w: 30, h: 40, left: []object{{[4]float64{10, 20, 30, 40}, 600, false}}},
		"in both":                  {x: 82, y: 20, w: 10, h: 10, left: []object{{[4]float64{82, 20, 10, 10}, 50, false}}, right: []object{{[4]float64{2, 20, 10, 10}, 50, false}}},
		"half in the left":         {x: 90, y: 0, w: 20, h: 10, left: []object{{[4]float64{90, 0, 10, 10}, 50, false}}, right: []object{{[4]float64{10, 0, 20, 10}, 100, false}}},
		"a quarter in the left":    {x: 90, y: 0, w: 40, h: 10, left: []object{{[4]float64{90, 0, 10, 10}, 50, false}}, right: []object{{[4]float64{10, 0, 40, 10}, 200, false}}},
		"a fifth in the left":      {x: 90, y: 0, w: 50, h: 10, left: []object{{[4]float64{90, 0, 10, 10}, 50, true}}, right: []object{{[4]float64{10, 0, 50, 10}, 250, false}}},
		"half a pixel in the left": {x: 99.5, y: 0, w: 1, h: 10, right: []object{{[4]float64{19.5, 0, 1, 10}, 5, false}}},
		"thinner than a pixel":     {x: 10, y: 0, w: .5, h: 10, left: []object{{[4]float64{10, 0, .5, 10}, 2.5, false}}},
		"beyond the image":         {x: -10, y: -10, w: 20, h: 20, left: []object{{[4]float64{0, 0, 10, 10}, 200, false}}},
		"outside":                  {x: 200, y: 0, w: 20, h: 20, lost: 1},
		"a crowd over all": {x: 0, y: 0, w: 180, h: 100, crowd: true, left: []object{{[4]float64{0, 0, 100, 100}, 5000, true}},
			right: []object{{[4]float64{0, 0, 100, 100}, 5000, true}}},
	} {
		d := dataset(wide, [5]float64{0, k.x, k.y, k.w, k.h})
		d.Annotations[0].IsCrowd = k.crowd
		c, err := Cut(d, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Tiles) != 2 || c.Tiles[1].Part != (tile.Part{X: 80, W: 100, H: 100}) || c.Lost != k.lost {
			t.Fatalf("%s: %+v", name, c)
		}
		for i, want := range [][]object{k.left, k.right} {
			var got []object
			for _, a := range c.Tiles[i].Objects {
				got = append(got, object{a.BBox, a.Area, a.IsCrowd})
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, tile %d: %v, want %v", name, i, got, want)
			}
		}
	}
}

// An object larger than every tile is learned in none, and counted.
func TestCutLarge(t *testing.T) {
	c, err := Cut(dataset([][2]int{{400, 400}}, [5]float64{0, 0, 0, 400, 400}), Options{Grid: tile.Grid{Side: 100}, Keep: .25, Empty: 1})
	if err != nil || c.Lost != 1 || len(c.Tiles) != 16 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A share of the tiles without objects stays, the same with the same seed. Tiles with objects stay.
func TestEmpty(t *testing.T) {
	d := dataset([][2]int{{1000, 1000}, {50, 50}}, [5]float64{0, 10, 10, 20, 20})
	of := func(share float64, seed uint64) (at []tile.Part, left int) {
		c, err := Cut(d, Options{Grid: tile.Grid{Side: 100}, Keep: .25, Empty: share, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range c.Tiles {
			at = append(at, v.Part)
		}
		return at, c.Left
	}
	for share, want := range map[float64]int{0: 0, .1: 10, .5: 50, 1: 100} {
		at, left := of(share, 1)
		if len(at) != 1+want || left != 100-want || at[0] != (tile.Part{W: 100, H: 100}) {
			t.Errorf("a share of %g of 100 empty tiles: %d tiles, %d left out", share, len(at), left)
		}
	}
	a, _ := of(.1, 1)
	again, _ := of(.1, 1)
	other, _ := of(.1, 2)
	if !slices.Equal(a, again) || slices.Equal(a, other) {
		t.Error("the seed does not determine which tiles stay")
	}
}

func TestCheck(t *testing.T) {
	for _, o := range []Options{
		{Grid: tile.Grid{Side: 31}}, {Grid: tile.Grid{Side: 100, Overlap: 1}}, {Grid: tile.Grid{Side: 100}, Keep: 1.1}, {Grid: tile.Grid{Side: 100}, Empty: -1},
	} {
		if _, err := Cut(dataset([][2]int{{50, 50}}), o); err == nil || !strings.Contains(err.Error(), "give") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// pixels is an image whose pixels have their position as colour.
func pixels(w, h int) *picture.Picture {
	p := picture.New(w, h)
	for y := range h {
		for x := range w {
			p.Set(x, y, uint8(x), uint8(y), uint8(x>>8))
		}
	}
	return p
}

// Tiles of PNGs have the pixels of their image, tiles of JPEGs are JPEGs, small images are copied, and names never meet.
func TestPictures(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	for _, dir := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(in, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("n", 250) + ".png"
	files := []string{"a/x.png", "b/x.png", "a/y.jpg", "a/x_0_0.png", "b/X.bmp.PNG", "a/broken.png", "a/other.png", "a/" + long}
	sizes := [][2]int{{180, 100}, {180, 100}, {180, 100}, {60, 50}, {180, 100}, {180, 100}, {190, 100}, {180, 100}}
	for i, name := range files {
		path, err := filepath.Join(in, name), error(nil)
		switch p := pixels(sizes[i][0], sizes[i][1]); {
		case strings.Contains(name, "broken"):
			err = os.WriteFile(path, []byte("broken"), 0o644)
		case strings.HasSuffix(name, ".jpg"):
			err = p.WriteJPEG(path, 90)
		default:
			err = p.WritePNG(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sizes[6][0] = 180 // the dataset is wrong
	d := dataset(sizes)
	c, err := Cut(d, Options{Grid: tile.Grid{Side: 100, Overlap: .2}, Empty: 1})
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	p := Pictures{To: register.New(register.Options{}).Folder("-out", out), Part: "train", File: func(i int) string { return filepath.Join(in, files[i]) }, Report: func(n, total int) { done = n }}
	if err := p.Name(c.Tiles); err != nil {
		t.Fatal(err)
	}
	size := func(i int) (int, int) { return sizes[i][0], sizes[i][1] }
	broken, err := p.Write(t.Context(), c.Tiles, size)
	if err != nil {
		t.Fatal(err)
	}
	if len(broken) != 2 || broken[5] == nil || broken[6] == nil || !strings.Contains(broken[6].Error(), "190x100") || done != len(files) {
		t.Errorf("broken: %v; %d images are done", broken, done)
	}
	written := c.Dataset(d, broken)
	var names []string
	for k, im := range written.Images {
		if im.ID != int64(k+1) {
			t.Errorf("tile %d has the id %d", k, im.ID)
		}
		names = append(names, im.FileName)
	}
	want := []string{"x_0_0.png", "x_80_0.png", "x_0_0_2.png", "x_80_0_2.png", "y_0_0.jpg", "y_80_0.jpg", "x_0_0_3.png", "X.bmp_0_0.png", "X.bmp_80_0.png"}
	if len(names) != len(want)+2 || !slices.Equal(names[:len(want)], want) {
		t.Errorf("names %q, want %q and two more", names, want)
	}
	for k, im := range written.Images {
		v, err := picture.Decode(filepath.Join(out, "train", im.FileName))
		if err != nil {
			t.Fatal(err)
		}
		if v.W != im.Width || v.H != im.Height {
			t.Errorf("%s has %dx%d pixels", im.FileName, v.W, v.H)
		}
		x := 0
		if strings.Contains(im.FileName, "_80_0") || k == len(names)-1 {
			x = 80
		}
		if r, g, _ := v.At(3, 4); filepath.Ext(im.FileName) == ".png" && (int(r) != x+3 || g != 4) {
			t.Errorf("%s has %d,%d at 3,4", im.FileName, r, g)
		}
	}
	copied, err := os.ReadFile(filepath.Join(out, "train", "x_0_0_3.png"))
	source, _ := os.ReadFile(filepath.Join(in, "a", "x_0_0.png"))
	if err != nil || !slices.Equal(copied, source) {
		t.Errorf("a small image is not copied as it is: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Write(ctx, c.Tiles, size); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// A file of another origin is not replaced.
	if err := os.WriteFile(filepath.Join(out, "train", "y_0_0.jpg"), []byte("of the user"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.To = register.New(register.Options{}).Folder("-out", out)
	if err := p.Name(c.Tiles); !errors.Is(err, register.ErrTaken) {
		t.Errorf("a file of the user: %v", err)
	}
}
