package train

import (
	"context"
	"errors"
	"fmt"

	"retinago/config"
	"retinago/engine"
)

// Run trains a model to the end of its schedule: New, Loop.Run and Loop.Close. Cancelling ctx ends it early, with a checkpoint and
// without an error.
func Run(ctx context.Context, c config.Config, o Options) (err error) {
	l, err := New(c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return l.Run(ctx)
}

// Run takes the remaining steps. It may be called once. Cancelling ctx ends it after the step in progress, with a checkpoint and
// without an error.
func (l *Loop) Run(ctx context.Context) (err error) {
	if l.ran {
		panic("train: Loop.Run called twice")
	}
	l.ran = true
	interrupt := func() {} // ends ctx when another process is interrupted
	if l.world.Size() > 1 {
		ctx, interrupt = context.WithCancel(ctx)
		defer interrupt()
	}
	l.first = l.last.Number
	l.epoch, l.position = l.loader.State()
	begun := 0 // hooks
	defer func() {
		if errors.Is(err, engine.ErrMemory) && len(l.pending) == 0 && l.world.First() {
			err = l.outOfMemory(err)
		}
		cause := err
		for _, h := range l.hooks[:begun] {
			if e := h.End(ctx, l, cause); e != nil {
				err = errors.Join(err, e)
			}
		}
	}()
	for _, h := range l.hooks {
		begun++
		if err := h.Begin(ctx, l); err != nil {
			return err
		}
	}
	for l.begun() < l.schedule.Steps {
		err := l.interrupted(ctx, interrupt)
		if err == nil {
			err = l.begin(ctx)
		}
		if e := l.stepper.notRecorded; e != nil && !l.warned {
			l.warned = true
			fmt.Fprintf(l.log, "warning   steps are given to the device operation by operation, slower than as a graph: %v\n", e)
		}
		ahead := 0
		if err == nil && l.begun() < l.schedule.Steps && l.mayGoAhead() {
			ahead = 1
		}
		if e := l.settle(ctx, ahead); e != nil {
			return e
		}
		// A step that ended in spite of the interruption counts: hooks are called for it, and the next round ends the run.
		if err != nil && errors.Is(err, ctx.Err()) {
			fmt.Fprintf(l.log, "interrupted: saving step %d\n", l.last.Number)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
