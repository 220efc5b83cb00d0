package lab

import (
	"fmt"
	"slices"
	"strings"

	"retinago/config"
	"retinago/internal/lab/report"
)

// Experiment is the question that a sweep answers on its page.
type Experiment string

const (
	LossExperiment   Experiment = "losses"
	AnchorExperiment Experiment = "anchors"
	ScaleExperiment  Experiment = "scales"
	GridExperiment   Experiment = "sweep"
)

// Page composes the report of a sweep.
func (r *Results) Page(e Experiment, title string) report.Page {
	p := report.Page{Title: title}
	p.Lead = fmt.Sprintf("%s, %s, %s.", count(len(r.measured()), "variant"), count(len(r.Seeds), "seed"), count(r.Threads, "thread"))
	if !r.Complete {
		p.Lead += " The sweep was interrupted: what is finished is here."
	}
	p.Sections = append(p.Sections, r.findings(e))
	if e == GridExperiment {
		p.Sections = append(p.Sections, r.combinations())
	}
	p.Sections = append(p.Sections, r.numbers(e), r.bars())
	if e == LossExperiment {
		p.Sections = append(p.Sections, r.differences())
	}
	if e == ScaleExperiment {
		p.Sections = append(p.Sections, r.frontier())
	}
	if s := r.beside(); len(s.Blocks) > 0 {
		p.Sections = append(p.Sections, s)
	}
	p.Sections = append(p.Sections, r.training())
	if e == LossExperiment {
		p.Sections = append(p.Sections, forms())
	}
	if s, ok := r.views(); ok {
		p.Sections = append(p.Sections, s...)
	}
	p.Sections = append(p.Sections, r.conditions(e))
	return p
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fromTo returns a text that names a part of a list.
func fromTo(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return list[0] + " to " + list[len(list)-1]
}

// measured returns the variants that have a finished cell.
func (r *Results) measured() []Variant {
	return slices.DeleteFunc(slices.Clone(r.Variants), func(v Variant) bool { return len(r.cells(v.Name)) == 0 })
}

// best returns the name of the variant with the largest mean AP among those for which keep is true; "" if none has an AP.
func (r *Results) best(keep func(Variant) bool) (name string, ap Estimate) {
	for _, v := range r.measured() {
		if e := r.mean(v.Name, apOf); keep(v) && e.N > 0 && (name == "" || e.Mean > ap.Mean) {
			name, ap = v.Name, e
		}
	}
	return name, ap
}

func every(Variant) bool { return true }

func isFocal(v Variant) bool {
	return v.Table == tableFL && !slices.Contains(v.Sets, "loss.gamma=0")
}

// numbers returns a table with one row for each variant, and one of what differs unless combinations has it.
func (r *Results) numbers(e Experiment) report.Section {
	t := report.Table{Sortable: true, Columns: []report.Column{{Name: "variant"}, {Name: "seeds", Meaning: "that ended with a number"},
		{Name: "AP"}, {Name: "± 95%", Meaning: "by Student's t over the seeds"}, {Name: "AP50"}, {Name: "AP75"}, {Name: "small"}, {Name: "medium"}, {Name: "large"}, {Name: "AR 100"},
		{Name: "s a run"}, {Name: "diverged", Left: true}}}
	what := report.Table{Caption: "What differs", Columns: []report.Column{{Name: "variant"}, {Name: "what it is", Left: true}, {Name: "settings", Left: true}}}
	of := func(f func(*Numbers) float64) func(Row) float64 { return func(r Row) float64 { return f(r.Numbers) } }
	for _, v := range r.measured() {
		ap := r.mean(v.Name, apOf)
		row := []report.Cell{report.Word(v.Name), report.Count(ap.N), number(ap), half(ap)}
		for _, f := range []func(*Numbers) float64{func(n *Numbers) float64 { return n.AP50 }, func(n *Numbers) float64 { return n.AP75 }, func(n *Numbers) float64 { return n.APSmall },
			func(n *Numbers) float64 { return n.APMedium }, func(n *Numbers) float64 { return n.APLarge }, func(n *Numbers) float64 { return n.AR100 }} {
			row = append(row, number(r.mean(v.Name, of(f))))
		}
		cells, seconds := r.cells(v.Name), 0.0
		for _, c := range cells {
			seconds += c.Row.Seconds / float64(len(cells))
		}
		row = append(row, report.Count(int(seconds+.5)), report.Word(r.diverged(v.Name)))
		t.Rows = append(t.Rows, row)
		what.Rows = append(what.Rows, []report.Cell{report.Word(v.Name), report.Words(v.Words), report.Words(strings.Join(settings(v.Sets), " "))})
	}
	s := report.Section{Title: "Numbers", Words: "Means over seeds, of the last step, never of the best one: that would choose by what is measured. – is nothing to measure.", Blocks: []report.Block{t}}
	if e != GridExperiment {
		s.Blocks = append(s.Blocks, what)
	}
	return s
}

func number(e Estimate) report.Cell {
	if e.N == 0 {
		return report.Number(-1)
	}
	return report.Number(e.Mean)
}

func half(e Estimate) report.Cell {
	if e.N < 2 {
		return report.Number(-1)
	}
	return report.Number(e.Half)
}

// barGroup is the largest number of bars that are legible on a telephone.
const barGroup = 12

func (r *Results) bars() report.Section {
	s := report.Section{Title: "AP, AP50, AP75", Words: "The line is the 95% interval over seeds; with one seed there is none."}
	measured := r.measured()
	for len(measured) > 0 {
		part := measured[:min(barGroup, len(measured))]
		measured = measured[len(part):]
		var figures report.Figures
		for _, k := range []struct {
			name string
			of   func(Row) float64
		}{{"AP", apOf}, {"AP50", ap50Of}, {"AP75", ap75Of}} {
			b := report.Bars{Title: k.name + ", " + fromTo(names(part)), Name: k.name}
			for _, v := range part {
				e := r.mean(v.Name, k.of)
				bar := report.Bar{Name: v.Name}
				if e.N > 0 {
					bar.Value = e.Mean
				}
				if e.N > 1 {
					bar.Low, bar.High = max(e.Mean-e.Half, 0), e.Mean+e.Half
				}
				b.Bars = append(b.Bars, bar)
			}
			figures = append(figures, b)
		}
		s.Blocks = append(s.Blocks, figures)
	}
	return s
}

// differences compares every variant with the baseline.
func (r *Results) differences() report.Section {
	c := r.compare()
	s := report.Section{Title: "Differences", Words: r.differenceWords(c)}
	if c.Baseline == "" {
		return s
	}
	t := report.Table{Sortable: true, Columns: append([]report.Column{{Name: "variant"}}, differenceColumns...)}
	for _, d := range c.Differences {
		t.Rows = append(t.Rows, append([]report.Cell{report.Word(d.Variant)}, d.cells()...))
	}
	s.Blocks = append(s.Blocks, t)
	return s
}

// differenceWords explains a table of differences.
func (r *Results) differenceWords(c Comparison) string {
	of, why := c.Baseline+", the best alpha-balanced cross entropy", " The baseline was chosen by the same AP, which favours it."
	switch {
	case c.Baseline == "" && r.Against == "":
		return "No alpha-balanced cross entropy (ce-a*) ended with a number: there is nothing to compare with."
	case c.Baseline == "":
		return fmt.Sprintf("No run of the baseline, %s, ended with a number: there is nothing to compare with.", r.Against)
	case r.Against != "":
		of, why = "the baseline, "+c.Baseline, ""
	}
	return fmt.Sprintf("AP of each variant minus that of %s, seed by seed: weights and images of a pair are the same, so that most of the chance falls out. "+
		"p is of the paired t test over %s, two-sided; Holm's correction takes the number of rows into account. Significant is a corrected p below .05.", of, count(len(r.Seeds), "seed")) + why
}

// differenceColumns are the columns of Difference.cells.
var differenceColumns = []report.Column{{Name: "pairs"}, {Name: "AP −", Meaning: "the baseline's"}, {Name: "from", Meaning: "95% interval"}, {Name: "to", Meaning: "95% interval"},
	{Name: "p"}, {Name: "p (Holm)"}, {Name: "", Left: true}}

func (d Difference) cells() []report.Cell {
	row := []report.Cell{report.Count(d.N), signed(d.Mean, d.N > 0), signed(d.Mean-d.Half, d.N > 1), signed(d.Mean+d.Half, d.N > 1), report.Number(-1), report.Number(-1), report.Word("no pair")}
	switch {
	case d.N == 1:
		row[6] = report.Word("one pair")
	case d.N > 1:
		row[4], row[5], row[6] = report.Number(d.P), report.Number(d.Holm), report.Word(significance(d))
	}
	return row
}

func significance(d Difference) string {
	switch {
	case d.Equal:
		return "equal"
	case d.Holm < .05 && d.Mean > 0:
		return "better"
	case d.Holm < .05:
		return "worse"
	}
	return "not shown"
}

func signed(v float64, known bool) report.Cell {
	if !known {
		return report.Cell{Text: none, Key: "-9"}
	}
	return report.Cell{Text: fmt.Sprintf("%+.3f", v), Key: fmt.Sprintf("%.6g", v)}
}

// conditions returns a section about the settings that variants share and those in which they differ.
func (r *Results) conditions(e Experiment) report.Section {
	s := report.Section{Title: "Conditions", Words: "Of one seed, every variant has the same initial weights (each parameter is drawn by its name; those whose shape differs are drawn anew), the same images in the same order with the same flips, " +
		"the same schedule, optimiser and normaliser of the loss. What differs stands below the table of numbers, and nothing else does. " +
		"Cross entropy, the mining variants and the focal loss have one learning rate, though their losses differ in size: a rate chosen for one may suit another less."}
	if e == GridExperiment {
		s.Words = "Of one seed, every variant has the same initial weights (each parameter is drawn by its name; those whose shape differs are drawn anew) and the same images in the same order, " +
			"unless a setting of the table of combinations changes them. All other settings are those of the sweep's configuration."
	}
	c, err := config.Parse("the sweep's configuration", []byte(r.Config))
	if err == nil {
		s.Blocks = append(s.Blocks, report.Figures{network(c.Model)}, report.List{
			fmt.Sprintf("Network: %s of width %d (0 is the paper's), FPN of %d channels, heads of %d convolutions.", c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth),
			fmt.Sprintf("Data: %s and %s in %s, short side %d px.", c.Data.Train.Source, c.Data.Val.Source, c.Data.Root, c.Data.TestSide()),
			fmt.Sprintf("Training: %s, rate %g, batch %d, %s, normaliser %s.", c.Train.Optimizer, c.Train.LR, c.Train.Batch, c.Train.Schedule, c.Loss.Normalizer),
			fmt.Sprintf("Seeds: %v.", r.Seeds),
		})
		var warned report.List
		for _, v := range r.measured() {
			vc := c
			if vc.Set(v.Sets) != nil {
				continue
			}
			for _, w := range vc.Warnings() {
				warned = append(warned, v.Name+": "+w)
			}
		}
		if len(warned) > 0 {
			s.Blocks = append(s.Blocks, report.Text("Settings that would draw a warning, here on purpose:"), warned)
		}
	}
	var same, candidates report.List
	for _, cell := range r.Cells {
		if cell.Row.Candidate != "" {
			candidates = append(candidates, fmt.Sprintf("%s, seed %d: %s", cell.Row.Variant, cell.Row.Seed, cell.Row.outcome()))
		} else if cell.Row.SameAs != "" {
			same = append(same, fmt.Sprintf("%s, seed %d: %s", cell.Row.Variant, cell.Row.Seed, cell.Row.SameAs))
		}
	}
	if len(candidates) > 0 {
		s.Blocks = append(s.Blocks, report.Text("Alphas that were tried, each at the first seed; the best went on:"), candidates)
	}
	if len(same) > 0 {
		s.Blocks = append(s.Blocks, report.Text("Equal settings were trained once:"), same)
	}
	return s
}
