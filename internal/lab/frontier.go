package lab

import (
	"cmp"
	"slices"
	"strings"

	"retinago/internal/lab/report"
)

func msOf(r Row) float64 { return r.PictureMS }

// hull returns the convex frontier of points of time and accuracy. A point is on it unless a mixture of two others is as fast and more
// accurate.
func hull(points []Point) []Point {
	all := slices.Clone(points)
	slices.SortFunc(all, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y)) })
	var out []Point
	for _, p := range all {
		if len(out) > 0 && p.Y <= out[len(out)-1].Y {
			continue // slower and no better
		}
		for len(out) > 1 {
			a, b := out[len(out)-2], out[len(out)-1]
			if (b.Y-a.Y)*(p.X-a.X) > (p.Y-a.Y)*(b.X-a.X) {
				break
			}
			out = out[:len(out)-1] // below the line from a to p
		}
		out = append(out, p)
	}
	return out
}

// frontier draws accuracy against time, as in figure 2.
func (r *Results) frontier() report.Section {
	s := report.Section{Title: "Accuracy and time", Words: "Means over seeds. Time is the median of an image at batch 1, from the decoded image to detections, on the machine that made the sweep. " +
		"The frontier joins the variants that no mixture of two others beats."}
	var order []string
	by := map[string][]Point{}
	var all []Point
	place := map[Point]string{}
	for _, v := range r.measured() {
		ap, ms := r.mean(v.Name, apOf), r.mean(v.Name, msOf)
		if ap.N == 0 || ms.Mean <= 0 {
			continue
		}
		backbone := v.Name[:max(strings.LastIndexByte(v.Name, '-'), 0)]
		if by[backbone] == nil {
			order = append(order, backbone)
		}
		p := Point{ms.Mean, ap.Mean}
		by[backbone], all, place[p] = append(by[backbone], p), append(all, p), v.Name
	}
	if len(all) == 0 {
		s.Blocks = append(s.Blocks, report.Text("Nothing was measured."))
		return s
	}
	p := report.Plot{Title: "Figure 2: AP by time", X: report.Axis{Name: "ms an image"}, Y: report.Axis{Name: "AP"}}
	for _, b := range order {
		c := curve(b, by[b])
		c.Dots = true // which the frontier does not cover
		p.Curves = append(p.Curves, c)
	}
	best := hull(all)
	p.Curves = append(p.Curves, curve("frontier", best))
	t := report.Table{Sortable: true, Columns: []report.Column{{Name: "variant"}, {Name: "ms an image"}, {Name: "AP"}, {Name: "frontier", Left: true}}}
	for _, q := range all {
		on := ""
		if slices.Contains(best, q) {
			on = "on it"
		}
		t.Rows = append(t.Rows, []report.Cell{report.Word(place[q]), {Text: digits(q.X, "%.1f"), Key: digits(q.X, "%g")}, report.Number(q.Y), report.Word(on)})
	}
	s.Blocks = append(s.Blocks, report.Figures{p}, t)
	return s
}
