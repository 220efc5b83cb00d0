package report

import (
	"fmt"
	"html/template"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"retinago/internal/text"
)

// Figures shows figures side by side, as many in a row as fit.
type Figures []Figure

// Figure is a Plot, Bars or a Diagram.
type Figure interface {
	// plot draws the figure without title and legend; height is in points.
	plot() (g *plot.Plot, height int, err error)
	words() (title, below string, legend []legendEntry)
}

// drawn is a figure as the template reads it.
type drawn struct {
	Title, Words string
	SVG          template.HTML
	Legend       []legendEntry
}

type legendEntry struct {
	Series int
	Name   string
}

// Class returns the entry's class in the style sheet.
func (l legendEntry) Class() string { return seriesClass(l.Series) }

func (f Figures) html() (template.HTML, error) {
	all := make([]drawn, len(f))
	for i := range f {
		var err error
		if all[i], err = page(f[i]); err != nil {
			return "", err
		}
	}
	return fill("figures", all)
}

// page returns a figure as the page shows it.
func page(f Figure) (drawn, error) {
	g, height, err := f.plot()
	if err != nil {
		return drawn{}, err
	}
	d := drawn{}
	d.Title, d.Words, d.Legend = f.words()
	d.SVG = svg(g, plotWidth, height, d.Title)
	return d, nil
}

// Plot draws curves over axes.
type Plot struct {
	Title  string
	Words  string // below the title
	X, Y   Axis
	Curves []Curve // the colours repeat after six
}

// Axis is an axis with a name. If its ends are equal, the data determine them.
type Axis struct {
	Name     string
	Min, Max float64
}

// Curve is a line through points, with a mark where Mark is not nil, and at each point with Dots. All numbers are finite.
type Curve struct {
	Name string // in the legend, which a plot of one curve does not need
	X, Y []float64
	Mark *Point
	Dots bool
}

// Point is a point of a plot.
type Point struct{ X, Y float64 }

const (
	plotWidth  = 330 // points; also CSS pixels on a telephone of 400
	plotHeight = 230
	barHeight  = 26 // height of one of Bars
)

func (p Plot) words() (title, below string, legend []legendEntry) {
	for i, c := range p.Curves {
		if c.Name != "" {
			legend = append(legend, legendEntry{i % len(series), c.Name})
		}
	}
	return p.Title, p.Words, legend
}

func (p Plot) plot() (*plot.Plot, int, error) {
	g := themed()
	g.Add(gridLines())
	for i, c := range p.Curves {
		if len(c.X) != len(c.Y) {
			return nil, 0, fmt.Errorf("plot %q: curve %q has %d x and %d y", p.Title, c.Name, len(c.X), len(c.Y))
		}
		if len(c.X) == 0 {
			continue
		}
		line, err := plotter.NewLine(c.points())
		if err != nil {
			return nil, 0, fmt.Errorf("plot %q: curve %q: %w", p.Title, c.Name, err)
		}
		line.LineStyle = draw.LineStyle{Color: series[i%len(series)].light, Width: vg.Points(1.6)}
		g.Add(line)
	}
	for i, c := range p.Curves { // on all lines
		var marks plotter.XYs
		if c.Mark != nil {
			marks = append(marks, plotter.XY{X: c.Mark.X, Y: c.Mark.Y})
		}
		if c.Dots {
			marks = append(marks, c.points()...)
		}
		if len(marks) == 0 {
			continue
		}
		dots, err := plotter.NewScatter(marks)
		if err != nil {
			return nil, 0, fmt.Errorf("plot %q: mark of %q: %w", p.Title, c.Name, err)
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: series[i%len(series)].light, Radius: vg.Points(3.5), Shape: draw.CircleGlyph{}}
		g.Add(dots)
	}
	// The ends are set last: gonum widens the axes for each curve.
	p.X.set(&g.X)
	p.Y.set(&g.Y)
	return g, plotHeight, nil
}

// points are those of the line.
func (c Curve) points() plotter.XYs {
	points := make(plotter.XYs, len(c.X))
	for j := range points {
		points[j] = plotter.XY{X: c.X[j], Y: c.Y[j]}
	}
	return points
}

