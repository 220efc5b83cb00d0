package speed

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// hottest is the length of the list of the slowest layers.
const hottest = 10

// Print writes the measurement as tables: the whole, stages, layers in the network's order, and the slowest operations.
func (r Result) Print(w io.Writer) error {
	m := r.Machine
	what := map[string]string{"infer": "inference", "train": "a training step"}[r.Mode]
	p := printer{w: w}
	p.line("%s, %s of %d x %dx%d, %d rounds", r.Network, what, r.Batch, r.Height, r.Width, r.Rounds)
	if m.OneDNN != "" {
		p.line("%s, %d threads, %s: %s, oneDNN %s, convolutions %s, images %s", m.CPU, m.Threads, m.Engine, m.ISA, m.OneDNN, m.Algorithm, m.Pictures)
	} else {
		p.line("%s in %s beside %s: images %s", m.Engine, m.Precision, m.CPU, m.Pictures)
	}
	if m.Choices != "" {
		p.line("convolutions' choices in %s", m.Choices)
	}
	p.line("")
	p.line("whole      median %s   min %s   %.2f images/s", seconds(r.MedianS), seconds(r.MinS), float64(r.Batch)/r.MedianS)
	if r.Peak > 0 {
		p.line("compute    %.1f GFLOP, %.0f GFLOP/s: %.0f %% of the processor's %.0f; a product of matrices reaches %.0f", r.GFLOP, r.GFLOPS, 100*r.OfPeak, r.Peak, r.PeakProduct)
	} else {
		p.line("compute    %.1f GFLOP, %.0f GFLOP/s", r.GFLOP, r.GFLOPS)
	}
	for _, peak := range r.Peaks {
		p.line("           %.1f %% of %s, %.0f GFLOP/s", 100*peak.Share, peak.Name, peak.GFLOPS)
	}
	if r.DeviceMB > 0 {
		p.line("memory     peak %.0f MB on the GPU, of it %.0f MB planned for activations; %.0f MB of the process", r.DeviceMB, r.ArenaMB, r.PeakRSSMB)
	} else {
		p.line("memory     peak %.0f MB, of it %.0f MB planned for activations", r.PeakRSSMB, r.ArenaMB)
	}
	p.line("")
	t := grid{head: []string{"stage", "ms", "share", "", "GFLOP", "GFLOP/s"}, left: []int{0, 3}}
	sum, share := 0.0, 0.0
	for _, s := range r.Stages {
		t.add(s.Name, ms(s.MedianS), percent(s.Share), bar(s.Share), count(s.GFLOP), rate(s.GFLOPS))
		sum, share = sum+s.MedianS, share+s.Share
	}
	t.total("in all", ms(sum), percent(share), "", count(r.GFLOP), rate(r.GFLOPS))
	t.print(&p)
	p.line("")
	r.printLayers(&p)
	p.line("")
	r.printHottest(&p)
	return p.err
}

// printLayers prints a row for each layer and direction. It adds up a head's convolutions over the levels, and the parts of a gradient.
func (r Result) printLayers(p *printer) {
	type key struct {
		name, op string
		back     bool
	}
	var rows []Layer
	at, times := map[key]int{}, map[int]int{}
	for _, l := range r.Layers {
		k := key{l.Name, l.Op, l.Backward}
		if l.Backward {
			k.op = "" // the row has several operations
		}
		i, ok := at[k]
		if !ok {
			i = len(rows)
			at[k], rows = i, append(rows, l)
			if l.Backward {
				rows[i].Op, rows[i].Shape = "backward", nil
			}
		} else {
			rows[i].MedianS, rows[i].Share, rows[i].GFLOP = rows[i].MedianS+l.MedianS, rows[i].Share+l.Share, rows[i].GFLOP+l.GFLOP
		}
		times[i]++
	}
	t := grid{head: []string{"layer", "operation", "output", "ms", "share", "", "GFLOP", "GFLOP/s"}, left: []int{0, 1, 2, 5}}
	sum, share := 0.0, 0.0
	for i, l := range rows {
		op := l.Op
		if times[i] > 1 {
			op = fmt.Sprintf("%d x %s", times[i], l.Op)
		}
		t.add(short(l.Name), op, dims(l.Shape), ms(l.MedianS), percent(l.Share), bar(l.Share), count(l.GFLOP), rate(per(l.GFLOP, l.MedianS)))
		sum, share = sum+l.MedianS, share+l.Share
	}
	t.total("in all", fmt.Sprintf("%d operations", len(r.Layers)), "", ms(sum), percent(share), "", count(r.GFLOP), rate(per(r.GFLOP, sum)))
	t.print(p)
}

