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
	"retinago/internal/dataset/data"
)

// Loop is a run of training: New builds it, Run takes its steps, Close frees it. One goroutine uses it at a time; its methods are for
// the hooks.
type Loop struct {
	config     config.Config
	model      *detector.Model
	schedule   Schedule
	last       Step
	out        string
	log        io.Writer
	data       *data.Dataset
	loader     *data.Loader
	stepper    *Stepper
	info       detector.Info
	conditions conditions
	hooks      []Hook
	journal    *journal
	closers    []func() error // of what New opened, in its order
	ran        bool
	first      int           // step at which this process began
	training   time.Duration // in steps, without evaluation and checkpoints
	warned     bool          // of steps that are not recorded
	pending    []pendingStep // steps that were begun and are not done, oldest first
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

// Config is the run's configuration, with the classes of the training set.
func (l *Loop) Config() config.Config { return l.config }

// Model is what is trained. A hook that uses it declares ReadsModel.
func (l *Loop) Model() *detector.Model { return l.model }

// Schedule is the length of the run and its learning rates.
func (l *Loop) Schedule() Schedule { return l.schedule }

// Last is the last step that was done. Before the first one it has its Number alone: 0, or that of the state that is resumed.
func (l *Loop) Last() Step { return l.last }

// pendingStep is a step that was begun, with what is known of it before it is done.
type pendingStep struct {
	start  time.Time
	lr     float64
	images []string
	wait   time.Duration
}

// begun is the number of steps that are done or under way.
func (l *Loop) begun() int { return l.last.Number + len(l.pending) }

// begin takes one step, or has the engine take it while the host goes on.
func (l *Loop) begin(ctx context.Context) error {
	start := time.Now()
	b, wait, err := l.loader.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	targets := b.Prepared.(*detector.Targets)
	s := pendingStep{start: start, lr: l.schedule.At(l.begun()), images: b.Names, wait: wait}
	if b.Pictures != nil {
		if err := l.stepper.Prepare(b.N, b.H, b.W, b.Pictures); err != nil {
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

// settle waits for steps until as many as ahead are under way, and calls the hooks for each.
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

// mayGoAhead reports whether the next step may begin before the last that was begun is done: the engine can, and no hook reads the
// model as that step leaves it.
func (l *Loop) mayGoAhead() bool {
	if !l.model.Engine().Supports(engine.QueuedSteps) {
		return false
	}
	for _, h := range l.hooks {
		if h.Reads(l.begun()) != ReadsNumbers {
			return false
		}
	}
	return true
}

// explain is the error of a step that failed. Where its loss or gradient is not a number, it names what helps.
func (l *Loop) explain(s Step, err error) error {
	before := s.Number - 1
	if !errors.Is(err, errNotFinite) {
		return fmt.Errorf("train: step %d: %w", before, err)
	}
	saved := "no checkpoint was saved before it"
	if l.resumable() {
		saved = "the last checkpoint before it is kept in " + filepath.Join(l.out, StateFile)
	}
	return &Diverged{before, fmt.Errorf("train: step %d is %w at learning rate %.4g, pictures %s; %s; a lower train.lr, a longer train.warmup_steps or train.clip_norm helps",
		before, err, s.LR, strings.Join(s.Images, ", "), saved)}
}

// epochs is how often the training set was seen.
func (l *Loop) epochs() float64 { return float64(l.last.Number) / float64(l.schedule.Epoch) }
