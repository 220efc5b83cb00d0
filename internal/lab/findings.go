package lab

import (
	"fmt"

	"retinago/internal/lab/report"
)

// findings returns sentences about the results, with their uncertainty.
func (r *Results) findings(e Experiment) report.Section {
	s := report.Section{Title: "What was found"}
	name, ap := r.best(every)
	if name == "" {
		s.Words = "No run came to its end with a number."
		return s
	}
	list := report.List{fmt.Sprintf("Best of all: %s, AP %s %s over %s.", name, ap.mean(), interval(ap), count(ap.N, "seed"))}
	switch {
	case r.Against != "":
		list = append(list, r.against(name))
	case e == LossExperiment:
		list = append(list, r.verdict()...)
	}
	for _, v := range r.measured() {
		if d := r.diverged(v.Name); d != "" {
			list = append(list, fmt.Sprintf("%s diverged: %s. Its means are of the seeds that did not, if there are any.", v.Name, d))
		}
	}
	list = append(list, fewSeeds(len(r.Seeds))...)
	s.Blocks = append(s.Blocks, list)
	return s
}

// fewSeeds returns a sentence about the width of intervals from few seeds.
func fewSeeds(n int) report.List {
	switch {
	case n == 1:
		return report.List{"There is 1 seed: chance and difference cannot be separated. Take five or more."}
	case n < 5:
		return report.List{fmt.Sprintf("There are %d seeds: with so few, an interval by Student's t is wide (%.1f standard errors to either side), "+
			"and a real difference may not show. More seeds, not more digits, make it narrower.", n, student(n-1).Quantile(.975))}
	}
	return nil
}

func interval(e Estimate) string {
	if e.N < 2 {
		return "(one seed: no interval)"
	}
	return fmt.Sprintf("%s (95%%)", e.halfWidth())
}

// verdict compares the best focal loss with the best alpha-balanced cross entropy.
func (r *Results) verdict() report.List {
	c := r.compare()
	name, ap := r.best(isFocal)
	switch {
	case c.Baseline == "":
		return report.List{"No alpha-balanced cross entropy was measured, so that there is nothing to compare the focal loss with: add ce-a* to -losses."}
	case name == "":
		return report.List{"No focal loss with a gamma above 0 was measured: add fl-g* to -losses."}
	}
	d := c.of(name)
	base := r.mean(c.Baseline, apOf)
	text := fmt.Sprintf("Focal loss at its best (%s, AP %s) against alpha-balanced cross entropy at its best (%s, AP %s): ", name, ap.mean(), c.Baseline, base.mean()) +
		conclusion(d, "focal loss helps", "focal loss does harm")
	out := report.List{text, "Both were chosen among several by the AP that is compared: p is therefore corrected for all comparisons of the table of differences."}
	if v := r.view(name); v != nil {
		g := v.Gammas
		out = append(out, fmt.Sprintf("Why: on these data there are %.0f background anchors per anchor of an object, and of those that the trained %s sees %.0f%% are easy (p_t of .9 or more). "+
			"With cross entropy they would carry %.0f%% of the gradient, with gamma 2 %.0f%%.",
			share(float64(v.Negatives), float64(v.Positives)), name, 100*share(float64(v.EasyNegatives), float64(v.Negatives)), 100*g[0].EasyGradient, 100*g[len(g)-1].EasyGradient))
	}
	return out
}

// against compares the best variant with the baseline.
func (r *Results) against(best string) string {
	c := r.compare()
	switch c.Baseline {
	case "":
		return fmt.Sprintf("No run of the baseline, %s, ended with a number: there is nothing to compare with.", r.Against)
	case best:
		return fmt.Sprintf("No variant has a larger mean AP than the baseline, %s.", best)
	}
	text := fmt.Sprintf("The best variant (%s, AP %s) against the baseline (%s, AP %s): ", best, r.mean(best, apOf).mean(), c.Baseline, r.mean(c.Baseline, apOf).mean())
	return text + conclusion(c.of(best), best+" is better", best+" is worse") +
		" The best was chosen among several by the AP that is compared: p is therefore corrected for all comparisons with the baseline."
}

// conclusion returns what a difference shows: better, worse, or nothing.
func conclusion(d Difference, better, worse string) string {
	switch {
	case d.N == 0:
		return "no seed ended with a number in both, and they cannot be compared."
	case d.N == 1:
		return d.difference() + " AP, of one seed. Whether that is more than chance cannot be said."
	case d.Holm < .05 && d.Mean > 0:
		return d.difference() + " AP, " + tested(d) + ": " + better + " on these data."
	case d.Holm < .05:
		return d.difference() + " AP, " + tested(d) + ": " + worse + " on these data."
	}
	return d.difference() + " AP, " + tested(d) + ": no difference is shown."
}

// tested is a difference with its interval and p.
func tested(d Difference) string {
	return fmt.Sprintf("%s, p %.3f by a paired t test over %d seeds, %.3f after Holm's correction", interval(d.Estimate), d.P, d.N, d.Holm)
}
