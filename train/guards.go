package train

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"retinago/config"
	"retinago/internal/dataset/data"
)

const (
	// fewPictures of a class are too few to learn it well.
	fewPictures = 20
	// longRun is the length from which on a run is worth a word before it is taken.
	longRun = 24 * time.Hour
	// perPicture is the learning rate of SGD per image of a batch, the paper's .01 for 16, and farRate the factor from which on another
	// is far from it.
	perPicture, farRate = .01 / 16, 8
	// Learning rates of Adam are between these in published recipes for detectors.
	leastAdam, mostAdam = 1e-6, 5e-3
)

// guards warns, before the first step, of settings that a run would suffer from, and after it of a run that will take more than a day.
type guards struct {
	w     io.Writer
	train *data.Dataset
	val   *data.Dataset // nil without one
}

func (g *guards) Reads(int) Reads { return ReadsNumbers }

func (g *guards) Begin(_ context.Context, l *Loop) error {
	if l.last.Number > 0 { // a run that is resumed was warned
		return nil
	}
	for _, text := range append(doubts(l.config, l.schedule), g.classes()...) {
		fmt.Fprintf(g.w, "warning   %s\n", text)
	}
	if g.val == nil {
		fmt.Fprintf(g.w, "warning   there is no validation set: no AP is measured, and the last model is the only one; name one with data.val.source, or hold out a share with data.val_share=.15\n")
	}
	return nil
}

func (g *guards) Step(_ context.Context, l *Loop, s Step) error {
	if s.Number != l.first+1 {
		return nil
	}
	if l.schedule.Steps == openEnd {
		fmt.Fprintf(g.w, "first step %.3g s\n", s.Took.Seconds())
		return nil
	}
	left := s.Took * time.Duration(l.schedule.Steps-s.Number)
	fmt.Fprintf(g.w, "first step %.3g s: the remaining %d take about %s, without evaluation\n", s.Took.Seconds(), l.schedule.Steps-s.Number, left.Round(time.Second))
	if left > longRun {
		fmt.Fprintf(g.w, "warning   this run takes %.1f days: train.epochs or train.steps makes it shorter, smaller data.short_sides or another model.backbone its steps\n", left.Hours()/24)
	}
	return nil
}

func (g *guards) End(context.Context, *Loop, error) error { return nil }

// doubts are settings that are allowed and that a run would suffer from.
func doubts(c config.Config, s Schedule) (out []string) {
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	t := c.Train
	if t.InitWeights == "" && c.Model.FrozenStages > 0 {
		say("model.frozen_stages %d keeps stages at their random weights, since train.init_weights is empty: name a file of weights, or set model.frozen_stages=0 and model.norm=batch",
			c.Model.FrozenStages)
	} else if t.InitWeights == "" && c.Model.Norm == "frozen" {
		say("model.norm frozen keeps the norms of a random network, since train.init_weights is empty: name a file of weights, or set model.norm=batch")
	}
	if warmup := int(float64(t.WarmupSteps) / t.Scale()); 10*warmup > s.Steps {
		say("the warm-up of %d steps is more than a tenth of the run's %d: set train.warmup_steps lower", warmup, s.Steps)
	}
	rate := t.LR * t.Scale()
	if usual := perPicture * float64(t.Batch); t.Optimizer == "sgd" && (rate > farRate*usual || rate < usual/farRate) {
		say("a learning rate of %.3g for a batch of %d is far from the usual %.3g of sgd: see train.lr and train.base_batch", rate, t.Batch, usual)
	}
	if t.Optimizer != "sgd" && (rate > mostAdam || rate < leastAdam) {
		say("a learning rate of %.3g is outside of %g to %g, where %s works: see train.lr and train.base_batch", rate, leastAdam, mostAdam, t.Optimizer)
	}
	return out
}

// classes warns of those with few images, all in one line.
func (g *guards) classes() []string {
	with := make([]int, len(g.train.Categories()))
	for i := range g.train.Len() {
		_, classes, _ := g.train.Objects(i)
		seen := map[int32]bool{}
		for _, k := range classes {
			if !seen[k] {
				seen[k] = true
				with[k]++
			}
		}
	}
	var few []string
	for k, c := range g.train.Categories() {
		if with[k] < fewPictures {
			few = append(few, fmt.Sprintf("%s (%d)", c.Name, with[k]))
		}
	}
	if len(few) == 0 {
		return nil
	}
	more := ""
	if n := len(few) - 8; n > 0 {
		few, more = few[:8], fmt.Sprintf(" and %d more", n)
	}
	return []string{fmt.Sprintf("fewer than %d images have these classes, which will hardly be learned: %s%s", fewPictures, strings.Join(few, ", "), more)}
}

// closing prints what a finished run came to.
type closing struct {
	w     io.Writer
	begun time.Time
}

func (c *closing) Reads(int) Reads { return ReadsNumbers }

func (c *closing) Begin(context.Context, *Loop) error { c.begun = time.Now(); return nil }

func (c *closing) Step(context.Context, *Loop, Step) error { return nil }

func (c *closing) End(_ context.Context, l *Loop, err error) error {
	if err != nil || l.last.Number < l.schedule.Steps {
		return nil
	}
	took := time.Since(c.begun).Round(time.Second).String()
	if l.first > 0 {
		took += fmt.Sprintf(" from step %d on", l.first)
	}
	if l.bestAP < 0 {
		fmt.Fprintf(c.w, "last      step %d, in %s; no AP was measured; this took %s\n", l.last.Number, filepath.Join(l.out, LastModel), took)
		return nil
	}
	fmt.Fprintf(c.w, "best      AP %.3f at step %d of %d, in %s; this took %s\n", l.bestAP, l.bestStep, l.schedule.Steps, filepath.Join(l.out, BestModel), took)
	return nil
}
