package train

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"retinago/internal/memory"
	"retinago/internal/progress"
	"retinago/internal/text"
)

// steps is the hook that prints a line every so many steps, or shows each step in the line of a terminal. If it cannot write, the run goes
// on: the log has the same numbers.
type steps struct {
	w     io.Writer
	line  *progress.Line // nil without a terminal
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

func (p *steps) Reads(int) Reads { return ReadsNumbers }

func (p *steps) Begin(context.Context, *Loop) error { return nil }

func (p *steps) Step(_ context.Context, l *Loop, s Step) error {
	p.sum.add(s)
	all := l.schedule.Steps
	n := float64(p.sum.steps)
	perStep := l.training / time.Duration(max(s.Number-l.first, 1))
	of, eta := fmt.Sprint("/", all), (perStep * time.Duration(all-s.Number)).Round(time.Second).String()
	if all == openEnd {
		of, eta = "", "unknown"
	}
	p.show(s, of, l, perStep)
	if s.Number%p.every != 0 && s.Number != all {
		return nil
	}
	defer func() { p.sum = meter{} }()
	if p.line != nil {
		return nil
	}
	scale := ""
	if s.LossScale > 0 {
		scale = fmt.Sprintf("  scale %g", s.LossScale)
	}
	fmt.Fprintf(p.w, "step %*d%s  epoch %.2f  loss %.4f (class %.4f box %.4f)  lr %.3g  grad %.3g%s  %.3f s/step  wait %.0f ms  %s  eta %s\n",
		max(len(of)-1, 0), s.Number, of, l.epochs(), (p.sum.class+p.sum.box)/n, p.sum.class/n, p.sum.box/n,
		s.LR, s.GradNorm, scale, perStep.Seconds(), 1e3*p.sum.wait.Seconds()/n, megabytes(memory.Resident()), eta)
	return nil
}

// show shows a step in the line of a terminal, if there is one. of is "/" with the number of all steps, or empty where it is not chosen yet.
func (p *steps) show(s Step, of string, l *Loop, perStep time.Duration) {
	if p.line == nil {
		return
	}
	n, all := float64(p.sum.steps), int64(l.schedule.Steps)
	state := progress.Status{What: fmt.Sprint("step ", s.Number, of), Done: int64(s.Number), Total: all, Left: perStep * time.Duration(all-int64(s.Number)), Notes: []string{
		fmt.Sprintf("loss %.4f", (p.sum.class+p.sum.box)/n), fmt.Sprintf("epoch %.2f", l.epochs()), fmt.Sprintf("%.3f s/step", perStep.Seconds())}}
	if of == "" {
		state.Total, state.Left = 0, -1
	}
	p.line.Show(state)
}

func (p *steps) End(context.Context, *Loop, error) error {
	p.line.Clear()
	return nil
}

// broken is the hook that names each image that could not be read, once, and prints their number at the end.
type broken struct {
	w     io.Writer
	all   func() map[string]error // returns the errors so far, by path
	named map[string]bool
}

// maxNamed is the largest number of images that are named.
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
		fmt.Fprintf(b.w, "skipped   %v; another image takes its place\n", all[path])
	}
	return nil
}

func (b *broken) End(_ context.Context, _ *Loop, err error) error {
	if n := len(b.all()); n > 0 && err == nil {
		fmt.Fprintf(b.w, "skipped   %s that cannot be read; `retinago data check` lists what is wrong with a dataset\n", text.Count(n, "image"))
	}
	return nil
}
