package report

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	shown "retinago/internal/text"
)

// Diagram has boxes and arrows at the caller's places.
type Diagram struct {
	Title, Words string
	Width        float64 // of the whole, in the units of the boxes
	Height       float64
	Boxes        []Box
	Arrows       []Arrow
}

// Box is a rectangle around the point X, Y, with a word or two inside; Y grows upwards.
type Box struct {
	X, Y, Width, Height float64
	Text                string
	Series              int // colour, numbered as those of curves
}

// Arrow is an arrow from one point to another.
type Arrow struct{ From, To Point }

func (d Diagram) words() (title, below string, legend []legendEntry) { return d.Title, d.Words, nil }

func (d Diagram) plot() (*plot.Plot, int, error) {
	g := themed()
	g.HideAxes()
	for _, a := range d.Arrows {
		line, err := plotter.NewLine(plotter.XYs{{X: a.From.X, Y: a.From.Y}, {X: a.To.X, Y: a.To.Y}})
		if err != nil {
			return nil, 0, fmt.Errorf("diagram %q: %w", d.Title, err)
		}
		line.LineStyle = draw.LineStyle{Color: faint.light, Width: vg.Points(.8)}
		tip, err := plotter.NewScatter(plotter.XYs{{X: a.To.X, Y: a.To.Y}})
		if err != nil {
			return nil, 0, fmt.Errorf("diagram %q: %w", d.Title, err)
		}
		tip.GlyphStyle = draw.GlyphStyle{Color: faint.light, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}
		g.Add(line, tip)
	}
	labels := plotter.XYLabels{}
	for _, b := range d.Boxes {
		x, y := b.Width/2, b.Height/2
		frame, err := plotter.NewPolygon(plotter.XYs{{X: b.X - x, Y: b.Y - y}, {X: b.X + x, Y: b.Y - y}, {X: b.X + x, Y: b.Y + y}, {X: b.X - x, Y: b.Y + y}})
		if err != nil {
			return nil, 0, fmt.Errorf("diagram %q: %q: %w", d.Title, b.Text, err)
		}
		frame.Color = color.Transparent
		frame.LineStyle = draw.LineStyle{Color: series[b.Series%len(series)].light, Width: vg.Points(1.2)}
		g.Add(frame)
		labels.XYs = append(labels.XYs, plotter.XY{X: b.X, Y: b.Y})
		labels.Labels = append(labels.Labels, shown.Printable(b.Text))
	}
	if len(d.Boxes) > 0 {
		words, err := plotter.NewLabels(labels)
		if err != nil {
			return nil, 0, fmt.Errorf("diagram %q: %w", d.Title, err)
		}
		for i := range words.TextStyle {
			s := &words.TextStyle[i]
			s.Color, s.Font.Size, s.XAlign, s.YAlign = ink.light, 9, text.XCenter, text.YCenter
			sans(s)
		}
		g.Add(words)
	}
	g.X.Min, g.X.Max, g.Y.Min, g.Y.Max = 0, d.Width, 0, d.Height
	return g, plotHeight, nil
}
