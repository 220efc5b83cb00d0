package quant

import (
	"fmt"
	"math"

	"retinago/engine"
)

// Range is the interval of an activation's values; values beyond it are clipped.
type Range struct {
	Least float32 `json:"least"`
	Most  float32 `json:"most"`
}

// Affine maps the range to 256 steps, one of which is exactly 0.
func (r Range) Affine() engine.Affine {
	lo, hi := min(float64(r.Least), 0), max(float64(r.Most), 0)
	scale := (hi - lo) / 255
	if !(scale > 1e-30) { // always 0
		return engine.Affine{Scale: 1}
	}
	return engine.Affine{Scale: float32(scale), Zero: uint8(math.RoundToEven(-lo / scale))}
}

// Scheme describes how a network computes in 8 bits. Layers have the names of their weights without ".weight".
type Scheme struct {
	Weights map[string][]float32 // per int8 convolution, the scale of each output channel's weights
	Ranges  map[string]Range     // per activation, by the layer that it comes from
	Method  string               // that the ranges were found by
	Images  int                  // that they were found on
}

// Check returns an error if the numbers of the scheme cannot be used.
func (s *Scheme) Check() error {
	for n, scales := range s.Weights {
		if len(scales) == 0 {
			return fmt.Errorf("quant: %s has no scales", n)
		}
		for i, v := range scales {
			if !(v > 0) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("quant: scale %d of %s is %g", i, n, v)
			}
		}
	}
	for n, r := range s.Ranges {
		if !(r.Least <= r.Most) || math.IsInf(float64(r.Most-r.Least), 0) {
			return fmt.Errorf("quant: the range of %s is %g to %g", n, r.Least, r.Most)
		}
	}
	return nil
}

// levels is the largest magnitude of a weight in s8. -128 is not used, so that the range is symmetric.
const levels = 127

// Scales returns the scales of weights w with the given number of output channels: the largest magnitude of each channel maps to 127.
func Scales(w []float32, channels int) []float32 {
	s := make([]float32, channels)
	for i := range s {
		most := float32(0)
		for _, v := range row(w, i, channels) {
			most = max(most, v, -v)
		}
		if s[i] = most / levels; !(s[i] > 1e-30) { // a dead channel
			s[i] = 1
		}
	}
	return s
}

// Round returns weights in units of their channels' scales.
func Round(w, scales []float32) []int8 {
	q := make([]int8, 0, len(w))
	for i, s := range scales {
		for _, v := range row(w, i, len(scales)) {
			q = append(q, int8(min(max(math.RoundToEven(float64(v)/float64(s)), -levels), levels)))
		}
	}
	return q
}

// Values returns the float values of s8 weights.
func Values(q []int8, scales []float32) []float32 {
	w := make([]float32, len(q))
	per := len(q) / len(scales)
	for i, v := range q {
		w[i] = float32(v) * scales[i/per]
	}
	return w
}

func row(w []float32, i, rows int) []float32 {
	n := len(w) / rows
	return w[i*n : (i+1)*n]
}
