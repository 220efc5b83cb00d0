package train

import (
	"fmt"
	"math"

	"retinago/config"
	"retinago/internal/text"
)

// Schedule holds the learning rates of the steps of a run.
type Schedule struct {
	Steps      int
	Epoch      int     // steps in one pass over the images
	Base       float64 // learning rate after warm-up
	Warmup     int     // steps of linear warm-up
	Milestones []int   // steps at which a multi-step schedule lowers the rate
	scale      float64 // batch / base batch
	c          config.Train
	rate       func(step int) float64 // after warm-up
}

// NewSchedule scales a recipe to its batch: k times the images per step take k times the learning rate and 1/k of
// the steps and of the warm-up, so that a run sees the same images (Goyal et al. 2017, "Accurate, Large Minibatch
// SGD", section 2.1). perEpoch is the number of batches in one pass over the training set. NewSchedule panics if
// the name of the schedule is unknown; Validate checks it. The length of a run of train.minutes is not known before it has begun: it has
// the largest number of steps, and the learning rates of a run without an end.
func NewSchedule(c config.Train, perEpoch int) Schedule {
	switch {
	case c.Minutes > 0:
		return newSchedule(c, perEpoch, openEnd)
	case c.Steps > 0:
		return newSchedule(c, perEpoch, max(int(math.Round(float64(c.Steps)/c.Scale())), 1))
	}
	return newSchedule(c, perEpoch, c.Epochs*perEpoch)
}

// newSchedule returns a schedule of so many steps.
func newSchedule(c config.Train, perEpoch, steps int) Schedule {
	k := c.Scale()
	s := Schedule{Steps: steps, Epoch: perEpoch, Base: c.LR * k, Warmup: int(math.Round(float64(c.WarmupSteps) / k)), scale: k, c: c}
	kind, err := scheduleNamed(c.Schedule)
	if err != nil {
		panic(err.Error()) // Validate has checked it
	}
	s.rate = kind.New(c, &s)
	return s
}

// At returns the learning rate of a step. Steps count from 0.
func (s Schedule) At(step int) float64 {
	lr := s.rate(step)
	if step < s.Warmup {
		t := float64(step+1) / float64(s.Warmup)
		lr *= s.c.WarmupFactor + (1-s.c.WarmupFactor)*t
	}
	return lr
}

// share returns the step at which a share of the run is over.
func (s Schedule) share(share float64) int { return int(math.Round(share * float64(s.Steps))) }

// String describes the schedule and its scaling.
func (s Schedule) String() string {
	length := fmt.Sprintf("%s (%.1f epochs of %d)", text.Count(s.Steps, "step"), float64(s.Steps)/float64(s.Epoch), s.Epoch)
	if s.Steps == openEnd {
		length = text.Count(s.c.Minutes, "minute")
	}
	out := fmt.Sprintf("%s, learning rate %.4g, %s", length, s.Base, s.c.Schedule)
	if len(s.Milestones) > 0 && s.Steps != openEnd {
		out += fmt.Sprintf(" x%g at %v", s.c.Gamma, s.Milestones)
	}
	if s.Warmup > 0 {
		out += fmt.Sprintf(", %s of warm-up", text.Count(s.Warmup, "step"))
	}
	if s.scale != 1 {
		out += fmt.Sprintf("; rate x%.4g and steps /%.4g for batch %d instead of %d", s.scale, s.scale, s.c.Batch, s.c.BaseBatch)
	}
	return out
}
