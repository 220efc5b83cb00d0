package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/dataset/data"
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
	GradNorm  float64 // before clipping; 0 of a skipped step
	LossScale float64 // of fp16 after the step, 0 elsewhere
	Skipped   bool    // gradients overflowed and changed nothing
	Names     []string
	Wait      time.Duration // for data
	Took      time.Duration // the whole step, or since the one before was done

	out        string
	data       *data.Dataset
	loader     *data.Loader
	stepper    *Stepper
	info       detector.Info
	conditions conditions
	hooks      []Hook
	journal    *journal
	first      int           // step at which this process began
	training   time.Duration // in steps, without evaluation and checkpoints
	warned     bool          // of steps that are not recorded
	under      []underWay    // steps that were begun and are not done, oldest first
	settled    time.Time     // when the last step was done

	evaluated   []int              // steps that were measured
	metrics     map[string]float64 // of the last of them
	bestAP      float64
	bestStep    int
	bestUnsaved bool // the model of this step is the best, and not saved yet
	unmeasured  bool // the evaluation of this step was interrupted

	// The next batch is number position of the epoch; one whose step could not begin is the next again.
	epoch, position int
}

// run takes the remaining steps. A cancelled context ends it after the step in progress, with a checkpoint.
func (l *Loop) run(ctx context.Context, w io.Writer) (err error) {
	l.first = l.Step
	l.epoch, l.position = l.loader.State()
	defer func() {
		if errors.Is(err, engine.ErrMemory) && len(l.under) == 0 {
			err = l.outOfMemory(err)
		}
		// An interrupted run saves. One that failed has what its last checkpoint saved.
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
	for l.begun() < l.Schedule.Steps {
		err := ctx.Err()
		if err == nil {
			err = l.begin(ctx)
		}
		if e := l.stepper.notRecorded; e != nil && !l.warned {
			l.warned = true
			fmt.Fprintf(w, "warning   steps are given to the device operation by operation, slower than as a graph: %v\n", e)
		}
		ahead := 0
		if err == nil && l.begun() < l.Schedule.Steps && l.mayGoAhead() {
			ahead = 1
		}
		if e := l.settle(ctx, ahead); e != nil {
			return e
		}
		// A step that was finished in spite of the interruption counts: its hooks see it, the next round ends the run.
		if err != nil && errors.Is(err, ctx.Err()) {
			fmt.Fprintf(w, "interrupted: saving step %d\n", l.Step)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// underWay is a step that was begun, with what is known of it before it is done.
type underWay struct {
	start time.Time
	lr    float64
	names []string
	wait  time.Duration
}

// begun is the number of steps that are done or under way.
func (l *Loop) begun() int { return l.Step + len(l.under) }

// begin takes one step, or has the engine take it while the host goes on.
func (l *Loop) begin(ctx context.Context) error {
	start := time.Now()
	b, wait, err := l.loader.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	targets := b.Prepared.(*detector.Targets)
	s := underWay{start: start, lr: l.Schedule.At(l.begun()), names: b.Names, wait: wait}
	if b.Pictures != nil {
		if err := l.stepper.Prepare(b.N, b.H, b.W, b.Pictures); err != nil {
			return err
		}
	}
	if err := l.stepper.Queue(b.N, b.H, b.W, b.Images, targets, s.lr); err != nil {
		return fmt.Errorf("train: step %d: %w", l.begun(), err)
	}
	l.under = append(l.under, s)
	l.epoch, l.position = l.loader.State()
	return nil
}

// settle waits for steps until as many as ahead are under way, and tells the hooks of each.
func (l *Loop) settle(ctx context.Context, ahead int) error {
	for len(l.under) > ahead {
		s := l.under[0]
		taken, err := l.stepper.Report()
		l.LR, l.Names, l.Positives, l.Wait = s.lr, s.names, taken.Positives, s.wait
		l.Losses, l.GradNorm, l.LossScale, l.Skipped = taken.Losses, taken.GradNorm, taken.LossScale, taken.Skipped
		if err != nil {
			return l.explain(err)
		}
		l.under = l.under[1:]
		l.Step++
		now := time.Now()
		l.Took = min(now.Sub(s.start), now.Sub(l.settled))
		l.training += l.Took
		l.settled = now
		for _, h := range l.hooks {
			if err := h.Step(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayGoAhead tells that the next step may begin before the last that was begun is done: the engine can, and no hook wants the model
// as that step leaves it.
func (l *Loop) mayGoAhead() bool {
	if _, ok := l.Model.Engine().(engine.Stepping); !ok {
		return false
	}
	for _, h := range l.hooks {
		if r, ok := h.(Reader); !ok || r.Wants(l.begun()) {
			return false
		}
	}
	return true
}

// epochs is how often the training set was seen.
func (l *Loop) epochs() float64 { return float64(l.Step) / float64(l.Schedule.Epoch) }
