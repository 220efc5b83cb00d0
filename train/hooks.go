package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retinago/engine"
	"retinago/internal/memory"
)

// Hook does something after steps of a Loop. An error stops the run.
type Hook interface {
	// Begin is called once before the first step, also when a run is resumed.
	Begin(ctx context.Context, l *Loop) error
	// Step is called after every step.
	Step(ctx context.Context, l *Loop) error
	// End is called once after the last step, also when the run was interrupted.
	End(ctx context.Context, l *Loop) error
}

// Reader is a Hook that reads what a Loop tells of a step, and the model only at some steps: at others the next step may have begun
// when it is called.
type Reader interface {
	Hook
	// Wants tells that Step reads the model, or what belongs to it, after that many steps.
	Wants(step int) bool
}

// explain tells a step that failed, and what helps where its loss or gradient is not a number.
func (l *Loop) explain(err error) error {
	if !errors.Is(err, errNotFinite) {
		return fmt.Errorf("train: step %d: %w", l.Step, err)
	}
	return &Diverged{l.Step, fmt.Errorf("train: step %d is %w at learning rate %.4g, pictures %s; "+
		"the last checkpoint before it is kept in %s; a lower train.lr, a longer train.warmup_steps or train.clip_norm helps",
		l.Step, err, l.LR, strings.Join(l.Names, ", "), filepath.Join(l.out, StateFile))}
}

// progress prints a line every so many steps.
type progress struct {
	w     io.Writer
	every int
	sum   meter
}

// meter averages over the steps since the last line.
type meter struct {
	steps      int
	class, box float64
	wait       time.Duration
}

func (m *meter) add(l *Loop) {
	m.steps++
	m.class += l.Losses.Class
	m.box += l.Losses.Box
	m.wait += l.Wait
}

func (p *progress) Begin(context.Context, *Loop) error { return nil }

func (p *progress) Step(_ context.Context, l *Loop) error {
	p.sum.add(l)
	if l.Step%p.every != 0 && l.Step != l.Schedule.Steps {
		return nil
	}
	n := float64(p.sum.steps)
	perStep := l.training / time.Duration(max(l.Step-l.first, 1))
	eta := perStep * time.Duration(l.Schedule.Steps-l.Step)
	scale := ""
	if l.LossScale > 0 {
		scale = fmt.Sprintf("  scale %g", l.LossScale)
	}
	_, err := fmt.Fprintf(p.w, "step %*d/%d  epoch %.2f  loss %.4f (class %.4f box %.4f)  lr %.3g  grad %.3g%s  %.3f s/step  wait %.0f ms  %s  eta %s\n",
		len(fmt.Sprint(l.Schedule.Steps)), l.Step, l.Schedule.Steps, l.epochs(), (p.sum.class+p.sum.box)/n, p.sum.class/n, p.sum.box/n,
		l.LR, l.GradNorm, scale, perStep.Seconds(), 1e3*p.sum.wait.Seconds()/n, megabytes(memory.Resident()), eta.Round(time.Second))
	p.sum = meter{}
	return err
}

func (p *progress) Wants(int) bool { return false }

func (p *progress) End(context.Context, *Loop) error { return nil }

// broken names pictures that could not be read, once each, and counts them at the end.
type broken struct {
	w     io.Writer
	all   func() map[string]error // so far, by path
	named map[string]bool
}

// maxNamed bounds how many are named.
const maxNamed = 20

func (b *broken) Begin(context.Context, *Loop) error { return nil }

func (b *broken) Step(context.Context, *Loop) error {
	all := b.all()
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if b.named[path] || len(b.named) == maxNamed {
			continue
		}
		b.named[path] = true
		if _, err := fmt.Fprintf(b.w, "skipped   %v; another picture takes its place\n", all[path]); err != nil {
			return err
		}
	}
	return nil
}

func (b *broken) Wants(int) bool { return false }

func (b *broken) End(context.Context, *Loop) error {
	n := len(b.all())
	if n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(b.w, "skipped   %d pictures that cannot be read; `retinago data check` lists what is wrong with a dataset\n", n)
	return err
}

// journal writes log.jsonl: a line per step and per evaluation.
type journal struct{ f *os.File }

