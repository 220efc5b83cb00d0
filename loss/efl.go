package loss

import (
	"math"

	"retinago/internal/kinds"
)

// EqualizedFocal is the equalized focal loss (Li et al. 2022, "Equalized Focal Loss for Dense Long-Tailed Object Detection", eqs. 4
// to 6): the focal loss of class j has the exponent Gamma + v_j and the weight (Gamma + v_j) / Gamma, where v_j = Scale (1 - g_j) and
// g_j is the sum of the gradients' lengths of the tasks with class j over those without it, at most 1, from all batches so far. A rare
// class, whose gradients come from other objects and the background, is focused more and weighs more. Before the first batch it is the
// focal loss.
//
// Alpha is as in Focal. Gamma must be above 0.
type EqualizedFocal struct {
	Alpha, Gamma, Scale float64

	gradientSums
}

var equalizedKinds = []Kind{{
	Kind: kinds.Kind{Name: "efl", Text: "equalized focal loss for long tails of classes (Li et al. 2022)", Params: []kinds.Param{
		alphaParam,
		{Key: "gamma", Default: 2, Max: 10, Above: true, Text: "focusing exponent of frequent classes", Want: "above 0, at most 10"},
		{Key: "gamma_scale", Default: 8, Max: 50, Text: "what is added to `gamma` for the rarest classes"},
	}},
	Class: func(p Params) Class {
		return &EqualizedFocal{Alpha: p.alpha(), Gamma: p.Gamma, Scale: p.GammaScale}
	},
	Focusing: true,
}}

// Eval sums the loss.
func (e *EqualizedFocal) Eval(grad, logits []float32, labels []int32) float64 {
	return e.EvalWeighted(grad, logits, labels, alike)
}

// EvalWeighted sums the loss with a factor on the loss of each row.
func (e *EqualizedFocal) EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	if !(e.Gamma > 0) {
		panic("loss: EqualizedFocal wants a Gamma above 0")
	}
	of := make([]Focal, len(logits)/max(len(labels), 1))
	weights := make([]float64, len(of))
	for c := range of {
		gamma := e.Gamma + e.Scale*(1-e.balance(c))
		of[c], weights[c] = Focal{Alpha: e.Alpha, Gamma: gamma}, gamma/e.Gamma
	}
	return rows(grad, logits, labels, func(g, x []float32, i int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y := sign(c, label)
			l, s := of[c].At(y*float64(v), y > 0)
			sum += weights[c] * l
			if g != nil {
				g[c] = float32(weights[c] * y * s)
			}
		}
		return factor(i) * sum
	})
}

// balance returns g_j.
func (e *EqualizedFocal) balance(class int) float64 { return math.Min(e.ratio(class), 1) }

// Train sums the loss and adds the lengths of its gradients, without the factors, to the sums.
func (e *EqualizedFocal) Train(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	if grad == nil {
		grad = make([]float32, len(logits))
	}
	loss := e.EvalWeighted(grad, logits, labels, factor)
	e.add(grad, labels)
	return loss
}
