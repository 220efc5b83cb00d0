package loss

import "retinago/internal/kinds"

// FocalStar is FL*(x_t) = -alpha_t log(sigmoid(gamma x_t + beta)) / gamma, the paper's alternative that changes the slope
// and place of cross entropy and no weight (Lin et al. 2017, appendix A). Alpha is as in Focal; the paper has .25
// throughout. Gamma must be above 0.
type FocalStar struct{ Alpha, Gamma, Beta float64 }

var _ Class = FocalStar{}

var focalStarKinds = []Kind{{
	Kind: kinds.Kind{Name: "focalstar", Text: "FL* (Lin et al. 2017, appendix A); the paper has `gamma` 2 with `shift` 1, or 4 with 0",
		Params: []kinds.Param{
			alphaParam,
			{Key: "gamma", Default: 2, Max: 10, Above: true, Text: "slope", Want: "above 0"},
			{Key: "shift", Default: 1, Min: -100, Max: 100, Text: "beta of the paper"},
		}},
	Class: func(p Params) Class { return FocalStar{Alpha: p.alpha(), Gamma: p.Gamma, Beta: p.Shift} },
}}

// Eval sums the loss.
func (f FocalStar) Eval(grad, logits []float32, labels []int32) float64 {
	return independent(grad, logits, labels, f.At)
}

// At is the loss of one binary task and its slope by x_t: alpha_t (p_t* - 1) (appendix B, eq. 11).
func (f FocalStar) At(xt float64, positive bool) (loss, slope float64) {
	if !(f.Gamma > 0) {
		panic("loss: FocalStar wants a Gamma above 0")
	}
	a, z := weight(f.Alpha, positive), f.Gamma*xt+f.Beta
	return a * softplus(-z) / f.Gamma, -a * sigmoid(-z)
}
