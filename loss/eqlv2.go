package loss

import (
	"math"

	"retinago/internal/kinds"
)

// Equalization is the equalization loss v2 (Tan et al. 2021, "Equalization Loss v2: A New Gradient Balance Approach for Long-tailed Object
// Detection"): binary cross entropy in which the tasks with class j have the weight 1 + Alpha (1 - f(g_j)) and those without it f(g_j),
// where f(g) = sigmoid(Gamma (g - Mu)) and g_j is the sum of the lengths of the weighted gradients of the tasks with class j over those
// without it, from all batches so far. A rare class, whose gradients come from other objects and the background, weighs more where it is and
// less where it is not. Before the first batch it is the cross entropy. The weights count as constants in the gradient.
//
// Alpha must be 0 or more.
type Equalization struct {
	Alpha, Gamma, Mu float64

	gradientSums
}

var equalizationKinds = []Kind{{
	Kind: kinds.Kind{Name: "eqlv2", Text: "equalization loss v2 for long tails of classes (Tan et al. 2021)", Params: []kinds.Param{
		{Key: "eql_alpha", Default: 4, Max: 100, Text: "what is added to the weight 1 of the rarest classes' objects"},
		{Key: "eql_gamma", Default: 12, Max: 1000, Text: "how steeply the weights change with the ratio of gradients"},
		{Key: "eql_mu", Default: .8, Max: 100, Text: "ratio of gradients at which the weights are half way"},
	}},
	Class: func(p Params) Class {
		return &Equalization{Alpha: p.EQLAlpha, Gamma: p.EQLGamma, Mu: p.EQLMu}
	},
}}

// Eval sums the loss.
func (e *Equalization) Eval(grad, logits []float32, labels []int32) float64 {
	return e.EvalWeighted(grad, logits, labels, alike)
}

// EvalWeighted sums the loss with a factor on the loss of each row.
func (e *Equalization) EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	k := len(logits) / max(len(labels), 1)
	with, without := make([]float64, k), make([]float64, k)
	for c := range k {
		with[c], without[c] = e.weights(c)
	}
	return rows(grad, logits, labels, func(g, x []float32, i int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y, w := sign(c, label), without[c]
			if y > 0 {
				w = with[c]
			}
			xt := y * float64(v)
			sum += w * softplus(-xt)
			if g != nil {
				g[c] = float32(-w * y * sigmoid(-xt))
			}
		}
		return factor(i) * sum
	})
}

// weights returns the weight of the tasks with a class and of those without it.
func (e *Equalization) weights(class int) (with, without float64) {
	f := 1.0
	if g := e.ratio(class); !math.IsInf(g, 1) {
		f = sigmoid(e.Gamma * (g - e.Mu))
	}
	return 1 + e.Alpha*(1-f), f
}

// Train sums the loss and adds the lengths of its gradients, without the factors, to the sums.
func (e *Equalization) Train(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	if grad == nil {
		grad = make([]float32, len(logits))
	}
	loss := e.EvalWeighted(grad, logits, labels, factor)
	e.add(grad, labels)
	return loss
}
