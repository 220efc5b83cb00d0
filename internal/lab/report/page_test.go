package report

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func ExamplePage() {
	p := Page{Title: "Two runs", Sections: []Section{{Title: "AP", Blocks: []Block{
		Table{Columns: []Column{{Name: "run"}, {Name: "AP"}}, Rows: [][]Cell{{Word("a <first> one"), Number(.25)}}},
		Figures{Bars{Title: "AP of three seeds", Bars: []Bar{{Name: "a", Value: .25, Low: .2, High: .3}}}},
	}}}}
	html, err := p.HTML()
	fmt.Println(strings.Contains(html, "a &lt;first&gt; one"), strings.Contains(html, "<svg"), err)
	// Output: true true <nil>
}

func render(t *testing.T, b Block) string {
	t.Helper()
	s, err := b.html()
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

func TestSave(t *testing.T) {
	p := Page{Title: "T", Lead: "L", Sections: []Section{{Title: "one", Words: "w", Blocks: []Block{Text("<b>"), List{"x&y"}, Tiles{{"AP", ".5", "all"}}}}}}
	path := filepath.Join(t.TempDir(), "r.html")
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(b), "<!DOCTYPE html>", "<title>T</title>", `<a href="#part1">one</a>`, "&lt;b&gt;", "x&amp;y", "prefers-color-scheme: dark", "@media print")
	if err := p.Save(filepath.Join(t.TempDir(), "absent", "r.html")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

func TestTable(t *testing.T) {
	s := render(t, Table{Caption: "c", Sortable: true, Columns: []Column{{Name: "n", Meaning: `"m"`}, {Name: "v", Upright: true}},
		Rows: [][]Cell{{Word("a"), Number(.5)}, {Word("b"), Number(-1)}, {Word("c"), Heat(3, .5, true)}, {Word("d"), Heat(0, 0, false)}}})
	wants(t, s, `class="sortable"`, `title="&#34;m&#34;"`, `class="upright"`, `data-key="0.5">0.500<`, `data-key="-1">–<`,
		`class="right" style="--heat:0.33" data-key="3">3<`, ">·<")
	wrong := Page{Sections: []Section{{Blocks: []Block{Table{Caption: "c", Columns: []Column{{Name: "n"}}, Rows: [][]Cell{{}}}}}}}
	if _, err := wrong.HTML(); err == nil || !strings.Contains(err.Error(), "row 0 has 0 cells for 1 columns") {
		t.Errorf("a short row: %v", err)
	}
}

var path = regexp.MustCompile(`<path d="([^"]*)"[^>]*stroke:(#[0-9A-F]{6})`)

func TestPlot(t *testing.T) {
	s := render(t, Figures{Plot{Title: "<t>", Words: "w", X: Axis{Name: "steps"}, Y: Axis{"loss", 0, 1},
		Curves: []Curve{{Name: "<a>", X: []float64{0, 1, 2}, Y: []float64{1, .5, .25}, Mark: &Point{1, .5}}, {Name: "b"}}}})
	wants(t, s, "<figcaption>&lt;t&gt; ", `<i class="s0"></i>&lt;a&gt;`, `<i class="s1"></i>b`, `role="img" aria-label="&lt;t&gt;"`, ">steps<", ">loss<", ">0.2<")
	if strings.Contains(s, "<?xml") {
		t.Error("the XML prologue is in the page")
	}
	curves := 0
	for _, m := range path.FindAllStringSubmatch(s, -1) {
		if m[2] == hex(series[0].light) && strings.Count(m[1], "L") == 2 {
			curves++
		}
	}
	if curves != 1 {
		t.Errorf("%d curves of three points, want 1", curves)
	}
	for name, p := range map[string]Plot{
		"lengths":    {Curves: []Curve{{X: []float64{1}}}},
		"not finite": {Curves: []Curve{{X: []float64{1}, Y: []float64{math.NaN()}}}},
		"mark":       {Curves: []Curve{{Mark: &Point{math.Inf(1), 0}}}},
	} {
		if _, err := (Figures{p}).html(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBars(t *testing.T) {
	s := render(t, Figures{Bars{Title: "b", Name: "AP", Bars: []Bar{{Name: "a <name> that is too long", Value: .25, Low: .2, High: .3}, {Name: "b", Value: .1}}}})
	wants(t, s, ">a &lt;name&gt; that is …<", ">AP<")
	intervals := 0
	for _, m := range path.FindAllStringSubmatch(s, -1) {
		if m[2] == hex(ink.light) {
			intervals++
		}
	}
	if intervals != 1 {
		t.Errorf("%d lines for intervals, want 1", intervals)
	}
}

// A plot of nothing is drawn, without numbers that are not finite.
func TestEmptyFigures(t *testing.T) {
	for _, f := range []Figure{Plot{}, Bars{}, Bars{Bars: []Bar{{Name: "a"}}}, Plot{Curves: []Curve{{X: []float64{3}, Y: []float64{4}}}}} {
		if s := render(t, Figures{f}); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") || !strings.Contains(s, "<svg") {
			t.Errorf("%+v: %s", f, s)
		}
	}
}

// Every colour that a plot draws with has one for the dark.
func TestDark(t *testing.T) {
	p := Plot{X: Axis{Name: "x"}, Y: Axis{Name: "y"}}
	for i := range len(series) + 1 {
		p.Curves = append(p.Curves, Curve{X: []float64{0, 1}, Y: []float64{0, float64(i)}, Mark: &Point{0, 1}})
	}
	s := render(t, Figures{p, Bars{Bars: []Bar{{"a", 1, .5, 1.5}}}})
	style, seen := themeStyle(), map[string]bool{}
	for _, m := range regexp.MustCompile(`(stroke|fill):(#[0-9A-F]{6})`).FindAllString(s, -1) {
		seen[m] = true
		if !strings.Contains(style, `svg [style*="`+m+`"]`) {
			t.Errorf("%s has no dark counterpart", m)
		}
	}
	for _, c := range series {
		if !seen["stroke:"+hex(c.light)] {
			t.Errorf("%s is not drawn as it is declared", hex(c.light))
		}
	}
	for _, m := range regexp.MustCompile(`<text[^>]*>`).FindAllString(s, -1) {
		if !strings.Contains(m, "fill:#") {
			t.Errorf("black text, which stays black in the dark: %s", m)
		}
	}
}

// Every text has the width for which its plot made room, as measured in the page's kind of typeface, and no label is wider than its place.
func TestTextWidths(t *testing.T) {
	b := Bars{Name: "AP", Bars: []Bar{{Name: "resnet101-1024 xx", Value: .5}, {Name: "i", Value: .1}}}
	s := render(t, Figures{b, Plot{X: Axis{Name: "share of the anchors, smallest loss first"}, Curves: []Curve{{X: []float64{0, 1}, Y: []float64{0, .00175}}}}})
	widths := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?s)<text ([^>]*)>([^<]*)</text>`).FindAllStringSubmatch(s, -1) {
		w := regexp.MustCompile(`textLength="([0-9.]+)" lengthAdjust="spacingAndGlyphs"`).FindStringSubmatch(m[1])
		if w == nil || !strings.Contains(m[1], "font-family:'Liberation Sans',") {
			t.Fatalf("no width, or another typeface: %s", m[0])
		}
		width, err := strconv.ParseFloat(w[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		widths[m[2]] = width
		if x := regexp.MustCompile(`x="([-0-9.]+)"`).FindStringSubmatch(m[1]); x != nil {
			if at, err := strconv.ParseFloat(x[1], 64); err != nil || at+width > plotWidth+1 {
				t.Errorf("%q at %s ends beyond the plot, %v", m[2], x[1], err)
			}
		}
	}
	if widths["resnet101-1024 xx"] < 10*widths["i"] || widths["resnet101-1024 xx"] > 120 {
		t.Errorf("the widths are %v", widths)
	}
}

// Dots stand on the lines of all curves, also where a later line covers theirs.
func TestDots(t *testing.T) {
	x, y := []float64{0, 1, 2}, []float64{1, 2, 5}
	s := render(t, Figures{Plot{Curves: []Curve{{Name: "a", X: x, Y: y, Dots: true}, {Name: "b", X: x, Y: y}}}})
	line, dot := strings.LastIndex(s, "stroke:"+hex(series[1].light)), strings.Index(s, "fill:"+hex(series[0].light))
	if n := strings.Count(s, "fill:"+hex(series[0].light)); n != len(x) || dot < line {
		t.Errorf("%d dots; the first at %d, the last line at %d", n, dot, line)
	}
}
