package report

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// svgCanvas is gonum's SVG in which every text has the width for which gonum made room: it is drawn with the typeface that the reader has.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length // of the texts, in their order
}

func newSVG(w, h vg.Length) *svgCanvas { return &svgCanvas{Canvas: vgsvg.New(w, h)} }

// FillString draws a text and keeps its width.
func (c *svgCanvas) FillString(f font.Face, at vg.Point, s string) {
	c.widths = append(c.widths, f.Width(s))
	c.Canvas.FillString(f, at, s)
}

// WriteTo writes the file.
func (c *svgCanvas) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	if _, err := c.Canvas.WriteTo(&b); err != nil {
		return 0, err
	}
	parts := strings.Split(b.String(), "<text ")
	for i, width := range c.widths {
		if width > 0 {
			parts[i+1] = fmt.Sprintf(`textLength="%.5g" lengthAdjust="spacingAndGlyphs" `, width.Points()) + parts[i+1]
		}
	}
	whole := strings.ReplaceAll(strings.Join(parts, "<text "), "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
	n, err := io.WriteString(w, whole)
	return int64(n), err
}

// sans makes texts sans serif, as those of the page.
func sans(styles ...*draw.TextStyle) {
	for _, s := range styles {
		s.Font.Variant = "Sans"
	}
}

// svg returns a plot as an svg element for the page, without the XML prologue.
func svg(g *plot.Plot, width, height int, title string) template.HTML {
	c := newSVG(vg.Length(width), vg.Length(height))
	g.Draw(draw.New(c))
	var b strings.Builder
	if _, err := c.WriteTo(&b); err != nil {
		panic("report: writing to memory failed: " + err.Error())
	}
	_, element, ok := strings.Cut(b.String(), "<svg")
	if !ok {
		panic("report: gonum's SVG has no svg element")
	}
	return template.HTML(`<svg role="img" aria-label="` + template.HTMLEscapeString(title) + `"` + element)
}
