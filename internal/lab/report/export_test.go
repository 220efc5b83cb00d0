package report

import (
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/internal/file"
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

// Exported figures are whole XML without elements or control characters of a user's, and stay in their folder.
func TestExportEscaping(t *testing.T) {
	evil := "</text><script>x</script>\x00\x1b\xff ../../../x"
	p := Page{Sections: []Section{{Blocks: []Block{Figures{
		Plot{Title: evil, X: Axis{Name: evil}, Curves: []Curve{{Name: evil, X: []float64{0, 1}, Y: []float64{0, 1}}, {Name: "b"}}},
		Bars{Title: evil, Name: "n", Bars: []Bar{{Name: evil, Value: 1}}},
		Diagram{Title: evil, Width: 2, Height: 2, Boxes: []Box{{X: 1, Y: 1, Width: 1, Height: 1, Text: evil}}},
	}}}}}
	top := t.TempDir()
	dir := filepath.Join(top, "plots")
	if err := p.Export(dir); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.svg"))
	if all, _ := os.ReadDir(top); len(files) != 3 || len(all) != 1 {
		t.Fatalf("files %v of %v", files, all)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(f); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Errorf("%s has a script", path)
			}
		}
		f.Close()
	}
	one := Page{Sections: []Section{{Blocks: []Block{Figures{Bars{Title: "x"}}}}}}
	if err := os.Symlink("../stolen", filepath.Join(dir, "01-x.svg")); err != nil {
		t.Fatal(err)
	}
	if err := one.Export(dir); !errors.Is(err, file.ErrName) {
		t.Errorf("over a link: %v", err)
	}
}
