package report

import (
	"bufio"
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"retinago/internal/file"
	"retinago/internal/text"
)

// exportDPI is the resolution of an exported PNG.
const exportDPI = 160

// Export writes every figure of the page into dir, as SVG and as PNG, in light colours with title and legend, for other
// documents. Files are numbered in the page's order and named by the titles.
func (p Page) Export(dir string) error {
	n := 0
	for _, s := range p.Sections {
		for _, b := range s.Blocks {
			figures, _ := b.(Figures)
			for _, f := range figures {
				n++
				title, _, _ := f.words()
				if err := export(f, dir, fmt.Sprintf("%02d-%s", n, slug(title))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// slug returns a title as a part of a file name.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	s := strings.Join(words, "-")
	return s[:min(len(s), 60)]
}

// export writes dir/name.svg and dir/name.png.
func export(f Figure, dir, name string) error {
	for _, kind := range []string{".svg", ".png"} {
		g, height, err := f.plot()
		if err != nil {
			return err
		}
		title, _, legend := f.words()
		g.BackgroundColor = paper.light
		g.Title.Text, g.Title.TextStyle.Color = text.Printable(title), ink.light
		g.Title.TextStyle.Font.Size, g.Title.Padding = 12, 6
		w, h := vg.Length(plotWidth)*1.25, vg.Length(height)*1.25+30
		below := legendPlot(legend)
		c, write := canvas(kind, w, h+below.height)
		whole := draw.New(c)
		whole.SetColor(paper.light)
		whole.Fill(whole.Rectangle.Path())
		g.Draw(draw.Crop(whole, 4, -12, below.height, -4))
		below.draw(draw.Crop(whole, 12, -12, 4, -h))
		path, err := file.Below(dir, name+kind)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := file.Write(path, write); err != nil {
			return err
		}
	}
	return nil
}

// canvas returns a canvas in the format of a file suffix, and a function that writes it.
func canvas(kind string, w, h vg.Length) (vg.CanvasSizer, func(*bufio.Writer) error) {
	if kind == ".svg" {
		c := newSVG(w, h)
		return c, func(to *bufio.Writer) error {
			_, err := c.WriteTo(to)
			return err
		}
	}
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(exportDPI))}
	return c, func(to *bufio.Writer) error {
		_, err := c.WriteTo(to)
		return err
	}
}

// exportLegend is the legend below an exported figure, with one line for each entry.
type exportLegend struct {
	plot.Legend
	height vg.Length
}

func legendPlot(entries []legendEntry) exportLegend {
	l := exportLegend{Legend: plot.NewLegend()}
	l.Left, l.Top, l.Padding, l.ThumbnailWidth = true, true, 2, 18
	l.TextStyle.Color = ink.light
	l.TextStyle.Font.Size = 10
	sans(&l.TextStyle)
	for _, e := range entries {
		l.Add(text.Printable(e.Name), &plotter.Line{LineStyle: draw.LineStyle{Color: series[e.Series].light, Width: vg.Points(1.6)}})
	}
	if len(entries) > 0 {
		l.height = vg.Length(len(entries))*12.5 + 10
	}
	return l
}

func (l exportLegend) draw(c draw.Canvas) {
	if l.height > 0 {
		l.Legend.Draw(c)
	}
}
