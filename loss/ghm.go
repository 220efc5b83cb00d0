package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// GHM is GHM-C (Li et al. 2019, "Gradient Harmonized Single-stage Detector", eq. 9): binary cross entropy whose tasks are weighted by
// the inverse density of their gradient's length g = |p-y|, counted in Bins equal parts of [0,1]. Tasks that are common in g, the
// easy background and the outliers, count less. The counts are a moving average over batches (section 3.3): a new batch has the
// share 1-Momentum.
//
// The paper's loss is a mean over tasks; Eval returns it times the number of rows with a class, at least 1, so that a division by those
// gives the paper's. Weights count as constants in the gradient.
type GHM struct {
	Bins     int
	Momentum float64
	// Classes are factors on the columns of the cross entropy; nil is 1 for all.
	Classes []float64

	counts []float64 // tasks of a batch by bin; 0 for a bin in which none was seen
	pool
}

var ghmKinds = []Kind{{
	Kind: kinds.Kind{Name: "ghmc", Text: "GHM-C: cross entropy over the density of gradients (Li et al. 2019, eq. 9)", Params: []kinds.Param{
		{Key: "bins", Default: 30, Min: 1, Max: 10000, Text: "parts in which gradients are counted"},
		{Key: "bin_momentum", Default: .75, Max: .9999, Text: "share of earlier batches in the counts"},
	}},
	Class: func(p Params) Class {
		return &GHM{Bins: p.Bins, Momentum: p.BinMomentum, Classes: p.ClassWeights.list()}
	},
	ClassWeights: true,
}}

// Eval sums the loss.
func (h *GHM) Eval(grad, logits []float32, labels []int32) float64 {
	return h.EvalWeighted(grad, logits, labels, alike)
}

// EvalWeighted sums the loss with a factor on the loss of each row.
func (h *GHM) EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	loss, _ := h.eval(grad, logits, labels, factor, alone)
	return loss
}

// Train sums the loss and keeps the counts.
func (h *GHM) Train(grad, logits []float32, labels []int32, factor func(row int) float64) (loss float64) {
	loss, h.counts = h.eval(grad, logits, labels, factor, h.total)
	return loss
}

// State returns the counts, one per bin.
func (h *GHM) State() []float64 { return append([]float64(nil), h.counts...) }

// SetState takes counts.
func (h *GHM) SetState(state []float64, _ int) error {
	if len(state) != 0 && len(state) != h.Bins {
		return fmt.Errorf("loss: %d counts of gradients for loss.bins %d", len(state), h.Bins)
	}
	if err := checkState(state); err != nil {
		return err
	}
	h.counts = append([]float64(nil), state...)
	return nil
}

// eval returns the loss and the counts with the batch, whose counts go through total.
func (h *GHM) eval(grad, logits []float32, labels []int32, factor func(row int) float64, total func([]float64)) (loss float64, counts []float64) {
	if h.Bins < 1 {
		panic("loss: GHM wants at least one bin")
	}
	now, objects := h.count(logits, labels, total)
	counts = make([]float64, h.Bins)
	copy(counts, h.counts)
	filled := 0
	for b, n := range now {
		if n == 0 {
			continue
		}
		filled++
		if counts[b] > 0 {
			n = h.Momentum*counts[b] + (1-h.Momentum)*n
		}
		counts[b] = n
	}
	scale := math.Max(objects, 1) / math.Max(float64(filled), 1)
	return columns(grad, logits, labels, factor, h.Classes, func(xt float64) (loss, slope float64) {
		g := sigmoid(-xt)
		w := scale
		if b := h.bin(g); b >= 0 {
			w /= counts[b]
		}
		return w * softplus(-xt), -w * g
	}), counts
}

// count returns the tasks of a batch by bin, and the rows with a class, all of which go through total.
func (h *GHM) count(logits []float32, labels []int32, total func([]float64)) (tasks []float64, objects float64) {
	if err := Check(logits, labels); err != nil {
		panic(err.Error())
	}
	parts := make([][]float64, (len(labels)+chunk-1)/chunk)
	each(len(parts), func(n int) {
		parts[n] = h.countRows(logits, labels, n*chunk, min((n+1)*chunk, len(labels)))
	})
	all := make([]float64, h.Bins+1)
	tasks = all[:h.Bins]
	for _, p := range parts { // whole numbers: their sum is exact
		for b, v := range p {
			tasks[b] += v
		}
	}
	for _, label := range labels {
		if label >= 0 {
			all[h.Bins]++
		}
	}
	total(all)
	return tasks, all[h.Bins]
}

// countRows returns the tasks of the rows from one to another by bin.
func (h *GHM) countRows(logits []float32, labels []int32, from, to int) []float64 {
	tasks, k := make([]float64, h.Bins), len(logits)/len(labels)
	for i := from; i < to; i++ {
		if labels[i] == Ignored {
			continue
		}
		for c, x := range logits[i*k : (i+1)*k] {
			if b := h.bin(sigmoid(-sign(c, labels[i]) * float64(x))); b >= 0 {
				tasks[b]++
			}
		}
	}
	return tasks
}

// bin returns the bin of a gradient's length, -1 for what is not a number.
func (h *GHM) bin(g float64) int {
	if math.IsNaN(g) {
		return -1
	}
	return min(int(g*float64(h.Bins)), h.Bins-1)
}

// checkState returns an error unless all numbers are finite and at least 0.
func checkState(state []float64) error {
	for i, v := range state {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("loss: number %d of the state is %g, want a finite number of at least 0", i, v)
		}
	}
	return nil
}
