package quant

import (
	"fmt"
	"math"
	"strings"
)

// Method finds the range of an activation in its histogram.
type Method struct {
	Kind       string  // minmax, percentile or entropy
	Percentile float64 // of values on either side that are not clipped; read by percentile
}

// Kinds lists the methods.
func Kinds() []string { return []string{"entropy", "percentile", "minmax"} }

// Check reports whether there is such a method.
func (m Method) Check() error {
	switch m.Kind {
	case "entropy", "minmax":
		return nil
	case "percentile":
		if !(m.Percentile > 50 && m.Percentile <= 100) {
			return fmt.Errorf("quant: percentile %g; give more than 50, at most 100", m.Percentile)
		}
		return nil
	}
	return fmt.Errorf("quant: no method %q; there are %s", m.Kind, strings.Join(Kinds(), ", "))
}

// String names the method with its parameter.
func (m Method) String() string {
	if m.Kind == "percentile" {
		return fmt.Sprintf("percentile %g", m.Percentile)
	}
	return m.Kind
}

// Range of the values of h.
func (m Method) Range(h *Histogram) Range {
	r := Range{h.Least, h.Most}
	if h.width == 0 {
		return r
	}
	switch m.Kind {
	case "percentile":
		tail := int64(math.Round((1 - m.Percentile/100) * float64(h.Count)))
		r.Least = max(r.Least, -h.edge(&h.below, tail))
		r.Most = min(r.Most, h.edge(&h.above, tail))
	case "entropy":
		t := h.entropy()
		r.Least, r.Most = max(r.Least, -t), min(r.Most, t)
	}
	return r
}

// edge is the magnitude beyond which there are at most so many values.
func (h *Histogram) edge(b *[bins]int64, beyond int64) float32 {
	i := bins
	for ; i > 0; i-- {
		if beyond -= b[i-1]; beyond < 0 {
			break
		}
	}
	return float32(float64(i) * h.width)
}

// entropy is the threshold at which the distribution of magnitudes and its quantized self differ least, by Kullback and
// Leibler's divergence: Migacz 2017, "8-bit Inference with TensorRT". A clipped value counts in the last bin.
func (h *Histogram) entropy() float32 {
	steps := 255
	if h.Least < 0 {
		steps = 128 // for each sign
	}
	var counts [bins]float64
	total, last := 0., 0
	for i := range counts {
		counts[i] = float64(h.above[i] + h.below[i])
		total += counts[i]
		if counts[i] > 0 {
			last = i + 1
		}
	}
	best, least := last, math.Inf(1)
	outside := total
	for _, c := range counts[:min(steps, last)] {
		outside -= c
	}
	const stride = 4
	for n := steps; n < last+stride; n += stride {
		n := min(n, last)
		if d := divergence(counts[:n], outside, steps); d <= least {
			best, least = n, d
		}
		for _, c := range counts[n:min(n+stride, last)] {
			outside -= c
		}
	}
	return float32(float64(best) * h.width)
}

// divergence of counts, the last of which has outside besides, from themselves in so many steps: each step's counts are
// spread evenly over its bins that are not empty.
func divergence(counts []float64, outside float64, steps int) float64 {
	var total float64
	for _, c := range counts {
		total += c
	}
	if total == 0 {
		return math.Inf(1)
	}
	d := 0.
	for s := range steps {
		part := counts[s*len(counts)/steps : (s+1)*len(counts)/steps]
		sum, full := 0., 0
		for _, c := range part {
			if sum += c; c > 0 {
				full++
			}
		}
		for i, c := range part {
			p, q := c, 0.
			if c > 0 {
				q = sum / float64(full)
			}
			if s == steps-1 && i == len(part)-1 {
				p += outside
			}
			if p > 0 {
				// Infinite where all of the last bin is clipped: such a threshold is none.
				d += p / (total + outside) * math.Log(p*total/((total+outside)*q))
			}
		}
	}
	return d
}
