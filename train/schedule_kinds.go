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
			at = append(at, int(math.Round(m*float64(s.Steps))))
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
