package loss

import (
	"math"

	"retinago/internal/kinds"
)

// Softmax is the cross entropy of a softmax over each row. The last of the k columns is the background: rows labelled
// Background belong to it. Tasks without a background, such as segmentation, label every row.
type Softmax struct{}

var _ Class = Softmax{}

var softmaxKinds = []Kind{{
	Kind:       kinds.Kind{Name: "softmax", Text: "cross entropy of classes and background", Needs: "`model.background: true`"},
	Class:      func(Params) Class { return Softmax{} },
	Background: true,
}}

// Eval sums -log softmax(x)_label; its gradient is softmax(x) - onehot(label).
func (Softmax) Eval(grad, logits []float32, labels []int32) float64 {
	return rows(grad, logits, labels, func(g, x []float32, _ int, label int32) float64 {
		if label == Background {
			label = int32(len(x) - 1)
		}
		most := math.Inf(-1)
		for _, v := range x {
			most = math.Max(most, float64(v))
		}
		sum := 0.0
		for _, v := range x {
			sum += math.Exp(float64(v) - most)
		}
		for c, v := range x {
			if g == nil {
				break
			}
			p := math.Exp(float64(v)-most) / sum
			if int32(c) == label {
				p--
			}
			g[c] = float32(p)
		}
		return math.Log(sum) + most - float64(x[label])
	})
}
