package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"retinago/engine"
	"retinago/internal/progress"
)

// evaluation is the hook that measures AP, every so many steps and at the end. The checkpoint hook runs after it and saves the best model.
type evaluation struct {
	every   int
	w       io.Writer
	line    *progress.Line // of a terminal, in which an evaluation prints one line; nil without one
	journal *journal
	measure measurement
}

// measurement evaluates a run's model.
type measurement func(ctx context.Context, l *Loop) (measured, error)

// measured is the result of an evaluation.
type measured struct {
	stats  [12]float64 // COCO's
	report string      // the same as text
	scores []float64   // as detector.Info's
}

// Begin repeats an evaluation that an interruption ended early.
func (e *evaluation) Begin(ctx context.Context, l *Loop) error {
	if !l.unmeasured {
		return nil
	}
	return e.run(ctx, l)
}

func (e *evaluation) Reads(step int) Reads { return periodic(step, e.every) }

func (e *evaluation) Step(ctx context.Context, l *Loop, s Step) error {
	if e.Reads(s.Number) != ReadsModel {
		return nil
	}
	return e.run(ctx, l)
}

// End evaluates the model at the end of a run, unless its last step has an evaluation.
func (e *evaluation) End(ctx context.Context, l *Loop, err error) error {
	if step := l.last.Number; err != nil || step != l.schedule.Steps || slices.Contains(l.evaluated, step) {
		return nil
	}
	if ctx.Err() != nil {
		l.unmeasured = true
		return nil
	}
	return e.run(ctx, l)
}

func (e *evaluation) run(ctx context.Context, l *Loop) error {
	start := time.Now()
	var m measured
	err := l.withAverage(func() (err error) {
		m, err = e.measure(ctx, l)
		return err
	})
	e.line.Clear()
	if ctx.Err() != nil {
		l.unmeasured = true // the run ends with a checkpoint; a resumed run makes the evaluation
		return nil
	}
	if err != nil {
		l.unmeasured = errors.Is(err, engine.ErrMemory) // the run is saved; a resumed run makes the evaluation
		return err
	}
	e.print(l, m, time.Since(start).Round(100*time.Millisecond))
	if err := e.journal.write(map[string]any{"step": l.last.Number, "epoch": l.epochs(), "stats": m.stats, "eval_s": time.Since(start).Seconds()}); err != nil {
		return err
	}
	l.unmeasured, l.evaluated = false, append(l.evaluated, l.last.Number)
	l.metrics, l.scores = metricsOf(m.stats[:]), m.scores
	if m.stats[0] > l.bestAP {
		l.bestAP, l.bestStep, l.bestUnsaved = m.stats[0], l.last.Number, true
	}
	return nil
}

// print prints COCO's numbers, of which a terminal gets the two that are read most.
func (e *evaluation) print(l *Loop, m measured, took time.Duration) {
	if e.line == nil {
		fmt.Fprintf(e.w, "evaluation at step %d (%s)\n%s", l.last.Number, took, m.report)
		return
	}
	best := ""
	if m.stats[0] > l.bestAP {
		best = "  best so far"
	}
	fmt.Fprintf(e.w, "evaluation at step %d, epoch %.2f  AP %.3f  AP50 %.3f  (%s)%s\n", l.last.Number, l.epochs(), m.stats[0], m.stats[1], took, best)
}

// metricsOf returns the metrics that a model file stores, of COCO's twelve.
func metricsOf(stats []float64) map[string]float64 {
	return map[string]float64{"AP": stats[0], "AP50": stats[1], "AP75": stats[2], "APs": stats[3], "APm": stats[4], "APl": stats[5]}
}
