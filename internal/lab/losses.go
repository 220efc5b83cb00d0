package lab

import (
	"cmp"
	"fmt"
	"slices"

	"retinago/config"
	"retinago/loss"
)

// Tables of the paper by their names (Lin et al. 2017).
const (
	tableCE     = "1a" // alpha-balanced cross entropy
	tableFL     = "1b" // gamma, each with its best alpha
	tableAnchor = "1c" // scales and ratios of anchors
	tableOHEM   = "1d" // with ResNet-101
	tableSpeed  = "1e" // on test-dev
	tableStar   = "3"  // of appendix A
)

// prior is the paper's value of model.prior.
const prior = "model.prior=.01"

// Losses returns the variants of the comparison of losses. Each variant sets every setting that its loss reads, so that the
// configuration's values do not matter. Smoothed labels and weights and alphas of classes are the configuration's: they are no loss of their
// own. All but one have the paper's prior, .01.
func Losses() []Variant {
	out := []Variant{
		{Name: "ce-noprior", Words: "cross entropy; every anchor begins as a likely object", Sets: []string{"loss.kind=bce", "model.prior=.5"}},
		{Name: "ce", Words: "cross entropy with the prior", Sets: []string{"loss.kind=bce", prior}},
	}
	for _, k := range []struct {
		alpha float64
		paper []float64
	}{
		{.25, []float64{10.8, 16.0, 11.7}}, {.5, []float64{30.2, 46.7, 32.8}}, {.75, []float64{31.1, 49.4, 33.0}},
		{.9, []float64{30.8, 49.7, 32.3}}, {.99, []float64{28.7, 47.4, 29.9}},
	} {
		out = append(out, Variant{Name: "ce-a" + short(k.alpha), Words: "alpha-balanced cross entropy", Sets: focal(k.alpha, 0), Table: tableCE, Paper: k.paper})
	}
	for _, k := range []struct {
		gamma float64
		paper []float64
	}{
		{0, []float64{31.1, 49.4, 33.0}}, {.1, []float64{31.4, 49.9, 33.1}}, {.2, []float64{31.9, 50.7, 33.4}}, {.5, []float64{32.9, 51.7, 35.2}},
		{1, []float64{33.7, 52.0, 36.2}}, {2, []float64{34.0, 52.5, 36.5}}, {5, []float64{32.2, 49.6, 34.8}},
	} {
		out = append(out, Variant{Name: "fl-g" + short(k.gamma), Words: "focal loss", Sets: focal(config.PairedAlpha(k.gamma), k.gamma),
			Table: tableFL, Paper: k.paper, Tune: true})
	}
	for _, k := range []struct {
		gamma, beta float64
		paper       []float64
	}{{2, 1, []float64{33.8, 52.7, 36.3}}, {4, 0, []float64{33.9, 51.8, 36.4}}} {
		out = append(out, Variant{Name: fmt.Sprintf("flstar-g%g-b%g", k.gamma, k.beta), Words: "FL* of appendix A",
			Sets:  []string{"loss.kind=focalstar", "loss.alpha=.25", fmt.Sprintf("loss.gamma=%g", k.gamma), fmt.Sprintf("loss.shift=%g", k.beta), prior},
			Table: tableStar, Paper: k.paper})
	}
	for _, k := range []struct {
		ratio, keep int
		nms         float64
		paper       []float64
	}{
		{0, 128, .7, []float64{31.1, 47.2, 33.2}}, {0, 256, .7, []float64{31.8, 48.8, 33.9}}, {0, 512, .7, []float64{30.6, 47.0, 32.6}},
		{0, 128, .5, []float64{32.8, 50.3, 35.1}}, {0, 256, .5, []float64{31.0, 47.4, 33.0}}, {0, 512, .5, []float64{27.6, 42.0, 29.2}},
		{3, 128, .5, []float64{31.1, 47.2, 33.2}}, {3, 256, .5, []float64{28.3, 42.4, 30.3}}, {3, 512, .5, []float64{24.0, 35.5, 25.8}},
	} {
		v := Variant{Name: fmt.Sprintf("ohem-%d-%s", k.keep, short(k.nms)), Words: "cross entropy of the hardest anchors", Table: tableOHEM, Paper: k.paper,
			Sets: []string{"loss.kind=ohem", fmt.Sprintf("loss.mine_keep=%d", k.keep), fmt.Sprintf("loss.mine_ratio=%d", k.ratio),
				"loss.mine_nms=" + short(k.nms), prior}}
		if k.ratio > 0 {
			v.Name = fmt.Sprintf("ohem13-%d-%s", k.keep, short(k.nms))
			v.Words = "the hardest anchors, three of background per object's"
		}
		out = append(out, v)
	}
	return append(out, fromTable()...)
}

// experiments lists the kinds of losses for which the paper has experiments.
var experiments = []string{"focal", "bce", "focalstar", "ohem"}

// shortNames has the names of variants that differ from their kind's name.
var shortNames = map[string]string{"quality": "qfl", "varifocal": "vfl"}

// fromTable returns a variant for each other kind of loss, with the settings that the loss's source recommends.
func fromTable() []Variant {
	var out []Variant
	for _, k := range loss.Kinds {
		if slices.Contains(experiments, k.Name) {
			continue
		}
		v := Variant{Name: cmp.Or(shortNames[k.Name], k.Name), Words: k.Text, Sets: []string{"loss.kind=" + k.Name}}
		if k.Background {
			v.Sets = append(v.Sets, "model.background=true")
			v.Words += "; the prior is of all classes together"
		}
		for _, p := range k.Params {
			if p.Key == "smoothing" {
				continue
			}
			v.Sets = append(v.Sets, "loss."+p.Key+"="+short(p.Default))
		}
		v.Sets = append(v.Sets, prior)
		out = append(out, v)
	}
	return out
}

// focal returns the settings of the focal loss.
func focal(alpha, gamma float64) []string {
	return []string{"loss.kind=focal", alphaSet(alpha), "loss.gamma=" + short(gamma), prior}
}

func alphaSet(alpha float64) string { return "loss.alpha=" + short(alpha) }