func (r Result) printHottest(p *printer) {
	hot := slices.Clone(r.Layers)
	slices.SortStableFunc(hot, func(a, b Layer) int { return cmp.Compare(b.MedianS, a.MedianS) })
	hot = hot[:min(hottest, len(hot))]
	t := grid{head: []string{"slowest operations", "", "output", "ms", "share", "", "GFLOP", "GFLOP/s"}, left: []int{0, 1, 2, 5}}
	sum, share := 0.0, 0.0
	for _, l := range hot {
		t.add(short(l.Name), l.Op, dims(l.Shape), ms(l.MedianS), percent(l.Share), bar(l.Share), count(l.GFLOP), rate(l.GFLOPS))
		sum, share = sum+l.MedianS, share+l.Share
	}
	t.total("in all", "", "", ms(sum), percent(share), "", "", "")
	t.print(p)
}

// printer writes lines. After the first error it writes nothing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, a...), " "))
	}
}

// grid is a table. The columns in left are aligned to the left, the others to the right.
type grid struct {
	head  []string
	left  []int
	rows  [][]string
	ruled bool // a rule separates the last row
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// total adds a last row below a rule.
func (g *grid) total(cells ...string) {
	g.add(cells...)
	g.ruled = true
}

func (g *grid) print(p *printer) {
	widths := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	line := func(row []string) {
		var b strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if slices.Contains(g.left, i) {
				b.WriteString(c + pad + "  ")
			} else {
				b.WriteString(pad + c + "  ")
			}
		}
		p.line("%s", b.String())
	}
	rule := func() {
		all := -2
		for _, w := range widths {
			all += w + 2
		}
		p.line("%s", strings.Repeat("─", all))
	}
	line(g.head)
	rule()
	for i, row := range g.rows {
		if g.ruled && i == len(g.rows)-1 {
			rule()
		}
		line(row)
	}
}

// barWidth is the number of characters of a bar of 20 %, the longest bar.
const barWidth = 10

// bar draws a share in eighths of a character.
func bar(share float64) string {
	eighths := int(min(share/.2, 1)*barWidth*8 + .5)
	s := strings.Repeat("█", eighths/8)
	if r := eighths % 8; r > 0 {
		s += string([]rune("▏▎▍▌▋▊▉")[r-1])
	}
	return s
}

func ms(s float64) string { return fmt.Sprintf("%.2f", 1e3*s) }

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

// seconds formats seconds with at least three digits.
func seconds(s float64) string {
	if s < .1 {
		return ms(s) + " ms"
	}
	return fmt.Sprintf("%.3f s", s)
}

// count and rate return an empty text for layers without counted work.
func count(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v)
}

func rate(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", v)
}

func dims(shape []int) string {
	s := make([]string, len(shape))
	for i, d := range shape {
		s[i] = fmt.Sprint(d)
	}
	return strings.Join(s, "x")
}

// short drops the beginning of a layer's name, which the stage repeats.
func short(name string) string {
	name = strings.TrimPrefix(name, "backbone.body.")
	return strings.TrimPrefix(strings.TrimPrefix(name, "backbone."), "head.")
}
