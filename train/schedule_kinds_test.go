package train

import (
	"math"
	"testing"

	"retinago/config"
)

// scheduled is a schedule of 100 steps at a rate of .01, without warm-up.
func scheduled(name string, change func(*config.Train)) Schedule {
	c := config.Default().Train
	c.Schedule, c.WarmupSteps, c.Steps = name, 0, 100
	if change != nil {
		change(&c)
	}
	return NewSchedule(c, 10)
}

// The cycles begin at the rate and follow half a cosine of their own length.
func TestCosineRestarts(t *testing.T) {
	equal := scheduled("cosine_restarts", func(c *config.Train) { c.Cycles = 4 })
	doubled := scheduled("cosine_restarts", func(c *config.Train) { c.Cycles, c.CycleGrowth = 2, 3 })
	for _, k := range []struct {
		s    Schedule
		step int
		want float64 // share of the rate
	}{
		{equal, 0, 1}, {equal, 24, (1 + math.Cos(math.Pi*24/25)) / 2}, {equal, 25, 1}, {equal, 50, 1}, {equal, 75, 1}, {equal, 85, (1 + math.Cos(math.Pi*10/25)) / 2},
		{doubled, 24, (1 + math.Cos(math.Pi*24/25)) / 2}, {doubled, 25, 1}, {doubled, 26, (1 + math.Cos(math.Pi/75)) / 2}, {doubled, 99, (1 + math.Cos(math.Pi*74/75)) / 2},
	} {
		if got := k.s.At(k.step) / .01; math.Abs(got-k.want) > 1e-12 {
			t.Errorf("%d cycles, step %d: %g, want %g", k.s.c.Cycles, k.step, got, k.want)
		}
	}
	// More cycles than steps, and cycles that shrink below a step.
	for _, s := range []Schedule{
		scheduled("cosine_restarts", func(c *config.Train) { c.Cycles = 100 }),
		scheduled("cosine_restarts", func(c *config.Train) { c.Cycles, c.CycleGrowth = 100, .1 }),
		scheduled("cosine_restarts", func(c *config.Train) { c.Cycles, c.CycleGrowth = 100, 10 }),
		scheduled("cosine_restarts", func(c *config.Train) { c.Steps = 1 }),
	} {
		for step := range s.Steps + 1 {
			if got := s.At(step); !(got >= 0 && got <= .01) {
				t.Errorf("%d cycles that grow by %g, step %d: %g", s.c.Cycles, s.c.CycleGrowth, step, got)
			}
		}
	}
}

// The rates are those of PyTorch's OneCycleLR(max_lr=.01, total_steps=100, pct_start=.3, div_factor=25, final_div_factor=1e4): cosines
// between .0004 at step 0, .01 at step 29 and .00000004 at step 99.
func TestOneCycle(t *testing.T) {
	s := scheduled("one_cycle", func(c *config.Train) { c.WarmupSteps = 50 })
	if s.Warmup != 0 {
		t.Errorf("%d steps of warm-up", s.Warmup)
	}
	between := func(from, to, share float64) float64 { return to + (from-to)/2*(1+math.Cos(math.Pi*share)) }
	for step := range 100 {
		want := between(.0004, .01, float64(step)/29)
		if step > 29 {
			want = between(.01, 4e-8, float64(step-29)/70)
		}
		if got := s.At(step); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: %g, want %g", step, got, want)
		}
	}
	for _, steps := range []int{1, 2, 3} {
		s := scheduled("one_cycle", func(c *config.Train) { c.Steps = steps })
		for step := range steps {
			if got := s.At(step); !(got >= 4e-9 && got <= .01) {
				t.Errorf("%d steps, step %d: %g", steps, step, got)
			}
		}
	}
}
