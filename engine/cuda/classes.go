//go:build gpu && linux && amd64

package cuda

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// ClassLoss computes a class loss over levels. A label that is no class is an error of the next Download.
func (e *Engine) ClassLoss(loss *tensor.Dense, levels []engine.ClassLevel, norm *tensor.Dense, p engine.ClassParams) error {
	var sizes []int
	for _, l := range levels {
		sizes = append(sizes, size(l.Logits))
	}
	return e.sumAll(loss, sizes, func(i int, grid [3]int, part uint64) error {
		return e.classes(grid, part, 0, levels[i], norm, 0, p)
	})
}

// ClassLossGrad computes its gradient by the logits.
func (e *Engine) ClassLossGrad(levels []engine.ClassLevel, norm, up *tensor.Dense, p engine.ClassParams) error {
	for _, l := range levels {
		if err := e.classes([3]int{sumBlocks(size(l.Logits)), 1, 1}, 0, at(l.Grad), l, norm, at(up), p); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) classes(grid [3]int, part, grad uint64, l engine.ClassLevel, norm *tensor.Dense, up uint64, p engine.ClassParams) error {
	s := l.Labels.Shape()
	n, a, k := s[0], s[1], size(l.Logits)/size(l.Labels)
	e.unjudged = true
	if p.Form == engine.Softmax {
		team := 1 // threads of a row
		for team < k && team < 32 {
			team *= 2
		}
		return e.launch("softmax", grid, threads, part, grad, at(l.Logits), at(l.Labels), at(norm), up, at(e.labels), long(n), long(a), long(k), long(team))
	}
	return e.launch("binary", grid, threads, part, grad, at(l.Logits), at(l.Labels), maybe(l.Deltas), maybe(l.Targets), maybe(l.Anchors), at(norm), up, at(e.labels),
		long(n), long(a), long(k), long(int(p.Form)), float(p.Alpha), float(p.Gamma), float(p.Beta))
}
