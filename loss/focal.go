package loss

import (
	"math"

	"retinago/internal/kinds"
)

// Focal is the sigmoid focal loss FL(p_t) = -alpha_t (1-p_t)^gamma log(p_t), summed over rows and classes
// (Lin et al. 2017, eq. 5). Alpha weights the labelled class and 1-Alpha the others; 0, the zero value, or a negative
// Alpha disables weighting. Gamma 0 is CrossEntropy.
type Focal struct{ Alpha, Gamma float64 }

// CrossEntropy is the sum of binary cross entropies, balanced by Alpha as in Focal (Lin et al. 2017, eq. 3).
type CrossEntropy struct{ Alpha float64 }

var (
	_ Binary = Focal{}
	_ Binary = CrossEntropy{}
)

var focalKinds = []Kind{
	{
		Kind: kinds.Kind{Name: "focal", Text: "focal loss (Lin et al. 2017, eq. 5); `gamma` 0 is alpha-balanced cross entropy",
			Params: []kinds.Param{alphaParam, gammaParam, smoothingParam}},
		Class: func(p Params) Class {
			return p.perClass(smoothed(Focal{Alpha: p.taskAlpha(), Gamma: p.Gamma}, p.Smoothing))
		},
		Focusing:     true,
		ClassWeights: true,
		ClassAlphas:  true,
	},
	{
		Kind: kinds.Kind{Name: "bce", Text: "binary cross entropy", Params: []kinds.Param{smoothingParam}},
		Class: func(p Params) Class {
			p.ClassAlphas = nil
			return p.perClass(smoothed(Focal{}, p.Smoothing))
		},
		ClassWeights: true,
	},
}

// Eval sums the loss.
func (f Focal) Eval(grad, logits []float32, labels []int32) float64 {
	return independent(grad, logits, labels, f.At)
}

// At is the loss of one binary task and its slope by x_t, the logit with the sign of the label:
// alpha_t (1-p_t)^gamma (gamma p_t log p_t + p_t - 1) (appendix B, eq. 10).
func (f Focal) At(xt float64, positive bool) (loss, slope float64) {
	q, nll := sigmoid(-xt), softplus(-xt) // 1-p_t, -log p_t
	w := weight(f.Alpha, positive) * math.Pow(q, f.Gamma)
	return w * nll, -w * (f.Gamma*(1-q)*nll + q)
}

// Formula returns the kernel's parameters.
func (f Focal) Formula() Formula { return Formula{Alpha: f.Alpha, Gamma: f.Gamma} }

// Eval sums the loss.
func (c CrossEntropy) Eval(grad, logits []float32, labels []int32) float64 {
	return Focal{Alpha: c.Alpha}.Eval(grad, logits, labels)
}

// At is the loss of one binary task and its slope by x_t: alpha_t (p_t - 1).
func (c CrossEntropy) At(xt float64, positive bool) (loss, slope float64) {
	return Focal{Alpha: c.Alpha}.At(xt, positive)
}

// Formula returns the kernel's parameters.
func (c CrossEntropy) Formula() Formula { return Focal{Alpha: c.Alpha}.Formula() }

// NoObjects is the Alpha that gives the labelled class a weight of 0 in float32, and the others 1. A configuration's alpha of 0 means
// that.
const NoObjects = math.SmallestNonzeroFloat64

// weight is alpha_t.
func weight(alpha float64, positive bool) float64 {
	switch {
	case alpha <= 0:
		return 1
	case positive:
		return alpha
	}
	return 1 - alpha
}