func (a Axis) set(g *plot.Axis) {
	g.Label.Text = text.Printable(a.Name)
	if a.Min != a.Max {
		g.Min, g.Max = a.Min, a.Max
	}
}

// ticks returns gonum's ticks with short labels; an axis from 0 to 1 has a tick at each fifth.
type ticks struct{}

func (ticks) Ticks(low, high float64) []plot.Tick {
	var marks []plot.Tick
	if low == 0 && high == 1 {
		for i := range 6 {
			marks = append(marks, plot.Tick{Value: float64(i) / 5, Label: strconv.FormatFloat(float64(i)/5, 'g', -1, 64)})
		}
		return marks
	}
	marks = plot.DefaultTicks{}.Ticks(low, high)
	for i := range marks {
		if marks[i].Label != "" {
			marks[i].Label = strconv.FormatFloat(marks[i].Value, 'g', 6, 64)
		}
	}
	return marks
}

// Bars compares numbers, from top to bottom.
type Bars struct {
	Title string
	Words string
	Name  string // of the axis
	Bars  []Bar
}

// Bar is a number of 0 or more. If Low and High differ, a line between them shows the interval of the number.
type Bar struct {
	Name      string
	Value     float64
	Low, High float64
}

func (b Bars) words() (title, below string, legend []legendEntry) { return b.Title, b.Words, nil }

func (b Bars) plot() (*plot.Plot, int, error) {
	g := themed()
	lines := gridLines()
	lines.Horizontal.Width = 0
	g.Add(lines)
	top := 0.0
	values, names := make(plotter.Values, len(b.Bars)), make([]string, len(b.Bars))
	for i, v := range b.Bars {
		at := len(b.Bars) - 1 - i // gonum counts from the bottom
		values[at], names[at] = v.Value, shorten(v.Name)
		top = max(top, v.Value, v.High)
	}
	if len(values) > 0 {
		bars, err := plotter.NewBarChart(values, vg.Points(13))
		if err != nil {
			return nil, 0, fmt.Errorf("bars %q: %w", b.Title, err)
		}
		bars.Horizontal, bars.Color, bars.LineStyle.Width = true, series[0].light, 0
		g.Add(bars)
		g.NominalY(names...)
	}
	for i, v := range b.Bars {
		if v.Low == v.High {
			continue
		}
		y := float64(len(b.Bars) - 1 - i)
		line, err := plotter.NewLine(plotter.XYs{{X: v.Low, Y: y}, {X: v.High, Y: y}})
		if err != nil {
			return nil, 0, fmt.Errorf("bars %q: %q: %w", b.Title, v.Name, err)
		}
		line.LineStyle = draw.LineStyle{Color: ink.light, Width: vg.Points(1.5)}
		g.Add(line)
	}
	g.X.Label.Text = b.Name
	g.X.Min, g.X.Max = 0, top
	if top == 0 {
		g.X.Max = 1
	}
	g.Y.Padding = 6
	g.Y.Min, g.Y.Max = -.6, float64(len(b.Bars))-.4
	return g, 50 + barHeight*len(b.Bars), nil
}

// shorten shortens a bar's name, so that the bars have room.
func shorten(s string) string {
	const most = 18
	s = text.Printable(s) // XML has no control characters
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// themed returns an empty plot in the page's colours.
func themed() *plot.Plot {
	g := plot.New()
	g.BackgroundColor = color.Transparent
	sans(&g.Title.TextStyle)
	for _, a := range []*plot.Axis{&g.X, &g.Y} {
		a.Color = faint.light
		a.Tick.Color = faint.light
		a.Tick.Label.Color = faint.light
		a.Tick.Label.Font.Size = 10
		a.Label.TextStyle.Color = ink.light
		a.Label.TextStyle.Font.Size = 11
		a.Tick.Marker = ticks{}
		sans(&a.Tick.Label, &a.Label.TextStyle)
		a.Padding = 2
	}
	return g
}

func gridLines() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: grid.light, Width: vg.Points(.5)}
	g.Vertical = g.Horizontal
	return g
}
