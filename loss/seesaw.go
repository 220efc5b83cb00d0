package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// Seesaw is the seesaw loss (Wang et al. 2021, "Seesaw Loss for Long-Tailed Instance Segmentation", eqs. 3 to 6): the cross entropy of
// a softmax in which class j of a row with class i has the factor S_ij = M_ij C_ij on its exponential. M_ij = (N_j/N_i)^Mitigation
// where class j has fewer rows than class i, else 1, protects rare classes from the objects of frequent ones; C_ij =
// (s_j/s_i)^Compensation where the softmax s ranks the false class j above i, else 1, takes that back for mistakes. N counts rows
// of all batches so far, the present one included, each class's at least 1.
//
// The last of the k columns is the background, as in Softmax; its factors are 1, and rows of background cost what they do there.
// The factors count as constants in the gradient.
type Seesaw struct {
	Mitigation, Compensation float64

	counts []float64 // rows by class
	pool
}

var seesawKinds = []Kind{{
	Kind: kinds.Kind{Name: "seesaw", Text: "softmax with balanced negatives for long tails of classes (Wang et al. 2021)", Needs: "`model.background: true`",
		Params: []kinds.Param{
			{Key: "mitigation", Default: .8, Max: 10, Text: "exponent of the ratio of counts, p of the paper"},
			{Key: "compensation", Default: 2, Max: 10, Text: "exponent of the ratio of scores, q of the paper"},
		}},
	Class: func(p Params) Class {
		return &Seesaw{Mitigation: p.Mitigation, Compensation: p.Compensation}
	},
	Background: true,
}}

// Eval sums the loss.
func (s *Seesaw) Eval(grad, logits []float32, labels []int32) float64 {
	return s.EvalWeighted(grad, logits, labels, alike)
}

// EvalWeighted sums the loss with a factor on the loss of each row.
func (s *Seesaw) EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	return s.eval(grad, logits, labels, factor, s.with(logits, labels, alone))
}

// Train sums the loss and keeps the counts.
func (s *Seesaw) Train(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	s.counts = s.with(logits, labels, s.total)
	return s.eval(grad, logits, labels, factor, s.counts)
}

// with returns the counts with those of a batch, whose counts go through total.
func (s *Seesaw) with(logits []float32, labels []int32, total func([]float64)) []float64 {
	k := len(logits) / max(len(labels), 1)
	counts := make([]float64, k)
	for _, label := range labels {
		if label >= 0 && int(label) < k {
			counts[label]++
		}
	}
	total(counts)
	for c := range min(k, len(s.counts)) {
		counts[c] += s.counts[c] // whole numbers: their sum is exact
	}
	return counts
}

func (s *Seesaw) eval(grad, logits []float32, labels []int32, factor func(row int) float64, counts []float64) float64 {
	return rows(grad, logits, labels, func(g, x []float32, i int, label int32) float64 {
		last := int32(len(x) - 1)
		if label == Background {
			label = last
		}
		z := make([]float64, len(x))
		for c, v := range x {
			z[c] = float64(v)
			if label != last && int32(c) != last {
				z[c] += s.logFactor(counts, x, int(label), c)
			}
		}
		return factor(i) * softmaxRow(g, z, int(label))
	})
}

// logFactor returns log S_ij of a row with class i. The ratio of two scores of a softmax is the exponential of the logits' difference.
func (s *Seesaw) logFactor(counts []float64, x []float32, i, j int) float64 {
	few := math.Max(counts[j], 1) / math.Max(counts[i], 1)
	return s.Mitigation*math.Log(math.Min(few, 1)) + s.Compensation*math.Max(float64(x[j])-float64(x[i]), 0)
}

// State returns the counts, one per column.
func (s *Seesaw) State() []float64 { return append([]float64(nil), s.counts...) }

// SetState takes counts.
func (s *Seesaw) SetState(state []float64, k int) error {
	if len(state) != 0 && len(state) != k {
		return fmt.Errorf("loss: counts of %d classes for %d logits", len(state), k)
	}
	if err := checkState(state); err != nil {
		return err
	}
	s.counts = append([]float64(nil), state...)
	return nil
}
