package lab

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a mean with its 95% interval, Mean +- Half, by Student's t.
type Estimate struct {
	N    int
	Mean float64
	Half float64 // NaN with fewer than two values, which have no spread
}

func estimate(v []float64) Estimate {
	e := Estimate{N: len(v), Half: math.NaN()}
	if e.N == 0 {
		e.Mean = math.NaN()
		return e
	}
	if e.N == 1 {
		e.Mean = v[0]
		return e
	}
	var sd float64
	e.Mean, sd = stat.MeanStdDev(v, nil)
	e.Half = student(e.N-1).Quantile(.975) * sd / math.Sqrt(float64(e.N))
	return e
}

func student(freedom int) distuv.StudentsT {
	return distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}
}

// Difference is the difference between a variant and the baseline, paired by seed.
type Difference struct {
	Variant string
	Estimate
	P     float64 // two-sided p-value of the paired t test; NaN with fewer than two pairs
	Holm  float64 // P after Holm's correction for the number of comparisons
	Equal bool    // the variant equals the baseline at every seed
}

// Comparison compares all variants with the baseline.
type Comparison struct {
	Baseline    string // empty where there is none, or none with a number
	Differences []Difference
}

// compare compares each variant with the baseline: Against, or else the alpha-balanced cross entropy with the largest mean AP. The
// latter is chosen by the AP that is compared, which favours the baseline and not the variants.
func (r *Results) compare() Comparison {
	c := Comparison{Baseline: r.baseline()}
	if c.Baseline == "" {
		return c
	}
	base := r.values(c.Baseline, apOf)
	for _, v := range r.Variants {
		if v.Name == c.Baseline {
			continue
		}
		if d := paired(r.values(v.Name, apOf), base); d.N > 0 {
			d.Variant = v.Name
			c.Differences = append(c.Differences, d)
		}
	}
	holm(c.Differences)
	return c
}

// baseline returns the name of the variant that others are compared with; empty if none has a number.
func (r *Results) baseline() string {
	if r.Against != "" {
		if r.mean(r.Against, apOf).N == 0 {
			return ""
		}
		return r.Against
	}
	name, _ := r.best(func(v Variant) bool { return v.Table == tableCE })
	return name
}

// paired returns the difference of two variants over the seeds that both have.
func paired(a, b map[uint64]float64) Difference {
	both := map[uint64]float64{}
	for seed, v := range a {
		if w, ok := b[seed]; ok {
			both[seed] = v - w
		}
	}
	d := Difference{Estimate: estimate(ordered(both)), P: math.NaN(), Holm: math.NaN()}
	if d.N < 2 {
		return d
	}
	if d.Half == 0 { // without spread the values are equal, or their difference is constant and t is infinite
		d.Equal, d.P = d.Mean == 0, 0
		if d.Equal {
			d.P = 1
		}
		return d
	}
	t := d.Mean / (d.Half / student(d.N-1).Quantile(.975))
	d.P = 2 * student(d.N-1).CDF(-math.Abs(t))
	return d
}

// holm corrects the p-values of several comparisons (Holm 1979): it multiplies the smallest of m by m, the next by m-1, and so on.
func holm(all []Difference) {
	var order []int
	for i, d := range all {
		if !math.IsNaN(d.P) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[a].P, all[b].P) })
	most := 0.0
	for k, i := range order {
		most = max(most, min(float64(len(order)-k)*all[i].P, 1))
		all[i].Holm = most
	}
}

// of returns the difference of a variant, or the zero Difference if there is none.
func (c Comparison) of(variant string) Difference {
	for _, d := range c.Differences {
		if d.Variant == variant {
			return d
		}
	}
	return Difference{Estimate: estimate(nil), P: math.NaN(), Holm: math.NaN()}
}

// ordered returns the values in the order of seeds.
func ordered(v map[uint64]float64) []float64 {
	var out []float64
	for _, seed := range slices.Sorted(maps.Keys(v)) {
		out = append(out, v[seed])
	}
	return out
}

// none is the text for an unknown number.
const none = "–"

func digits(v float64, format string) string {
	if math.IsNaN(v) {
		return none
	}
	return fmt.Sprintf(format, v)
}

func (e Estimate) mean() string      { return digits(e.Mean, "%.3f") }
func (e Estimate) millis() string    { return digits(e.Mean, "%.1f") }
func (e Estimate) halfWidth() string { return digits(e.Half, "±%.3f") }

func (d Difference) difference() string { return digits(d.Mean, "%+.3f") }
func (d Difference) pValue() string     { return digits(d.Holm, "%.3f") }
