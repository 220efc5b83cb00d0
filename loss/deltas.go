package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// Delta is a box loss that treats each coordinate by itself, and that engines have a kernel for.
type Delta interface {
	Box
	// At returns the loss of a coordinate whose prediction is d above its target, and its slope by d.
	At(d float64) (loss, slope float64)
	// Curve returns what the kernel computes.
	Curve() Curve
}

// Curve is a Delta loss for an engine's kernel: balanced L1 where Alpha is above 0, else smooth-L1 with Beta.
type Curve struct{ Beta, Alpha, Gamma float64 }

// SmoothL1 is, per coordinate with difference d, d*d/(2 Beta) where |d| < Beta and |d| - Beta/2 elsewhere
// (Girshick 2015, "Fast R-CNN", eq. 3, there with Beta 1). Beta 0 is L1.
type SmoothL1 struct{ Beta float64 }

// L1 is the sum of absolute differences.
type L1 struct{}

// BalancedL1 is balanced L1 (Pang et al. 2019, "Libra R-CNN", eqs. 7 to 9), whose slope at a difference d is Alpha log(b |d|/Beta + 1)
// below Beta and Gamma from there on, where b = e^(Gamma/Alpha) - 1 joins both: more gradient for small differences, and the same for
// all outliers. The paper has Alpha .5, Gamma 1.5 and Beta 1. Alpha and Gamma must be above 0, Beta at least 0.
type BalancedL1 struct{ Alpha, Gamma, Beta float64 }

var (
	_ Delta = SmoothL1{}
	_ Delta = L1{}
	_ Delta = BalancedL1{}
)

var deltaKinds = []BoxKind{
	{
		Kind: kinds.Kind{Name: "smoothl1", Text: "of deltas, quadratic below `beta` (Girshick 2015, eq. 3)",
			Params: []kinds.Param{{Key: "beta", Default: .1, Max: 1e9, Text: "difference at which the loss becomes linear"}}},
		New: func(beta float64) Box { return SmoothL1{Beta: beta} },
	},
	{Kind: kinds.Kind{Name: "l1", Text: "of deltas, the sum of absolute differences"}, New: func(float64) Box { return L1{} }},
	{
		Kind: kinds.Kind{Name: "balanced_l1", Text: "of deltas, with more gradient below `beta` (Pang et al. 2019, eqs. 7-9)",
			Params: []kinds.Param{{Key: "beta", Default: 1, Max: 1e9, Text: "difference at which the loss becomes linear"}}},
		New: func(beta float64) Box { return BalancedL1{Alpha: .5, Gamma: 1.5, Beta: beta} },
	},
}

// Eval sums the loss.
func (s SmoothL1) Eval(grad, pred, target []float32) float64 { return deltas(grad, pred, target, s.At) }

// At is the loss of a coordinate and its slope.
func (s SmoothL1) At(d float64) (loss, slope float64) {
	m := math.Abs(d)
	if m < s.Beta {
		return d * d / (2 * s.Beta), d / s.Beta
	}
	return m - s.Beta/2, direction(d)
}

// Curve returns the kernel's parameters.
func (s SmoothL1) Curve() Curve { return Curve{Beta: s.Beta} }

// Eval sums the loss.
func (L1) Eval(grad, pred, target []float32) float64 { return SmoothL1{}.Eval(grad, pred, target) }

// At is the loss of a coordinate and its slope.
func (L1) At(d float64) (loss, slope float64) { return SmoothL1{}.At(d) }

// Curve returns the kernel's parameters.
func (L1) Curve() Curve { return Curve{} }

// Eval sums the loss.
func (b BalancedL1) Eval(grad, pred, target []float32) float64 {
	return deltas(grad, pred, target, b.At)
}

// At is the loss of a coordinate and its slope: with y = b |d|/Beta, the integral of Alpha log(1+y) from 0 is
// Alpha (Beta/b (1+y) log(1+y) - |d|).
func (b BalancedL1) At(d float64) (loss, slope float64) {
	if !(b.Alpha > 0 && b.Gamma > 0) {
		panic("loss: BalancedL1 wants an Alpha and a Gamma above 0")
	}
	m, bend := math.Abs(d), math.Expm1(b.Gamma/b.Alpha)
	if m >= b.Beta {
		return b.Gamma*m + b.Beta*(b.Gamma/bend-b.Alpha), b.Gamma * direction(d)
	}
	y := bend * m / b.Beta
	l := math.Log1p(y)
	return b.Alpha * (b.Beta/bend*(1+y)*l - m), b.Alpha * l * direction(d)
}

// Curve returns the kernel's parameters.
func (b BalancedL1) Curve() Curve { return Curve{Beta: b.Beta, Alpha: b.Alpha, Gamma: b.Gamma} }

// direction is the sign of d, 0 for 0.
func direction(d float64) float64 {
	if d == 0 {
		return 0
	}
	return math.Copysign(1, d)
}

// deltas sums a loss of single coordinates; at returns loss and slope of a difference.
func deltas(grad, pred, target []float32, at func(d float64) (loss, slope float64)) float64 {
	if len(pred) != len(target) || grad != nil && len(grad) != len(pred) {
		panic(fmt.Sprintf("loss: %d predictions and %d targets, a gradient of %d", len(pred), len(target), len(grad)))
	}
	sum := 0.0
	for i, p := range pred {
		l, slope := at(float64(p) - float64(target[i]))
		sum += l
		if grad != nil {
			grad[i] = float32(slope)
		}
	}
	return sum
}
