package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/data"
	"retinago/detector"
)

// Loop is a run of training. Its exported fields describe the last step, for hooks.
type Loop struct {
	Config   config.Config
	Model    *detector.Model
	Schedule Schedule

	Step      int // steps done
	Losses    detector.Losses
	Positives int     // positive anchors of the batch
	LR        float64 // of the step
	GradNorm  float64 // before clipping
	Names     []string
	Wait      time.Duration // for data
	Took      time.Duration // the whole step

	out        string
	data       *data.Dataset
	loader     *data.Loader
	stepper    *Stepper
	average    map[string]*tensor.Dense // moving average of the weights, nil when off
	info       detector.Info
	hooks      []Hook
	bestAP     float64
	metrics    map[string]float64
	unmeasured bool          // the evaluation of this step was interrupted
	first      int           // step at which this process began
	training   time.Duration // in steps, without evaluation and checkpoints
}

// run takes the remaining steps. A cancelled context ends it after the step in progress, with a checkpoint.
func (l *Loop) run(ctx context.Context, w io.Writer) (err error) {
	l.first = l.Step
	defer func() {
		// The hooks end in any case: a failed run closes its journal, an interrupted one saves.
		if err != nil {
			return
		}
		for _, h := range l.hooks {
			if e := h.End(ctx, l); e != nil {
				err = errors.Join(err, e)
			}
		}
	}()
	for _, h := range l.hooks {
		if err := h.Begin(ctx, l); err != nil {
			return err
		}
	}
	for l.Step < l.Schedule.Steps {
		err := ctx.Err()
		if err == nil {
			err = l.step(ctx)
		}
		// A step that was finished in spite of the interruption counts: its hooks see it, the next round ends the run.
		if err != nil && errors.Is(err, ctx.Err()) {
			fmt.Fprintf(w, "interrupted: saving step %d\n", l.Step)
			return nil
		}
		if err != nil {
			return err
		}
		for _, h := range l.hooks {
			if err := h.Step(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// step takes one step.
func (l *Loop) step(ctx context.Context) error {
	start := time.Now()
	b, wait, err := l.loader.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	targets := b.Prepared.(*detector.Targets)
	l.LR, l.Names, l.Positives = l.Schedule.At(l.Step), b.Names, sum(targets.Positives)
	taken, err := l.stepper.Take(b.N, b.H, b.W, b.Images, targets, l.LR)
	l.Losses, l.GradNorm = taken.Losses, taken.GradNorm
	if err != nil {
		return l.explain(err)
	}
	if l.average != nil {
		if err := l.updateAverage(); err != nil {
			return err
		}
	}
	l.Step++
	l.Wait, l.Took = wait, time.Since(start)
	l.training += l.Took
	return nil
}

// epochs is how often the training set was seen.
func (l *Loop) epochs() float64 { return float64(l.Step) / float64(l.Schedule.Epoch) }

func sum(v []int) int {
	n := 0
	for _, x := range v {
		n += x
	}
	return n
}
