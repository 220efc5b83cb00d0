package loss

import (
	"fmt"
	"math"
)

// gradientSums are the sums of |dL/dx| by class over all batches so far, of tasks with the class and without it. Both are empty before the
// first batch.
type gradientSums struct {
	with, without []float64
	pool
}

// ratio returns the sum of tasks with the class over that without it: infinite before the first batch and for a class without a gradient
// against it.
func (s gradientSums) ratio(class int) float64 {
	if class >= len(s.with) || s.without[class] == 0 {
		return math.Inf(1)
	}
	return s.with[class] / s.without[class]
}

// add takes the gradient [n,k] of a batch, or of a process's part of it. Values that are not finite are left out.
func (s *gradientSums) add(grad []float32, labels []int32) {
	k := len(grad) / max(len(labels), 1)
	if len(s.with) == 0 {
		s.with, s.without = make([]float64, k), make([]float64, k)
	}
	if s.sum == nil {
		addLengths(s.with, s.without, grad, labels)
		return
	}
	now := make([]float64, 2*k)
	addLengths(now[:k], now[k:], grad, labels)
	s.total(now)
	for c := range k {
		s.with[c] += now[c]
		s.without[c] += now[k+c]
	}
}

// addLengths adds the length of each task's gradient to the sum of its class, of tasks with the class or without it.
func addLengths(with, without []float64, grad []float32, labels []int32) {
	k := len(with)
	for i, label := range labels {
		for c, g := range grad[i*k : (i+1)*k] {
			to := without
			if int32(c) == label {
				to = with
			}
			if v := math.Abs(float64(g)); v <= math.MaxFloat32 {
				to[c] += v
			}
		}
	}
}

// State returns the sums of the classes' own gradients, then those of the others.
func (s *gradientSums) State() []float64 {
	return append(append([]float64(nil), s.with...), s.without...)
}

// SetState takes sums.
func (s *gradientSums) SetState(state []float64, k int) error {
	if len(state) != 0 && len(state) != 2*k {
		return fmt.Errorf("loss: %d sums of gradients for %d classes, want two for each", len(state), k)
	}
	if err := checkState(state); err != nil {
		return err
	}
	half := len(state) / 2
	s.with, s.without = append([]float64(nil), state[:half]...), append([]float64(nil), state[half:]...)
	return nil
}
