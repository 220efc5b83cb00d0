package cpu

// #include "kernels.h"
import "C"

import (
	"time"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Peak measures the float32 peak of the engine's threads in FLOP/s: the best of a few runs of fused multiply-adds that
// stay in registers.
func (e *Engine) Peak() float64 {
	rounds, best := int64(1<<16), 0.0
	for tries := 0; tries < 5; {
		var flops float64
		begin := time.Now()
		e.worker.do(func() { flops = float64(C.rn_peak(C.int64_t(rounds))) })
		took := time.Since(begin).Seconds()
		if took < .05 {
			rounds *= 4
			continue
		}
		best = max(best, flops/took)
		tries++
	}
	return best
}

// PeakProduct measures the product of two matrices of 1024 x 1024 in FLOP/s, as the 1x1 convolution that it is: the
// best of a few.
func (e *Engine) PeakProduct() (float64, error) {
	const n = 1024
	var t [3]*tensor.Dense
	defer func() { e.Release(t[:]...) }()
	for i, shape := range [][]int{{1, 32, 32, n}, {1, 32, 32, n}, {n, n, 1, 1}} {
		var err error
		if t[i], err = e.New(tensor.Float32, shape...); err != nil {
			return 0, err
		}
	}
	best := 0.0
	for range 10 {
		begin := time.Now()
		if err := e.Conv(t[0], t[1], t[2], nil, nil, nil, engine.ConvParams{Stride: 1}); err != nil {
			return 0, err
		}
		best = max(best, 2*n*n*n/time.Since(begin).Seconds())
	}
	return best, nil
}
