package engine

import "math"

// AdamParams configures one step of Adam. Step counts from 1.
type AdamParams struct {
	LR, Beta1, Beta2, Eps, Decay, Scale float32
	Step                                int
	Decoupled                           bool
}

// Factors returns the numbers of one step that are equal for all weights, with the bias corrections of Kingma and Ba 2015, algorithm 1,
// folded in. With the averages m and v of the gradients g + decay*w and of their squares, the new weights are
//
//	shrink*w - step * m / (root*sqrt(v) + Eps)
//
// Decoupled decay (Loshchilov and Hutter 2019) is in shrink, any other in decay.
func (p AdamParams) Factors() (step, root, decay, shrink float32) {
	step = float32(float64(p.LR) / (1 - math.Pow(float64(p.Beta1), float64(p.Step))))
	root = float32(1 / math.Sqrt(1-math.Pow(float64(p.Beta2), float64(p.Step))))
	if p.Decoupled {
		return step, root, 0, 1 - p.LR*p.Decay
	}
	return step, root, p.Decay, 1
}
