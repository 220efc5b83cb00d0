package report

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	p := Page{Sections: []Section{{Blocks: []Block{Text("t"), Figures{
		Plot{Title: "AP: two/runs", Curves: []Curve{{Name: "a", X: []float64{0, 1}, Y: []float64{0, 1}}, {Name: "b"}}},
		Bars{Title: "", Bars: []Bar{{Name: "x", Value: 1}}},
	}}}}}
	dir := filepath.Join(t.TempDir(), "plots")
	if err := p.Export(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "01-ap-two-runs.svg"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(text), "<svg", ">AP: two/runs<", ">a<", ">b<", hex(series[1].light))
	for _, name := range []string{"01-ap-two-runs.png", "02-.png"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		im, err := png.Decode(f)
		f.Close()
		if err != nil || im.Bounds().Dx() < 600 {
			t.Fatalf("%s: %v", name, err)
		}
		if r, g, b, a := im.At(2, 2).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff || a != 0xffff {
			t.Errorf("%s: the corner is not white", name)
		}
	}
	bad := Page{Sections: []Section{{Blocks: []Block{Figures{Plot{Curves: []Curve{{X: []float64{1}}}}}}}}}
	if err := bad.Export(dir); err == nil || !strings.Contains(err.Error(), "1 x and 0 y") {
		t.Errorf("a wrong curve: %v", err)
	}
}
