package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"retinago/internal/media/picture"
)

// Rows of a sheet are as high as their highest image, and every image is whole.
func TestSheet(t *testing.T) {
	s := sheet{cell: 64}
	sizes := [][2]int{{64, 20}, {64, 30}, {10, 10}, {64, 1}, {64, 64}}
	for i, v := range sizes {
		p := picture.New(v[0], v[1])
		for k := range p.Pix {
			p.Pix[k] = uint8(50 + i)
		}
		s.add(p)
	}
	p := s.picture()
	if p.W != 4*64+3*gap || p.H != 30+gap+64 {
		t.Fatalf("the sheet has %dx%d pixels", p.W, p.H)
	}
	for i, v := range sizes {
		x, y := i%columns*(64+gap), i/columns*(30+gap)
		for _, at := range [][2]int{{x, y}, {x + v[0] - 1, y + v[1] - 1}} {
			if r, _, _ := p.At(at[0], at[1]); r != uint8(50+i) {
				t.Errorf("picture %d has %d at %v", i, r, at)
			}
		}
	}
}

// -size is the longer side of each image; a broken image is left out, and without any other there is no sheet.
func TestDrawSizes(t *testing.T) {
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	data := write(t, at("a.json"), `{"images":[{"id":1,"file_name":"a.png","width":200,"height":100},{"id":2,"file_name":"b.png","width":200,"height":100}],
"categories":[{"id":1,"name":"dot"}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[100,50,4,4],"area":16,"iscrowd":0}]}`)
	if err := picture.New(200, 100).WritePNG(at("a.png")); err != nil {
		t.Fatal(err)
	}
	write(t, at("b.png"), "no picture")
	draw := func(size int) []string {
		return []string{"data", "draw", "-data", data, "-images", tmp, "-out", at("sheet.png"), "-overwrite", "-size", fmt.Sprint(size)}
	}
	fails := func(code int, args []string, texts ...string) {
		t.Helper()
		got, out := call(t, args...)
		if wants(t, out, texts...); got != code {
			t.Errorf("exit code %d, want %d:\n%s", got, code, out)
		}
	}
	for _, size := range []int{100, 800} {
		fails(exitPartial, draw(size), "1 image")
		p, err := picture.Decode(at("sheet.png"))
		if err != nil {
			t.Fatal(err)
		}
		if p.W != size || p.H != size/2 {
			t.Errorf("-size %d: the sheet has %dx%d pixels", size, p.W, p.H)
		}
	}
	fails(exitUsage, draw(8), "-size 8", "64")
	if err := os.Remove(at("a.png")); err != nil {
		t.Fatal(err)
	}
	write(t, at("a.png"), "no picture")
	fails(exitError, draw(100), "none of 2 images", "a.json")
}
