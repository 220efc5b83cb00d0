package quant

import (
	"errors"
	"math"
)

// bins of a histogram, for each sign. The largest magnitude falls into the upper half of them.
const bins = 2048

// Histogram counts values by size; the zero value has seen none. It widens as larger values come, by joining its bins in pairs.
type Histogram struct {
	Least, Most float32 // seen
	Count       int64   // of all values; those that are 0 are in no bin, since every scale has a 0
	width       float64 // of a bin; a power of two, 0 before the first value
	above       [bins]int64
	below       [bins]int64 // of negative values, by magnitude
}

// Add counts values, which must be finite.
func (h *Histogram) Add(v []float32) error {
	least, most := h.Least, h.Most
	for _, x := range v {
		least, most = min(least, x), max(most, x)
	}
	if d := most - least; d-d != 0 { // min and max pass a NaN on
		return errors.New("not all are finite")
	}
	h.Least, h.Most = least, most
	h.Count += int64(len(v))
	h.widen(max(float64(most), -float64(least)))
	if h.width == 0 {
		return nil
	}
	per := float32(1 / h.width)
	for _, x := range v {
		switch {
		case x > 0:
			h.above[int(x*per)]++
		case x < 0:
			h.below[int(-x*per)]++
		}
	}
	return nil
}

// widen makes room for a magnitude.
func (h *Histogram) widen(m float64) {
	if m == 0 || m < h.width*bins {
		return
	}
	_, exp := math.Frexp(m) // m < 2^exp
	width := math.Ldexp(1, exp) / bins
	if h.width == 0 {
		h.width = width
		return
	}
	for ; h.width < width; h.width *= 2 {
		for _, b := range []*[bins]int64{&h.above, &h.below} {
			for i := range bins / 2 {
				b[i] = b[2*i] + b[2*i+1]
			}
			clear(b[bins/2:])
		}
	}
}
