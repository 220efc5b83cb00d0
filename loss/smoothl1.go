package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// SmoothL1 is, per coordinate with difference d, d*d/(2 Beta) where |d| < Beta and |d| - Beta/2 elsewhere
// (Girshick 2015, "Fast R-CNN", eq. 3, there with Beta 1). Beta 0 is L1.
type SmoothL1 struct{ Beta float64 }

// L1 is the sum of absolute differences.
type L1 struct{}

var (
	_ Box = SmoothL1{}
	_ Box = L1{}
)

var deltaKinds = []BoxKind{
	{
		Kind: kinds.Kind{Name: "smoothl1", Text: "of deltas, quadratic below `beta` (Girshick 2015, eq. 3)",
			Params: []kinds.Param{{Key: "beta", Default: .1, Max: 1e9, Text: "difference at which the loss becomes linear"}}},
		New: func(beta float64) Box { return SmoothL1{Beta: beta} },
	},
	{Kind: kinds.Kind{Name: "l1", Text: "of deltas, the sum of absolute differences"}, New: func(float64) Box { return L1{} }},
}

// Eval sums the loss.
func (s SmoothL1) Eval(grad, pred, target []float32) float64 {
	if len(pred) != len(target) || grad != nil && len(grad) != len(pred) {
		panic(fmt.Sprintf("loss: %d predictions and %d targets, a gradient of %d", len(pred), len(target), len(grad)))
	}
	sum := 0.0
	for i, p := range pred {
		d := float64(p) - float64(target[i])
		l, slope := math.Abs(d)-s.Beta/2, 0.0
		if d != 0 {
			slope = math.Copysign(1, d)
		}
		if math.Abs(d) < s.Beta {
			l, slope = d*d/(2*s.Beta), d/s.Beta
		}
		sum += l
		if grad != nil {
			grad[i] = float32(slope)
		}
	}
	return sum
}

// Eval sums the loss.
func (L1) Eval(grad, pred, target []float32) float64 { return SmoothL1{}.Eval(grad, pred, target) }
