package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/cluster"
	"retinago/internal/dataset/data"
)

// Loop is a run of training: New builds it, Run takes its steps, Close frees it. Hooks call its methods. One goroutine at a time may
// use a Loop.
type Loop struct {
	config     config.Config
	model      *detector.Model
	schedule   Schedule
	last       Step
	out        string
	log        io.Writer
	alerts     io.Writer // receives what concerns this process alone: log, with the process's name where it is not the first
	world      *cluster.World
	data       *data.Dataset
	loader     *data.Loader
	stepper    *Stepper
	info       detector.Info
	conditions conditions
	hooks      []Hook
	journal    *journal
	closers    []func() error // close what New opened, in the order of opening
	ran        bool
	first      int           // number of steps before this process
	training   time.Duration // time in steps, without evaluations and checkpoints
	warned     bool          // the log has the warning about steps that are not recorded
	pending    []pendingStep // steps that have begun and are not done, oldest first
	settled    time.Time     // when the last step was done

	evaluated   []int              // steps with an evaluation
	metrics     map[string]float64 // of the last evaluation
	scores      []float64          // of the last evaluation, as detector.Info's
	bestAP      float64
	bestStep    int
	bestUnsaved bool // this step's model is the best and is not saved yet
	unmeasured  bool // the evaluation of this step was interrupted

	// The next batch is number position of the epoch. A batch whose step could not begin is taken again.
	epoch, position int
}

// Config returns the run's configuration, with the classes of the training set.
func (l *Loop) Config() config.Config { return l.config }

// Model returns the model that is trained. A hook that uses it must return ReadsModel from Reads.
func (l *Loop) Model() *detector.Model { return l.model }

// Schedule returns the length of the run and its learning rates.
func (l *Loop) Schedule() Schedule { return l.schedule }

// Last returns the last step that is done. Before the first step only its Number is set: 0, or the step at which the run resumes.
func (l *Loop) Last() Step { return l.last }

// pendingStep is a step that has begun and is not done.
type pendingStep struct {
	start  time.Time
	lr     float64
	images []string
	wait   time.Duration
}

// begun returns the number of steps that are done or have begun.
func (l *Loop) begun() int { return l.last.Number + len(l.pending) }

// begin starts the next step. On an engine.FusedOptimizer it does not wait for the step's end.
func (l *Loop) begin(ctx context.Context) error {
	start := time.Now()
	if l.world.Size() > 1 { // the others take this step too, so it is not interrupted
		ctx = context.WithoutCancel(ctx)
	}
	b, wait, err := l.loader.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	targets := b.Prepared.(*detector.Targets)
	s := pendingStep{start: start, lr: l.schedule.At(l.begun()), images: b.Names, wait: wait}
	if b.Canvases != nil {
		if err := l.stepper.Prepare(b.N, b.H, b.W, b.Canvases); err != nil {
			return err
		}
	}
	if err := l.stepper.Queue(b.N, b.H, b.W, b.Images, targets, s.lr); err != nil {
		return fmt.Errorf("train: step %d: %w", l.begun(), err)
	}
	l.pending = append(l.pending, s)
	l.epoch, l.position = l.loader.State()
	return nil
}

// settle waits until at most ahead steps are not done, and calls the hooks for each step that ends.
func (l *Loop) settle(ctx context.Context, ahead int) error {
	for len(l.pending) > ahead {
		p := l.pending[0]
		s, err := l.stepper.Report()
		s.Number, s.LR, s.Images, s.Wait = l.last.Number+1, p.lr, p.images, p.wait
		if err != nil {
			return l.explain(s, err)
		}
		l.pending = l.pending[1:]
		now := time.Now()
		s.Took = min(now.Sub(p.start), now.Sub(l.settled))
		l.training += s.Took
		l.settled, l.last = now, s
		for _, h := range l.hooks {
			if err := h.Step(ctx, l, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayGoAhead reports whether the next step may begin before the last one is done. The engine must be an engine.FusedOptimizer, and no hook
// may read the model after the last step.
func (l *Loop) mayGoAhead() bool {
	if !l.model.Engine().Supports(engine.QueuedSteps) || l.world.Size() > 1 { // processes call their hooks at the same moments
		return false
	}
	for _, h := range l.hooks {
		if h.Reads(l.begun()) != ReadsNumbers {
			return false
		}
	}
	return true
}

// explain returns the error of a failed step. If its loss or gradient is not a number, the error names the settings that help.
func (l *Loop) explain(s Step, err error) error {
	before := s.Number - 1
	if !errors.Is(err, errNotFinite) {
		return fmt.Errorf("train: step %d: %w", before, err)
	}
	images, e := l.imagesOfAll(s.Images)
	if e != nil {
		return errors.Join(err, e)
	}
	saved := "no checkpoint was saved before it"
	if l.resumable() {
		saved = "the last checkpoint before it is kept in " + filepath.Join(l.out, StateFile)
	}
	return l.world.Agree(&Diverged{before, fmt.Errorf("train: step %d is %w at learning rate %.4g, images %s; %s; a lower train.lr, a longer train.warmup_steps or train.clip_norm helps",
		before, err, s.LR, strings.Join(images, ", "), saved)})
}

// epochs returns the number of passes over the training set, with a fraction.
func (l *Loop) epochs() float64 { return float64(l.last.Number) / float64(l.schedule.Epoch) }
