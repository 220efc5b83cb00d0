package loss

// FocalStar is FL*(x_t) = -log(sigmoid(gamma x_t + beta)) / gamma, the paper's alternative that changes no weight but
// the slope and place of cross entropy (Lin et al. 2017, appendix A). Gamma must be above 0.
type FocalStar struct{ Gamma, Beta float64 }

var _ Class = FocalStar{}

// Eval sums the loss; its derivative by x_t is p_t* - 1.
func (f FocalStar) Eval(grad, logits []float32, labels []int32) float64 {
	if !(f.Gamma > 0) {
		panic("loss: FocalStar wants a Gamma above 0")
	}
	return independent(grad, logits, labels, func(xt float64, _ bool) (float64, float64) {
		z := f.Gamma*xt + f.Beta
		return softplus(-z) / f.Gamma, -sigmoid(-z)
	})
}