// newJournal opens the log of a run that goes on after the given step. Lines of later steps, which a killed run wrote
// after its last checkpoint, go: these steps are taken again.
func newJournal(dir string, step int) (*journal, error) {
	path := filepath.Join(dir, LogFile)
	var keep []byte
	if step > 0 {
		old, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("train: %w", err)
		}
		for line := range bytes.Lines(old) {
			var l struct{ Step int }
			if json.Unmarshal(line, &l) == nil && l.Step <= step {
				keep = append(keep, line...)
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if _, err := f.Write(keep); err != nil {
		return nil, errors.Join(fmt.Errorf("train: %w", err), f.Close())
	}
	return &journal{f}, nil
}

func (j *journal) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.f.Write(append(b, '\n'))
	return err
}

func (j *journal) Begin(context.Context, *Loop) error { return nil }

func (j *journal) Step(_ context.Context, l *Loop) error {
	line := map[string]any{"step": l.Step, "epoch": l.epochs(), "loss": l.Losses.Total(), "class_loss": l.Losses.Class,
		"box_loss": l.Losses.Box, "positives": l.Positives, "lr": l.LR, "grad_norm": l.GradNorm, "step_s": l.Took.Seconds(),
		"wait_s": l.Wait.Seconds(), "rss_mb": float64(memory.Resident()) / (1 << 20)}
	if l.LossScale > 0 {
		line["loss_scale"], line["skipped"] = l.LossScale, l.Skipped
	}
	return j.write(line)
}

func (j *journal) Wants(int) bool { return false }

func (j *journal) End(context.Context, *Loop) error { return j.f.Close() }

// evaluation measures AP every so many steps and at the end, and keeps the best model.
type evaluation struct {
	every   int
	w       io.Writer
	journal *journal
	done    int // step of the last evaluation
	measure func(ctx context.Context, l *Loop) (stats [12]float64, report string, err error)
}

// Begin makes up for an evaluation that an interruption cut short.
func (e *evaluation) Begin(ctx context.Context, l *Loop) error {
	if !l.unmeasured {
		return nil
	}
	return e.run(ctx, l)
}

func (e *evaluation) Wants(step int) bool { return e.every > 0 && step%e.every == 0 }

func (e *evaluation) Step(ctx context.Context, l *Loop) error {
	if !e.Wants(l.Step) {
		return nil
	}
	return e.run(ctx, l)
}

func (e *evaluation) End(ctx context.Context, l *Loop) error {
	if l.Step != l.Schedule.Steps || e.done == l.Step {
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
	var stats [12]float64
	var report string
	err := l.withAverage(func() (err error) {
		stats, report, err = e.measure(ctx, l)
		return err
	})
	if ctx.Err() != nil {
		l.unmeasured = true // the run ends with a checkpoint, and the evaluation is made when it is resumed
		return nil
	}
	if err != nil {
		l.unmeasured = errors.Is(err, engine.ErrMemory) // the run is saved, and this is made up for
		return err
	}
	e.done, l.unmeasured = l.Step, false
	fmt.Fprintf(e.w, "evaluation at step %d (%s)\n%s", l.Step, time.Since(start).Round(100*time.Millisecond), report)
	metrics := map[string]float64{"AP": stats[0], "AP50": stats[1], "AP75": stats[2], "APs": stats[3], "APm": stats[4], "APl": stats[5]}
	if err := e.journal.write(map[string]any{"step": l.Step, "epoch": l.epochs(), "stats": stats, "eval_s": time.Since(start).Seconds()}); err != nil {
		return err
	}
	l.metrics = metrics
	if stats[0] > l.bestAP {
		l.bestAP = stats[0]
		return l.saveModel(BestModel, metrics)
	}
	return nil
}

// checkpoint saves every so many steps and at the end.
type checkpoint struct{ every int }

func (c *checkpoint) Begin(context.Context, *Loop) error { return nil }

func (c *checkpoint) Wants(step int) bool { return c.every > 0 && step%c.every == 0 }

func (c *checkpoint) Step(_ context.Context, l *Loop) error {
	if !c.Wants(l.Step) {
		return nil
	}
	return c.save(l)
}

func (c *checkpoint) End(_ context.Context, l *Loop) error { return c.save(l) }

func (c *checkpoint) save(l *Loop) error {
	err := l.saveState()
	if err == nil {
		err = l.saveModel(LastModel, l.metrics)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint of step %d: %w; make room in %s and continue with -resume", l.Step, err, l.out)
	}
	return nil
}
