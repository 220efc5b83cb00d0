package train

import (
	"math"

	"retinago/config"
)

// multistep multiplies the rate by train.gamma at each milestone (Lin et al. 2017, section 5: twice by 0.1).
var multistep = ScheduleKind{
	Name: "multistep",
	Text: "the rate times gamma at each milestone",
	Params: []Param{
		{"milestones", "[0.6666666666666666, 0.8888888888888888]", "0", "1", "shares of the whole run, rising, both bounds excluded"},
		{"gamma", "0.1", "0", "1e+09", "factor at each milestone; above 0"},
	},
	New: func(c config.Train, s *Schedule) func(int) float64 {
		var at []int
		for _, m := range c.Milestones {
			at = append(at, s.share(m))
		}
		s.Milestones = at
		base := s.Base
		return func(step int) float64 {
			lr := base
			for _, m := range at {
				if step >= m {
					lr *= c.Gamma
				}
			}
			return lr
		}
	},
}

// cosine is Loshchilov and Hutter 2017, eq. 5, without restarts.
var cosine = ScheduleKind{
	Name: "cosine",
	Text: "half a cosine from the rate to 0",
	New: func(_ config.Train, s *Schedule) func(int) float64 {
		base, steps := s.Base, float64(s.Steps)
		return func(step int) float64 {
			return base * ((1 + math.Cos(math.Pi*float64(step)/steps)) / 2)
		}
	},
}

// constant keeps the rate.
var constant = ScheduleKind{
	Name: "constant",
	Text: "the same rate to the end",
	New: func(_ config.Train, s *Schedule) func(int) float64 {
		base := s.Base
		return func(int) float64 { return base }
	},
}

// cosineRestarts is Loshchilov and Hutter 2017, "SGDR", eq. 5: the rate falls to 0 along half a cosine in each cycle and begins the next
// one at its full height.
var cosineRestarts = ScheduleKind{
	Name: "cosine_restarts",
	Text: "cycles of half a cosine from the rate to 0",
	Params: []Param{
		{"cycles", "3", "1", "100", "cycles of the run"},
		{"cycle_growth", "1", "0", "10", "length of a cycle, in lengths of the one before; above 0"},
	},
	New: func(c config.Train, s *Schedule) func(int) float64 {
		ends := cycleEnds(s.Steps, c.Cycles, c.CycleGrowth)
		base := s.Base
		return func(step int) float64 {
			begin, end := 0.0, 0.0
			for _, end = range ends {
				if float64(step) < end {
					break
				}
				begin = end
			}
			if begin == end {
				return 0 // after the last step
			}
			return base * ((1 + math.Cos(math.Pi*(float64(step)-begin)/(end-begin))) / 2)
		}
	},
}

// cycleEnds returns the steps, whole numbers, at which the cycles of a run end. A cycle is growth times as long as the one before. Cycles
// shorter than half a step are left out.
func cycleEnds(steps, cycles int, growth float64) []float64 {
	var total, length float64 = 0, 1
	for range cycles {
		total += length
		length *= growth
	}
	var ends []float64
	var sum float64
	length = 1
	for range cycles {
		sum += length
		length *= growth
		end := math.Round(sum / total * float64(steps))
		if len(ends) == 0 && end >= 1 || len(ends) > 0 && end > ends[len(ends)-1] {
			ends = append(ends, end)
		}
	}
	return ends
}

// oneCycle is Smith 2018, "Super-convergence", with PyTorch's cosine form (OneCycleLR): the rate rises from rise_from times its height
// to its height, and falls to fall_to times its height at the last step. Momentum stays the same. The rise takes the place of the warm-up.
var oneCycle = ScheduleKind{
	Name: "one_cycle",
	Text: "one rise and one fall, without warm-up",
	Params: []Param{
		{"rise", "0.3", "0", "1", "share of the run in which the rate rises; both bounds excluded"},
		{"rise_from", "0.04", "0", "1", "share of the rate at the first step"},
		{"fall_to", "4e-06", "0", "1", "share of the rate at the last step"},
	},
	New: func(c config.Train, s *Schedule) func(int) float64 {
		s.Warmup = 0
		base, last := s.Base, float64(s.Steps-1)
		peak := c.Rise*float64(s.Steps) - 1
		top := max(peak, 0)
		between := func(from, to, share float64) float64 { return to + (from-to)/2*(1+math.Cos(math.Pi*share)) }
		return func(step int) float64 {
			if t := float64(step); t <= peak && peak > 0 {
				return base * between(c.RiseFrom, 1, t/peak)
			} else if last > top {
				return base * between(1, c.FallTo, (t-top)/(last-top))
			}
			return base
		}
	},
}
