package loss

import "fmt"

// PerClass is a Binary loss with factors on its columns: weights of classes, alphas of classes or both. At is the loss of a task before
// the factor of its column.
type PerClass struct {
	Binary
	Objects, Others []float64 // factors of a column's tasks with the class and without it, one per class
}

var _ Binary = PerClass{}

// perClass returns l with the weights and alphas of p. With alphas, l must have no alpha.
func (p Params) perClass(l Binary) Binary {
	weights := p.ClassWeights.list()
	if weights == nil && len(p.ClassAlphas) == 0 {
		return l
	}
	k := max(len(weights), len(p.ClassAlphas))
	out := PerClass{Binary: l, Objects: make([]float64, k), Others: make([]float64, k)}
	for c := range k {
		w, object, other := 1.0, 1.0, 1.0
		if c < len(weights) {
			w = weights[c]
		}
		if c < len(p.ClassAlphas) {
			object, other = p.ClassAlphas[c], 1-p.ClassAlphas[c]
		}
		out.Objects[c], out.Others[c] = w*object, w*other
	}
	return out
}

// Eval sums the loss.
func (p PerClass) Eval(grad, logits []float32, labels []int32) float64 {
	if k := len(logits) / max(len(labels), 1); k > 0 && (len(p.Objects) != k || len(p.Others) != k) {
		panic(fmt.Sprintf("loss: %d and %d factors for %d classes", len(p.Objects), len(p.Others), k))
	}
	return rows(grad, logits, labels, func(g, x []float32, _ int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y, f := sign(c, label), p.Others
			if y > 0 {
				f = p.Objects
			}
			l, s := p.At(y*float64(v), y > 0)
			sum += f[c] * l
			if g != nil {
				g[c] = float32(f[c] * y * s)
			}
		}
		return sum
	})
}

// Formula returns the kernel's parameters.
func (p PerClass) Formula() Formula {
	f := p.Binary.Formula()
	f.Objects, f.Others = p.Objects, p.Others
	return f
}
