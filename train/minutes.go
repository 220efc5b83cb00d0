package train

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"retinago/config"
)

const (
	// coldSteps are not measured: they choose kernels and build graphs.
	coldSteps = 5
	// fitAfter is the number of steps after which the length of a run of train.minutes is chosen.
	fitAfter = 20
	// openEnd is the length of a run until it is chosen: no schedule changes the rate before it has begun.
	openEnd = math.MaxInt32
)

// budgeted is the hook that chooses the length of a run of train.minutes, after the first steps of the process.
type budgeted struct {
	w        io.Writer
	pictures int // of the validation set
	cold     time.Duration
	begun    time.Time
}

func (b *budgeted) Reads(int) Reads { return ReadsNumbers }

func (b *budgeted) Begin(context.Context, *Loop) error { b.begun = time.Now(); return nil }

func (b *budgeted) Step(_ context.Context, l *Loop, s Step) error {
	if l.schedule.Steps != openEnd {
		return nil
	}
	switch s.Number - l.first {
	case coldSteps:
		b.cold = l.training
	case fitAfter:
		c := l.config.Train
		step := (l.training - b.cold) / (fitAfter - coldSteps)
		left := time.Duration(c.Minutes*float64(time.Minute)) - time.Since(b.begun)
		n, err := l.world.ShareNumber(float64(s.Number + stepsWithin(left, step, evaluationTime(step, b.pictures, c.Batch), c.EvalEvery)))
		if err != nil {
			return err
		}
		l.schedule = newSchedule(c, l.schedule.Epoch, int(n))
		l.loader.EndEarly(l.schedule.share(c.AugmentUntil))
		fmt.Fprintf(b.w, "schedule  %s: what fits into train.minutes %g at %.3g s a step\n", l.schedule, c.Minutes, step.Seconds())
	}
	return nil
}

func (b *budgeted) End(context.Context, *Loop, error) error { return nil }

// evaluationTime estimates an evaluation: an image takes a third of the time that it takes in training.
func evaluationTime(step time.Duration, pictures, batch int) time.Duration {
	return step * time.Duration(pictures) / time.Duration(3*batch)
}

// stepsWithin returns how many steps fit into a time, with an evaluation after every so many of them (0 is none) and one at the end.
func stepsWithin(left, step, evaluation time.Duration, every int) int {
	each := float64(step)
	if every > 0 {
		each += float64(evaluation) / float64(every)
	}
	return max(int(float64(left-evaluation)/max(each, 1)), 0)
}

// resumedSteps returns the length of a run that resumes: the one that was chosen, in the proportion in which train.minutes changed. 0 is
// a length that is not chosen yet.
func resumedSteps(chosen int, before, now config.Train) int {
	if before.Minutes > 0 && before.Minutes != now.Minutes {
		chosen = int(math.Round(float64(chosen) * now.Minutes / before.Minutes))
	}
	return chosen
}
