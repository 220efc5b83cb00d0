package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// Softmax is the cross entropy of a softmax over each row. The last of the k columns is the background: rows labelled
// Background belong to it. Tasks without a background, such as segmentation, label every row.
type Softmax struct {
	// Smoothing is the share of a row's target that goes to all columns alike (Szegedy et al. 2016, section 7).
	Smoothing float64
	// Classes are factors on the rows of the first classes, by label; nil is 1 for all, as the background's is.
	Classes []float64
}

var _ Class = Softmax{}

var softmaxKinds = []Kind{{
	Kind: kinds.Kind{Name: "softmax", Text: "cross entropy of classes and background", Needs: "`model.background: true`",
		Params: []kinds.Param{smoothingParam}},
	Class:        func(p Params) Class { return Softmax{Smoothing: p.Smoothing, Classes: p.ClassWeights.list()} },
	Background:   true,
	ClassWeights: true,
}}

// Eval sums -log softmax(x)_label; its gradient is softmax(x) - onehot(label). With Smoothing s of k columns the target is
// (1-s) onehot(label) + s/k instead.
func (s Softmax) Eval(grad, logits []float32, labels []int32) float64 {
	return rows(grad, logits, labels, func(g, x []float32, _ int, label int32) float64 {
		if label == Background {
			label = int32(len(x) - 1)
		}
		loss := softmaxRow(g, x, int(label))
		if s.Smoothing > 0 {
			loss += s.smooth(g, x, int(label))
		}
		if s.Classes == nil || int(label) == len(x)-1 && len(s.Classes) < len(x) {
			return loss
		}
		if int(label) >= len(s.Classes) {
			panic(fmt.Sprintf("loss: the label %d has none of %d factors", label, len(s.Classes)))
		}
		for c := range g {
			g[c] *= float32(s.Classes[label])
		}
		return s.Classes[label] * loss
	})
}

// smooth returns what the smoothing adds to a row's loss, and adds its gradient to g unless that is nil.
func (s Softmax) smooth(g, x []float32, label int) float64 {
	each := s.Smoothing / float64(len(x))
	mean := 0.0
	for c, v := range x {
		mean += float64(v) / float64(len(x))
		if g == nil {
			continue
		}
		g[c] -= float32(each)
		if c == label {
			g[c] += float32(s.Smoothing)
		}
	}
	return s.Smoothing * (float64(x[label]) - mean)
}

// softmaxRow returns -log softmax(z)_label and writes its gradient by z to g unless that is nil.
func softmaxRow[F float32 | float64](g []float32, z []F, label int) float64 {
	most := math.Inf(-1)
	for _, v := range z {
		most = math.Max(most, float64(v))
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v) - most)
	}
	for c, v := range z {
		if g == nil {
			break
		}
		p := math.Exp(float64(v)-most) / sum
		if c == label {
			p--
		}
		g[c] = float32(p)
	}
	return math.Log(sum) + most - float64(z[label])
}
