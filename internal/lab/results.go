package lab

import (
	"fmt"
	"math"
	"strings"

	"retinago/internal/file"
)

// Row holds the results of a variant with a seed.
type Row struct {
	Variant  string   `json:"variant"`
	Words    string   `json:"words"`
	Settings []string `json:"settings"` // settings that differ from the sweep's configuration
	Seed     uint64   `json:"seed"`
	*Numbers          // nil if the run diverged
	Diverged *int     `json:"diverged_step"` // number of steps before the loss or gradient was not a number; null if it always was one
	Steps    int      `json:"steps"`
	Seconds  float64  `json:"seconds"` // time of steps and evaluations
	// PictureMS is the median time of an image of the validation set at batch 1, from the decoded image to detections.
	PictureMS float64 `json:"picture_ms,omitempty"`
	SameAs    string  `json:"same_as,omitempty"`   // the cell with the same settings, whose results these are
	Candidate string  `json:"candidate,omitempty"` // the variant for whose alpha this cell was a candidate
}

// Numbers holds COCO's twelve numbers; -1 means that there was no object to measure.
type Numbers struct {
	AP, AP50, AP75, APSmall, APMedium, APLarge float64
	AR1, AR10, AR100                           float64
	ARSmall, ARMedium, ARLarge                 float64
}

func numbersOf(s [12]float64) *Numbers {
	return &Numbers{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11]}
}

// outcome returns a short text with a cell's result.
func (r Row) outcome() string {
	if r.Diverged != nil {
		return fmt.Sprintf("diverged after %d steps", *r.Diverged)
	}
	return fmt.Sprintf("AP %.3f", r.Numbers.AP)
}

// Results holds the results of a sweep.
type Results struct {
	Config   string // of the sweep, as YAML
	Threads  int
	Seeds    []uint64
	Complete bool   // every cell is finished
	Against  string // variant that the others are compared with; empty is the best alpha-balanced cross entropy
	Variants []Variant
	Cells    []Cell
}

// Save writes results.json, with a row for each variant and seed and, with Against, a summary of each variant.
func (r *Results) Save(path string) error {
	out := struct {
		Config   string    `json:"config"`
		Threads  int       `json:"threads"`
		Seeds    []uint64  `json:"seeds"`
		Complete bool      `json:"complete"`
		Against  string    `json:"against,omitempty"`
		Variants []summary `json:"variants,omitempty"`
		Rows     []Row     `json:"rows"`
	}{r.Config, r.Threads, r.Seeds, r.Complete, r.Against, nil, []Row{}}
	if r.Against != "" {
		out.Variants = r.summaries()
	}
	for _, c := range r.Cells {
		out.Rows = append(out.Rows, c.Row)
	}
	return file.WriteJSON(path, " ", out)
}

// summary is a variant's mean AP over its seeds and its difference to the baseline, with halves of their 95% intervals. What was not
// measured is null.
type summary struct {
	Variant        string   `json:"variant"`
	Settings       []string `json:"settings"`
	Seeds          int      `json:"seeds"` // that ended with a number
	AP             *float64 `json:"ap"`
	Half           *float64 `json:"ap_half"`
	Pairs          int      `json:"pairs"` // seeds that ended with a number in the baseline too
	Difference     *float64 `json:"difference"`
	DifferenceHalf *float64 `json:"difference_half"`
	P              *float64 `json:"p"`
	Holm           *float64 `json:"p_holm"`
}

// summaries returns a summary of each variant that has a finished cell.
func (r *Results) summaries() []summary {
	known := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	c := r.compare()
	var out []summary
	for _, v := range r.measured() {
		ap, d := r.mean(v.Name, apOf), c.of(v.Name)
		out = append(out, summary{v.Name, settings(v.Sets), ap.N, known(ap.Mean), known(ap.Half), d.N, known(d.Mean), known(d.Half), known(d.P), known(d.Holm)})
	}
	return out
}

// cells returns a variant's cells in the order of seeds.
func (r *Results) cells(variant string) []Cell {
	var out []Cell
	for _, c := range r.Cells {
		if c.Row.Variant == variant && c.Row.Candidate == "" {
			out = append(out, c)
		}
	}
	return out
}

// values returns one of a variant's numbers by seed, without runs that diverged.
func (r *Results) values(variant string, of func(Row) float64) map[uint64]float64 {
	out := map[uint64]float64{}
	for _, c := range r.cells(variant) {
		if c.Row.Numbers != nil {
			out[c.Row.Seed] = of(c.Row)
		}
	}
	return out
}

// mean returns the mean of one of a variant's numbers over its seeds.
func (r *Results) mean(variant string, of func(Row) float64) Estimate {
	return estimate(ordered(r.values(variant, of)))
}

func apOf(r Row) float64   { return r.Numbers.AP }
func ap50Of(r Row) float64 { return r.Numbers.AP50 }
func ap75Of(r Row) float64 { return r.Numbers.AP75 }

// diverged returns the steps at which a variant's runs diverged, as text; empty if none did.
func (r *Results) diverged(variant string) string {
	var steps []string
	for _, c := range r.cells(variant) {
		if c.Row.Diverged != nil {
			steps = append(steps, fmt.Sprint(*c.Row.Diverged))
		}
	}
	if len(steps) == 0 {
		return ""
	}
	return "after " + strings.Join(steps, ", ") + " steps"
}

// Markdown returns the results as a table for a terminal.
func (r *Results) Markdown() string {
	var b strings.Builder
	comparison := r.compare()
	head := []string{"variant", "settings", "seeds", "AP", "95%", "AP50", "AP75"}
	if comparison.Baseline != "" {
		head = append(head, "AP - "+comparison.Baseline, "95%", "p (Holm)")
	}
	timed := false
	for _, c := range r.Cells {
		timed = timed || c.Row.PictureMS > 0
	}
	if timed {
		head = append(head, "ms/image")
	}
	head = append(head, "diverged", "s/run")
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, v := range r.Variants {
		cells := r.cells(v.Name)
		if len(cells) == 0 {
			continue
		}
		ap := r.mean(v.Name, apOf)
		row := []string{v.Name, strings.Join(settings(v.Sets), " "), fmt.Sprint(ap.N), ap.mean(), ap.halfWidth(), r.mean(v.Name, ap50Of).mean(), r.mean(v.Name, ap75Of).mean()}
		if comparison.Baseline != "" {
			d := comparison.of(v.Name)
			row = append(row, d.difference(), d.halfWidth(), d.pValue())
		}
		if timed {
			row = append(row, r.mean(v.Name, func(r Row) float64 { return r.PictureMS }).millis())
		}
		seconds := 0.0
		for _, c := range cells {
			seconds += c.Row.Seconds / float64(len(cells))
		}
		row = append(row, r.diverged(v.Name), fmt.Sprintf("%.0f", seconds))
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}
