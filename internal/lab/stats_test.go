package lab

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-5 || math.IsNaN(a) && math.IsNaN(b) }

// Of 1, 2, 3: mean 2, deviation 1, t(2, .975) = 4.302653, so that the interval is 2 +- 4.302653/sqrt(3). With two degrees of
// freedom the two-sided p of t is 1 - t/sqrt(t^2+2).
func TestEstimate(t *testing.T) {
	for _, k := range []struct {
		v    []float64
		mean float64
		half float64
	}{{nil, math.NaN(), math.NaN()}, {[]float64{.5}, .5, math.NaN()}, {[]float64{1, 2, 3}, 2, 4.302653 / math.Sqrt(3)}, {[]float64{2, 2}, 2, 0}} {
		if e := estimate(k.v); e.N != len(k.v) || !near(e.Mean, k.mean) || !near(e.Half, k.half) {
			t.Errorf("%v: %+v", k.v, e)
		}
	}
	d := paired(map[uint64]float64{1: 2, 2: 4, 3: 6, 9: 1}, map[uint64]float64{1: 1, 2: 2, 3: 3, 8: 1})
	tt := 2 * math.Sqrt(3.)
	if d.N != 3 || !near(d.Mean, 2) || !near(d.P, 1-tt/math.Sqrt(tt*tt+2)) {
		t.Errorf("%+v", d)
	}
	same := map[uint64]float64{1: .5, 2: .25}
	if d := paired(same, same); !d.Equal || d.P != 1 {
		t.Errorf("equal runs: %+v", d)
	}
	if d := paired(map[uint64]float64{1: .5}, same); d.N != 1 || !math.IsNaN(d.P) {
		t.Errorf("one pair: %+v", d)
	}
}

func TestHolm(t *testing.T) {
	all := []Difference{{P: .01}, {P: .04}, {P: .03}, {P: math.NaN()}, {P: .9}}
	holm(all) // .01*4; .03*3; .04*2 is raised to the one before; .9
	for i, want := range []float64{.04, .09, .09, 0, .9} {
		if !near(all[i].Holm, want) {
			t.Errorf("%d: %g, want %g", i, all[i].Holm, want)
		}
	}
}

// results makes rows of two seeds without training.
func results(ap map[string][]float64) *Results {
	r := &Results{Seeds: []uint64{0, 1, 2}, Complete: true}
	for _, v := range Losses() {
		if ap[v.Name] == nil {
			continue
		}
		r.Variants = append(r.Variants, v)
		for i, a := range ap[v.Name] {
			r.Cells = append(r.Cells, Cell{Row: Row{Variant: v.Name, Seed: uint64(i), Numbers: &Numbers{AP: a}}})
		}
	}
	return r
}

func TestCompare(t *testing.T) {
	r := results(map[string][]float64{"ce-a.25": {.1, .1, .1}, "ce-a.75": {.3, .31, .32}, "ce": {.9, .9, .9}, "fl-g2": {.401, .41, .419}, "fl-g5": {.3, .32, .31}})
	c := r.compare()
	if c.Baseline != "ce-a.75" {
		t.Errorf("baseline %s: it is the best with alpha", c.Baseline)
	}
	if d := c.of("fl-g2"); d.N != 3 || !near(d.Mean, .1) || significance(d) != "better" {
		t.Errorf("%+v", d)
	}
	if d := c.of("ce-a.25"); significance(d) != "worse" {
		t.Errorf("%+v", d)
	}
	if d := c.of("fl-g5"); significance(d) != "not shown" || !near(d.Mean, 0) {
		t.Errorf("%+v", d)
	}
	page(t, r, LossExperiment, "focal loss helps on these data", "There are 3 seeds: with so few")
	page(t, results(map[string][]float64{"fl-g2": {.4}}), LossExperiment, "add ce-a*")
	page(t, results(map[string][]float64{"ce-a.5": {.4}}), LossExperiment, "add fl-g*")
	page(t, results(map[string][]float64{"ce-a.5": {.4}, "fl-g2": {.5}}), LossExperiment, "cannot be said")
	page(t, &Results{}, LossExperiment, "No run came to its end")
}

// The frontier is convex: what lies below the line between two others is no part of it, nor is what is slower and worse.
func TestHull(t *testing.T) {
	got := hull([]Point{{4, .5}, {1, .1}, {2, .4}, {3, .42}, {5, .3}, {2, .2}})
	want := []Point{{1, .1}, {2, .4}, {4, .5}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v", got)
		}
	}
	if hull(nil) != nil {
		t.Error("a frontier of nothing")
	}
}
