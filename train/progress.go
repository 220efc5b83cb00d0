package train

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"retinago/internal/memory"
)

// progress is the hook that prints a line every so many steps. If it cannot write, the run goes on: the log has the same numbers.
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

func (m *meter) add(s Step) {
	m.steps++
	m.class += s.Losses.Class
	m.box += s.Losses.Box
	m.wait += s.Wait
}

func (p *progress) Reads(int) Reads { return ReadsNumbers }

func (p *progress) Begin(context.Context, *Loop) error { return nil }

func (p *progress) Step(_ context.Context, l *Loop, s Step) error {
	p.sum.add(s)
	steps := l.schedule.Steps
	if s.Number%p.every != 0 && s.Number != steps {
		return nil
	}
	n := float64(p.sum.steps)
	perStep := l.training / time.Duration(max(s.Number-l.first, 1))
	of, eta := fmt.Sprint("/", steps), (perStep * time.Duration(steps-s.Number)).Round(time.Second).String()
	if steps == openEnd {
		of, eta = "", "unknown"
	}
	scale := ""
	if s.LossScale > 0 {
		scale = fmt.Sprintf("  scale %g", s.LossScale)
	}
	fmt.Fprintf(p.w, "step %*d%s  epoch %.2f  loss %.4f (class %.4f box %.4f)  lr %.3g  grad %.3g%s  %.3f s/step  wait %.0f ms  %s  eta %s\n",
		max(len(of)-1, 0), s.Number, of, l.epochs(), (p.sum.class+p.sum.box)/n, p.sum.class/n, p.sum.box/n,
		s.LR, s.GradNorm, scale, perStep.Seconds(), 1e3*p.sum.wait.Seconds()/n, megabytes(memory.Resident()), eta)
	p.sum = meter{}
	return nil
}

func (p *progress) End(context.Context, *Loop, error) error { return nil }

// broken is the hook that names each picture that could not be read, once, and prints their number at the end.
type broken struct {
	w     io.Writer
	all   func() map[string]error // returns the errors so far, by path
	named map[string]bool
}

// maxNamed is the largest number of pictures that are named.
const maxNamed = 20

func (b *broken) Reads(int) Reads { return ReadsNumbers }

func (b *broken) Begin(context.Context, *Loop) error { return nil }

func (b *broken) Step(context.Context, *Loop, Step) error {
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

func (b *broken) End(_ context.Context, _ *Loop, err error) error {
	if n := len(b.all()); n > 0 && err == nil {
		fmt.Fprintf(b.w, "skipped   %d pictures that cannot be read; `retinago data check` lists what is wrong with a dataset\n", n)
	}
	return nil
}
