package loss

import "retinago/internal/kinds"

// SmoothedFocal is the focal loss with smoothed labels (Szegedy et al. 2016, section 7, for tasks of two classes): the target of a task
// is 1-Smoothing/2 instead of 1, so that its loss is alpha_t ((1-Smoothing/2) FL(p_t) + Smoothing/2 FL(1-p_t)), where alpha_t goes by
// the label. Gamma 0 is cross entropy.
type SmoothedFocal struct{ Alpha, Gamma, Smoothing float64 }

var _ Binary = SmoothedFocal{}

var smoothingParam = kinds.Param{Key: "smoothing", Max: .9999, Text: "share of a target that goes to all classes alike", Want: "0 to below 1"}

// smoothed returns a focal loss with smoothed labels where there is a smoothing.
func smoothed(f Focal, smoothing float64) Binary {
	if smoothing <= 0 {
		return f
	}
	return SmoothedFocal{Alpha: f.Alpha, Gamma: f.Gamma, Smoothing: smoothing}
}

// Eval sums the loss.
func (f SmoothedFocal) Eval(grad, logits []float32, labels []int32) float64 {
	return independent(grad, logits, labels, f.At)
}

// At is the loss of one binary task and its slope by x_t.
func (f SmoothedFocal) At(xt float64, positive bool) (loss, slope float64) {
	w, other := weight(f.Alpha, positive), f.Smoothing/2
	right, up := Focal{Gamma: f.Gamma}.At(xt, positive)
	wrong, down := Focal{Gamma: f.Gamma}.At(-xt, positive)
	return w * ((1-other)*right + other*wrong), w * ((1-other)*up - other*down)
}

// Formula returns the kernel's parameters.
func (f SmoothedFocal) Formula() Formula {
	return Formula{Name: "smoothed", Alpha: f.Alpha, Gamma: f.Gamma, Beta: f.Smoothing}
}
