package lab

import (
	"fmt"
	"math"
	"slices"

	"retinago/internal/lab/report"
)

// view returns the View of a variant's first model, nil if there is none.
func (r *Results) view(variant string) *View {
	for _, c := range r.cells(variant) {
		if c.View != nil {
			return c.View
		}
	}
	return nil
}

// views returns sections about the distribution of the loss: one variant in full, all variants in a table.
func (r *Results) views() ([]report.Section, bool) {
	t := report.Table{Sortable: true, Columns: []report.Column{{Name: "variant"}, {Name: "easy an image", Meaning: "background anchors with p_t of .9 or more"},
		{Name: "share", Meaning: "of background"}, {Name: "γ 0", Meaning: "share of the gradient that easy background carries"}, {Name: "γ .5"}, {Name: "γ 1"}, {Name: "γ 2"}}}
	for _, v := range r.measured() {
		w := r.view(v.Name)
		if w == nil {
			continue
		}
		row := []report.Cell{report.Word(v.Name), report.Count(int(math.Round(float64(w.EasyNegatives) / float64(w.Pictures)))), report.Number(share(float64(w.EasyNegatives), float64(w.Negatives)))}
		for _, g := range w.Gammas {
			row = append(row, report.Number(g.EasyGradient))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		return nil, false
	}
	name, _ := r.best(func(v Variant) bool { return isFocal(v) && r.view(v.Name) != nil })
	if name == "" {
		name, _ = r.best(func(v Variant) bool { return r.view(v.Name) != nil })
	}
	if name == "" {
		name = t.Rows[0][0].Text
	}
	var s []report.Section
	if v := r.view(name); v != nil {
		s = v.sections(" of " + name)
	}
	return append(s, report.Section{Title: "Easy background by variant", Words: "What each trained model leaves as easy, and the share of all |dL/dx| that this background would carry under the focal loss of each gamma with the paper's alpha for it.",
		Blocks: []report.Block{t}}), true
}

// sections returns the sections of a view's report. of is added to their titles, as in " of fl-g2".
func (v *View) sections(of string) []report.Section {
	return []report.Section{v.figure4(of), v.shares(of), v.groups(of)}
}

// Page returns the report of one view.
func (v *View) Page(title, lead string) report.Page {
	return report.Page{Title: title, Lead: lead, Sections: v.sections("")}
}

func (v *View) figure4(of string) report.Section {
	axis := func(name string) report.Axis { return report.Axis{Name: name, Min: 0, Max: 1} }
	positive := report.Plot{Title: "Figure 4: anchors of objects", X: axis("share of the anchors, smallest loss first"), Y: axis("share of the loss")}
	negative := report.Plot{Title: "Figure 4: background", X: axis("share of the anchors, smallest loss first"), Y: axis("share of the loss")}
	for _, g := range v.Gammas {
		name := fmt.Sprintf("γ %g", g.Gamma)
		positive.Curves = append(positive.Curves, curve(name, g.Positive))
		negative.Curves = append(negative.Curves, curve(name, g.Negative))
	}
	end := negative
	end.Title, end.X.Min = "Figure 4: background, its end", .95
	bars := report.Bars{Title: "Gradient that easy background carries", Words: "share of the sum of |dL/dx| over all anchors, with the paper's alpha for each gamma", Name: "share"}
	for _, g := range v.Gammas {
		bars.Bars = append(bars.Bars, report.Bar{Name: fmt.Sprintf("γ %g, α %g", g.Gamma, g.Alpha), Value: g.EasyGradient})
	}
	return report.Section{Title: "Where the loss lies" + of, Words: "Anchors are sorted by their loss, and their losses added up: a curve that stays low and rises at the end says that few anchors have most of the loss. " +
		"Gamma changes little for objects and much for background, whose easy part it silences.", Blocks: []report.Block{report.Figures{positive, negative, end, bars}}}
}

func (v *View) shares(of string) report.Section {
	perPicture := func(n int) string { return fmt.Sprintf("%.1f", float64(n)/float64(v.Pictures)) }
	s := report.Section{Title: "Anchors" + of, Words: fmt.Sprintf("%s of the validation set. The p_t of an object's anchor is the probability of its class, of background 1 minus the largest probability. Easy is a p_t of .9 or more.", count(v.Pictures, "image"))}
	s.Blocks = append(s.Blocks, report.Tiles{
		{Name: "Objects", Value: perPicture(v.Positives), Meaning: "anchors an image"}, {Name: "Background", Value: perPicture(v.Negatives), Meaning: "anchors an image"},
		{Name: "Imbalance", Value: fmt.Sprintf("1:%.0f", share(float64(v.Negatives), float64(v.Positives))), Meaning: "objects' to background"},
		{Name: "Easy", Value: perPicture(v.EasyNegatives), Meaning: "of background, an image"},
	})
	var figures report.Figures
	for side, name := range []string{"p_t of background", "p_t of objects' anchors"} {
		p := report.Plot{Title: name, Words: "log10 of the number of anchors, in 20 bins", X: report.Axis{Name: "p_t", Min: 0, Max: 1}, Y: report.Axis{Name: "log10(1 + anchors)"}}
		var c report.Curve
		for i, n := range v.PT[side] {
			y := math.Log10(1 + float64(n))
			c.X = append(c.X, float64(i)/histogramBins, float64(i+1)/histogramBins)
			c.Y = append(c.Y, y, y)
		}
		p.Curves = []report.Curve{c}
		figures = append(figures, p)
	}
	t := report.Table{Caption: "Shares under the focal loss of each gamma, with the paper's alpha for it", Columns: []report.Column{{Name: "gamma"}, {Name: "alpha"}, {Name: "loss of background"},
		{Name: "gradient of background"}, {Name: "of easy background"}}}
	for _, g := range v.Gammas {
		t.Rows = append(t.Rows, []report.Cell{report.Word(fmt.Sprint(g.Gamma)), report.Word(fmt.Sprint(g.Alpha)), report.Number(g.NegativeLoss), report.Number(g.NegativeGradient), report.Number(g.EasyGradient)})
	}
	s.Blocks = append(s.Blocks, figures, t)
	return s
}

func (v *View) groups(of string) report.Section {
	positives := []report.Column{{Name: "objects' anchors"}, {Name: "their mean p_t"}}
	gradient := []report.Column{{Name: "gradient at γ 0", Meaning: "share of all |dL/dx|"}, {Name: "at γ 2", Meaning: "share of all |dL/dx|"}}
	background := []report.Column{{Name: "background"}, {Name: "easy"}}
	levels := report.Table{Caption: "By level of the pyramid", Columns: slices.Concat([]report.Column{{Name: "level"}}, positives, background, gradient)}
	sizes := report.Table{Caption: "Objects by size, in pixels of the image", Columns: slices.Concat([]report.Column{{Name: "objects"}}, positives, gradient)}
	first := 8 - len(v.Levels) // the last is P7
	for i, g := range v.Levels {
		levels.Rows = append(levels.Rows, slices.Concat([]report.Cell{report.Word(fmt.Sprintf("P%d", first+i))}, g.positives(),
			[]report.Cell{report.Count(g.Negatives), report.Count(g.EasyNegatives)}, g.gradients()))
	}
	for i, g := range v.Sizes {
		name := []string{"small, to 32²", "medium, to 96²", "large"}[i]
		sizes.Rows = append(sizes.Rows, slices.Concat([]report.Cell{report.Word(name)}, g.positives(), g.gradients()))
	}
	return report.Section{Title: "By level and size" + of, Blocks: []report.Block{levels, sizes}}
}

func (g GroupView) positives() []report.Cell {
	if g.Positives == 0 {
		return []report.Cell{report.Count(0), report.Number(-1)}
	}
	return []report.Cell{report.Count(g.Positives), report.Number(g.PT)}
}

func (g GroupView) gradients() []report.Cell {
	return []report.Cell{report.Number(g.Gradient[0]), report.Number(g.Gradient[len(g.Gradient)-1])}
}
