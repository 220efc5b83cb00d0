package anchors

import (
	"errors"
	"math"
	"slices"
)

// fitObjects is the largest number of objects that Fit reads. Of more objects it reads every n-th.
const fitObjects = 10000

// Fit returns anchors with as many scales and ratios per cell as c, fitted to the objects: ratios by k-means in the
// logarithm of height/width, base sizes doubling from level to level, scales dividing the doubling evenly; then each
// size, scale and ratio is moved up or down as long as the mean IoU of objects with their best anchor grows (the
// measure of Redmon and Farhadi 2017, "YOLO9000", section 2, but with the anchors at their places in the grid). The
// result is never worse than c by that measure.
func (c Config) Fit(pictures []Picture) (Config, error) {
	pictures = sample(pictures)
	if len(pictures) == 0 {
		return Config{}, errors.New("anchors: no objects with area to fit to")
	}
	best, value := c.clone(), c.mean(pictures)
	start := c.clone()
	start.Ratios = ratios(pictures, len(c.Ratios))
	for i := range start.Scales {
		start.Scales[i] = math.Pow(2, float64(i)/float64(len(start.Scales)))
	}
	// The first size, from half the finest stride up to eight times it.
	for step := range 17 {
		try := start.clone()
		for l := range try.Sizes {
			try.Sizes[l] = float64(c.Strides[0]) * math.Pow(2, float64(step-4)/4+float64(l))
		}
		if v := try.mean(pictures); v > value {
			best, value = try, v
		}
	}
	for _, factor := range []float64{1.2, 1.1, 1.05, 1.02} {
		best, value = best.climb(pictures, value, factor)
	}
	if r := best.round(); r.mean(pictures) >= c.mean(pictures) {
		best = r
	}
	return best, nil
}

// climb multiplies one number at a time by factor or its inverse and keeps each improvement, until there is none.
func (c Config) climb(pictures []Picture, value, factor float64) (Config, float64) {
	for better := true; better; {
		better = false
		for i := range len(c.Sizes) + len(c.Scales) + len(c.Ratios) {
			for _, f := range []float64{factor, 1 / factor} {
				try := c.clone()
				*try.number(i) *= f
				// Gains below the rounding error would never end.
				if v := try.mean(pictures); v > value+1e-6 {
					c, value, better = try, v, true
					break
				}
			}
		}
	}
	return c, value
}

// number addresses the i-th of all sizes, scales and ratios.
func (c Config) number(i int) *float64 {
	for _, list := range [][]float64{c.Sizes, c.Scales, c.Ratios} {
		if i < len(list) {
			return &list[i]
		}
		i -= len(list)
	}
	panic("anchors: no such number")
}

func (c Config) clone() Config {
	c.Strides, c.Sizes = slices.Clone(c.Strides), slices.Clone(c.Sizes)
	c.Scales, c.Ratios = slices.Clone(c.Scales), slices.Clone(c.Ratios)
	return c
}

// round rounds numbers for readers and sorts them in rising order.
func (c Config) round() Config {
	c = c.clone()
	for list, unit := range map[*[]float64]float64{&c.Sizes: 10, &c.Scales: 1000, &c.Ratios: 1000} {
		for i, v := range *list {
			(*list)[i] = math.Round(v*unit) / unit
		}
	}
	slices.Sort(c.Scales)
	slices.Sort(c.Ratios)
	return c
}

// mean returns the mean IoU of objects with their best anchor.
func (c Config) mean(pictures []Picture) float64 {
	f := c.finder()
	sum, n := 0., 0
	for _, p := range pictures {
		for _, b := range p.Boxes {
			sum += float64(f.best(b, p.W, p.H))
		}
		n += len(p.Boxes)
	}
	return sum / float64(n)
}

// sample keeps the objects with area, thinned out evenly to fitObjects.
func sample(pictures []Picture) []Picture {
	n := 0
	for _, p := range pictures {
		n += len(p.Boxes)
	}
	every := (n + fitObjects - 1) / fitObjects
	var out []Picture
	i := 0
	for _, p := range pictures {
		q := Picture{W: p.W, H: p.H}
		for _, b := range p.Boxes {
			if b.W() > 0 && b.H() > 0 {
				if i%every == 0 {
					q.Boxes = append(q.Boxes, b)
				}
				i++
			}
		}
		if len(q.Boxes) > 0 {
			out = append(out, q)
		}
	}
	return out
}

// ratios returns the centres of k clusters of log(height/width), by Lloyd's iteration from evenly spaced quantiles.
func ratios(pictures []Picture, k int) []float64 {
	var logs []float64
	for _, p := range pictures {
		for _, b := range p.Boxes {
			logs = append(logs, math.Log(float64(b.H())/float64(b.W())))
		}
	}
	slices.Sort(logs)
	centers := make([]float64, k)
	for i := range centers {
		centers[i] = logs[(2*i+1)*len(logs)/(2*k)]
	}
	for range 100 {
		sum, count := make([]float64, k), make([]float64, k)
		for _, v := range logs {
			near := 0
			for i, c := range centers {
				if math.Abs(v-c) < math.Abs(v-centers[near]) {
					near = i
				}
			}
			sum[near] += v
			count[near]++
		}
		moved := false
		for i := range centers {
			if count[i] > 0 && sum[i]/count[i] != centers[i] {
				centers[i], moved = sum[i]/count[i], true
			}
		}
		if !moved {
			break
		}
	}
	for i := range centers {
		centers[i] = math.Exp(centers[i])
	}
	return centers
}
