package lab

import (
	"fmt"
	"math"
	"strings"

	"retinago/internal/lab/report"
	"retinago/loss"
)

// perPlot is the largest number of curves in a plot with different colours.
const perPlot = 6

// training draws the class loss and the AP of the first seed, with a few variants in each plot.
func (r *Results) training() report.Section {
	s := report.Section{Title: "Training", Words: "The class loss by step and the AP of each evaluation, of the first seed. Losses of different kinds have different units: compare their course, not their height. " +
		"The AP's curve has points where train.eval_every asks for them, and the last."}
	var cells []Cell
	for _, v := range r.measured() {
		if c := r.cells(v.Name)[0]; c.Row.SameAs == "" {
			cells = append(cells, c)
		}
	}
	for len(cells) > 0 {
		part := cells[:min(perPlot, len(cells))]
		cells = cells[len(part):]
		var list []string
		for _, c := range part {
			list = append(list, c.Row.Variant)
		}
		words := fromTo(list)
		falling := report.Plot{Title: "Class loss, " + words, X: report.Axis{Name: "step"}, Y: report.Axis{Name: "log10 of the class loss"}}
		rising := report.Plot{Title: "AP, " + words, X: report.Axis{Name: "step"}, Y: report.Axis{Name: "AP"}}
		for _, c := range part {
			falling.Curves = append(falling.Curves, logarithm(c.Row.Variant, c.Loss))
			ap := curve(c.Row.Variant, c.AP)
			if n := len(c.AP); n > 0 {
				ap.Mark = &report.Point{X: c.AP[n-1].X, Y: c.AP[n-1].Y}
			}
			rising.Curves = append(rising.Curves, ap)
		}
		s.Blocks = append(s.Blocks, report.Figures{falling, rising})
	}
	return s
}

func curve(name string, points []Point) report.Curve {
	c := report.Curve{Name: name}
	for _, p := range points {
		c.X, c.Y = append(c.X, p.X), append(c.Y, p.Y)
	}
	return c
}

func logarithm(name string, points []Point) report.Curve {
	c := report.Curve{Name: name}
	for _, p := range points {
		if p.Y > 0 {
			c.X, c.Y = append(c.X, p.X), append(c.Y, math.Log10(p.Y))
		}
	}
	return c
}

// forms draws the loss functions, as in figures 1, 5 and 6.
func forms() report.Section {
	one := report.Plot{Title: "Figure 1: FL(p_t) = -(1-p_t)^γ log p_t", Words: "γ 0 is cross entropy", X: report.Axis{Name: "p_t", Min: 0, Max: 1}, Y: report.Axis{Name: "loss", Min: 0, Max: 5}}
	for _, g := range []float64{0, .5, 1, 2, 5} {
		c := report.Curve{Name: fmt.Sprintf("γ %g", g)}
		for i := 1; i < 200; i++ {
			p := float64(i) / 200
			l, _ := loss.Focal{Alpha: -1, Gamma: g}.At(math.Log(p/(1-p)), true)
			if l <= 5 {
				c.X, c.Y = append(c.X, p), append(c.Y, l)
			}
		}
		one.Curves = append(one.Curves, c)
	}
	five := report.Plot{Title: "Figure 5: by x_t, the logit with the label's sign", X: report.Axis{Name: "x_t"}, Y: report.Axis{Name: "loss", Min: 0, Max: 5}}
	six := report.Plot{Title: "Figure 6: derivatives by x_t", X: report.Axis{Name: "x_t"}, Y: report.Axis{Name: "slope"}}
	for _, k := range []struct {
		name string
		at   func(xt float64, positive bool) (float64, float64)
	}{
		{"CE", loss.Focal{Alpha: -1}.At}, {"FL γ 2", loss.Focal{Alpha: -1, Gamma: 2}.At},
		{"FL* γ 2, β 1", loss.FocalStar{Alpha: -1, Gamma: 2, Beta: 1}.At}, {"FL* γ 4, β 0", loss.FocalStar{Alpha: -1, Gamma: 4}.At},
	} {
		l, d := report.Curve{Name: k.name}, report.Curve{Name: k.name}
		for x := -8.; x <= 8; x += .1 {
			v, slope := k.at(x, true)
			if math.Abs(x) <= 5 && v <= 5 {
				l.X, l.Y = append(l.X, x), append(l.Y, v)
			}
			d.X, d.Y = append(d.X, x), append(d.Y, slope)
		}
		five.Curves, six.Curves = append(five.Curves, l), append(six.Curves, d)
	}
	return report.Section{Title: "The losses' form", Words: "Without alpha. What is well classified (p_t above .5, x_t above 0) counts less with focal loss, and so does its gradient.",
		Blocks: []report.Block{report.Figures{one, five, six}}}
}

// beside returns the paper's tables for these variants, with our numbers beside the paper's.
func (r *Results) beside() report.Section {
	s := report.Section{Title: "Beside the paper", Words: "Lin et al. 2017, in percent; theirs are on COCO with ResNet-50 (table 1d: ResNet-101; 1e: on test-dev) at 600 px, other data than these: compare the order of rows, not their height."}
	captions := map[string]string{
		tableCE: "Table 1a: alpha for cross entropy (gamma 0)", tableFL: "Table 1b: gamma for focal loss", tableAnchor: "Table 1c: scales and ratios of anchors",
		tableOHEM: "Table 1d: mining", tableSpeed: "Table 1e: accuracy and speed", tableStar: "Table 3: FL*",
	}
	for _, name := range []string{tableCE, tableFL, tableAnchor, tableOHEM, tableSpeed, tableStar} {
		t := report.Table{Caption: captions[name], Columns: []report.Column{{Name: "variant"}, {Name: "settings", Left: true}, {Name: "AP"}, {Name: "± 95%"}, {Name: "AP50"}, {Name: "AP75"},
			{Name: "paper AP"}, {Name: "AP50"}, {Name: "AP75"}}}
		for _, v := range r.measured() {
			if v.Table != name {
				continue
			}
			ap := r.mean(v.Name, apOf)
			row := []report.Cell{report.Word(v.Name), report.Word(brief(v.Sets)), percent(ap.Mean), percent(ap.Half),
				percent(r.mean(v.Name, ap50Of).Mean), percent(r.mean(v.Name, ap75Of).Mean)}
			for _, p := range v.Paper {
				row = append(row, report.Cell{Text: fmt.Sprintf("%.1f", p), Key: fmt.Sprint(p)})
			}
			t.Rows = append(t.Rows, row)
		}
		if len(t.Rows) > 0 {
			s.Blocks = append(s.Blocks, t)
		}
	}
	return s
}

// brief returns the settings that name a row of the paper's tables: each by the last word of its key, without the kind of loss and the
// prior, which all rows of a table share.
func brief(sets []string) string {
	var out []string
	for _, s := range settings(sets) {
		key, value, _ := strings.Cut(s, "=")
		switch key = key[strings.LastIndexByte(key, '.')+1:]; key {
		case "kind", "prior", "backbone":
		default:
			out = append(out, strings.TrimPrefix(key, "mine_")+" "+value)
		}
	}
	return strings.Join(out, ", ")
}

func percent(v float64) report.Cell {
	if math.IsNaN(v) {
		return report.Cell{Text: none, Key: "-1"}
	}
	return report.Cell{Text: fmt.Sprintf("%.1f", 100*v), Key: fmt.Sprint(v)}
}
