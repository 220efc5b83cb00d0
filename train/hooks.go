package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	kept := "no checkpoint was saved before it"
	if l.resumable() {
		kept = "the last checkpoint before it is kept in " + filepath.Join(l.out, StateFile)
	}
	return &Diverged{l.Step, fmt.Errorf("train: step %d is %w at learning rate %.4g, pictures %s; %s; a lower train.lr, a longer train.warmup_steps or train.clip_norm helps",
		l.Step, err, l.LR, strings.Join(l.Names, ", "), kept)}
}

// progress prints a line every so many steps. A run goes on when they cannot be written: its log and files hold the same.
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
	fmt.Fprintf(p.w, "step %*d/%d  epoch %.2f  loss %.4f (class %.4f box %.4f)  lr %.3g  grad %.3g%s  %.3f s/step  wait %.0f ms  %s  eta %s\n",
		len(fmt.Sprint(l.Schedule.Steps)), l.Step, l.Schedule.Steps, l.epochs(), (p.sum.class+p.sum.box)/n, p.sum.class/n, p.sum.box/n,
		l.LR, l.GradNorm, scale, perStep.Seconds(), 1e3*p.sum.wait.Seconds()/n, megabytes(memory.Resident()), eta.Round(time.Second))
	p.sum = meter{}
	return nil
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
		fmt.Fprintf(b.w, "skipped   %v; another picture takes its place\n", all[path])
	}
	return nil
}

func (b *broken) Wants(int) bool { return false }

func (b *broken) End(context.Context, *Loop) error {
	if n := len(b.all()); n > 0 {
		fmt.Fprintf(b.w, "skipped   %d pictures that cannot be read; `retinago data check` lists what is wrong with a dataset\n", n)
	}
	return nil
}
