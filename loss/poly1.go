package loss

import (
	"math"

	"retinago/internal/kinds"
)

// PolyFocal is the Poly-1 focal loss alpha_t ((1-p_t)^gamma (-log p_t) + Epsilon (1-p_t)^(gamma+1)) (Leng et al. 2022, "PolyLoss",
// eq. 6): the focal loss whose first term in powers of 1-p_t has the coefficient 1+Epsilon instead of 1. The paper finds -1 best for
// RetinaNet. Alpha is as in Focal.
type PolyFocal struct{ Alpha, Gamma, Epsilon float64 }

var _ Binary = PolyFocal{}

var polyKinds = []Kind{{
	Kind: kinds.Kind{Name: "poly1", Text: "Poly-1 focal loss (Leng et al. 2022): focal loss with another first coefficient", Params: []kinds.Param{
		alphaParam, gammaParam,
		{Key: "epsilon", Default: -1, Min: -1, Max: 10, Text: "what is added to the first coefficient"},
	}},
	Class: func(p Params) Class {
		return p.perClass(PolyFocal{Alpha: p.taskAlpha(), Gamma: p.Gamma, Epsilon: p.Epsilon})
	},
	Focusing:     true,
	ClassWeights: true,
	ClassAlphas:  true,
}}

// Eval sums the loss.
func (f PolyFocal) Eval(grad, logits []float32, labels []int32) float64 {
	return independent(grad, logits, labels, f.At)
}

// At is the loss of one binary task and its slope by x_t: the focal loss's, minus alpha_t Epsilon (gamma+1) (1-p_t)^(gamma+1) p_t.
func (f PolyFocal) At(xt float64, positive bool) (loss, slope float64) {
	loss, slope = Focal{Alpha: f.Alpha, Gamma: f.Gamma}.At(xt, positive)
	q := sigmoid(-xt)
	first := weight(f.Alpha, positive) * f.Epsilon * math.Pow(q, f.Gamma+1)
	return loss + first, slope - (f.Gamma+1)*(1-q)*first
}

// Formula returns the kernel's parameters.
func (f PolyFocal) Formula() Formula {
	return Formula{Name: "poly1", Alpha: f.Alpha, Gamma: f.Gamma, Beta: f.Epsilon}
}
