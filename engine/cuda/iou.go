//go:build gpu && linux && amd64

package cuda

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// IoULoss computes a loss between boxes over anchors with an object.
func (e *Engine) IoULoss(loss, deltas, targets, labels, norm, anchors *tensor.Dense, o engine.IoUKind) error {
	return e.sum(loss, size(labels), func(grid [3]int, part uint64) error {
		return e.overlap(grid, part, 0, deltas, targets, labels, norm, anchors, 0, o)
	})
}

// IoULossGrad computes its gradient by the deltas.
func (e *Engine) IoULossGrad(ddeltas, deltas, targets, labels, norm, anchors, up *tensor.Dense, o engine.IoUKind) error {
	return e.overlap([3]int{sumBlocks(size(labels)), 1, 1}, 0, at(ddeltas), deltas, targets, labels, norm, anchors, at(up), o)
}

func (e *Engine) overlap(grid [3]int, part, grad uint64, deltas, targets, labels, norm, anchors *tensor.Dense, up uint64, o engine.IoUKind) error {
	s := labels.Shape()
	return e.launch("overlap", grid, threads, part, grad, at(deltas), at(targets), at(labels), at(norm), at(anchors), up, long(s[0]), long(s[1]), long(int(o)))
}
