package lab

import "math"

// lossHistogram has the counts and sums of losses in bins of 1/32 of a power of two, so that losses need not be kept and sorted.
type lossHistogram struct {
	counts []int
	sums   []float64
	n      int
	sum    float64
}

const (
	binsPerOctave = 32
	lowest        = -80 // octave; smaller losses go into the first bin
	octaves       = 100
)

func newLossHistogram() *lossHistogram {
	return &lossHistogram{counts: make([]int, octaves*binsPerOctave), sums: make([]float64, octaves*binsPerOctave)}
}

func (t *lossHistogram) add(v float64) {
	i := 0
	if v > 0 {
		i = min(max(int((math.Log2(v)-lowest)*binsPerOctave), 0), len(t.counts)-1)
	}
	t.counts[i]++
	t.sums[i] += v
	t.n++
	t.sum += v
}

// cumulative returns the cumulative share of the sum by the share of the values, smallest values first (Lin et al. 2017, figure 4). The
// curve goes from (0,0) to (1,1), with a point wherever either share has grown by 1/200.
func (t *lossHistogram) cumulative() []Point {
	if t.n == 0 || t.sum <= 0 {
		return nil
	}
	const far = 1. / 200
	out := []Point{{}}
	var before Point
	n, sum := 0, 0.0
	for i, c := range t.counts {
		if c == 0 {
			continue
		}
		n, sum = n+c, sum+t.sums[i]
		p := Point{float64(n) / float64(t.n), min(sum/t.sum, 1)}
		last := out[len(out)-1]
		if p.X-last.X >= far || p.Y-last.Y >= far {
			if before != last { // a bin of many: the line bends where it begins
				out = append(out, before)
			}
			out = append(out, p)
		}
		before = p
	}
	if last := &out[len(out)-1]; last.X == 1 {
		last.Y = 1 // but for rounding
		return out
	}
	return append(out, Point{1, 1})
}
