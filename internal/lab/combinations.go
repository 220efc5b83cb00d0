package lab

import (
	"slices"
	"strings"

	"retinago/internal/lab/report"
)

// combinations returns a table of the variants' settings, a column for each key, beside their AP and their differences to the baseline.
func (r *Results) combinations() report.Section {
	c := r.compare()
	s := report.Section{Title: "Combinations", Words: r.differenceWords(c)}
	columns := []report.Column{{Name: "variant"}}
	keys := r.keys()
	for _, k := range keys {
		columns = append(columns, report.Column{Name: k, Left: true})
	}
	columns = append(columns, report.Column{Name: "AP"}, report.Column{Name: "± 95%", Meaning: "by Student's t over the seeds"})
	t := report.Table{Sortable: true, Columns: append(columns, differenceColumns...)}
	for _, v := range r.measured() {
		row := []report.Cell{report.Word(v.Name)}
		values := map[string]string{}
		for _, set := range v.Sets {
			key, value, _ := strings.Cut(set, "=")
			values[key] = value
		}
		for _, k := range keys {
			value, ok := values[k]
			if !ok {
				value = none
			}
			row = append(row, report.Word(value))
		}
		ap := r.mean(v.Name, apOf)
		difference := c.of(v.Name).cells()
		if v.Name == r.Against {
			difference[len(difference)-1] = report.Word("baseline")
		}
		t.Rows = append(t.Rows, slices.Concat(row, []report.Cell{number(ap), half(ap)}, difference))
	}
	if len(t.Rows) > 0 {
		s.Blocks = append(s.Blocks, t)
	}
	return s
}

// keys returns the keys that variants set, in the order in which they are set first.
func (r *Results) keys() []string {
	var out []string
	for _, v := range r.Variants {
		for _, set := range v.Sets {
			if key, _, _ := strings.Cut(set, "="); !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	return out
}
