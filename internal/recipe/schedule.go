package recipe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"retinago/internal/text"
)

// time is the length of the run that networks are chosen for.
func (m *maker) time() time.Duration {
	switch {
	case m.Time > 0:
		return m.Time
	case m.gpu():
		return gpuTime * time.Duration(max(m.kind.length, 1))
	}
	return cpuTime * time.Duration(max(m.kind.length, 1))
}

// perEpoch is the steps of an epoch, of which the loader drops an incomplete batch.
func (m *maker) perEpoch() int { return max(m.length/m.out.Config.Train.Batch, 1) }

// wanted is how often a network should see the images: small sets more often, so that about 20,000 are seen.
func (m *maker) wanted() int {
	if m.Epochs > 0 {
		return m.Epochs
	}
	return min(max(20000/m.train.Len(), m.fewest()), 50)
}

// fewest is the epochs below which the recipe makes no sense.
func (m *maker) fewest() int { return cmp.Or(m.kind.epochs, fewest) }

// epoch is the time of an epoch with steps of a duration, and with the evaluation: an image takes a third of a training one's time.
func (m *maker) epoch(step time.Duration) time.Duration {
	t := time.Duration(m.perEpoch()) * step
	if m.val != nil {
		t += step * time.Duration(m.val.Len()) / time.Duration(3*m.out.Config.Train.Batch)
	}
	return t
}

// schedule sets the length of the run and what belongs to it.
func (m *maker) schedule(context.Context) error {
	t := &m.out.Config.Train
	per, epoch := m.perEpoch(), m.epoch(m.took)
	switch {
	case m.Epochs > 0:
		t.Epochs = m.Epochs
		m.because(text.Count(t.Epochs, "epoch"), "as asked for: about %s", rounded(epoch*time.Duration(t.Epochs)))
	default:
		// A very small set takes more epochs, so that the network has enough steps to learn in.
		most := max(100, (1500+per-1)/per)
		t.Epochs = max(min(int(m.time()/epoch), most), 1)
		why := "what fits into " + rounded(m.time()).String()
		switch {
		case m.Time == 0 && t.Epochs < m.fewest():
			t.Epochs = m.fewest()
			why = fmt.Sprintf("the fewest that make sense, about %s", rounded(epoch*time.Duration(t.Epochs)))
		case t.Epochs == most:
			why = fmt.Sprintf("enough for %d images, about %s", m.train.Len(), rounded(epoch*time.Duration(most)))
		}
		m.because(text.Count(t.Epochs, "epoch"), "%s", why)
	}
	m.out.Took = epoch * time.Duration(t.Epochs)
	t.Steps = 0
	steps := t.Epochs * per
	t.WarmupSteps = min(max(steps/12, 1), 500)
	if t.Schedule == "one_cycle" { // it rises by itself
		t.WarmupSteps = 0
	}
	t.EvalEvery, t.CheckpointEvery = per, per
	t.LogEvery = min(max(steps/100, 1), 50)
	if m.kind.average {
		over := averaged * float64(steps)
		t.EMA = min(max(math.Round(1e4*(1-1/over))/1e4, leastEMA), mostEMA)
		t.EMAWarmup = max(int(over), 1)
		m.because("average", "of the weights over a twentieth of the run: a decay of %g a step; evaluation and checkpoints have it", t.EMA)
	}
	if m.val == nil || m.kind.native {
		t.EvalEvery = 0
	}
	if m.look.fewest < 20 {
		m.because("note", "the class %q is in %s; 20 or more are advisable", m.look.rarest, text.Count(m.look.fewest, "image"))
	}
	return nil
}

// rounded is a duration as people say it.
func rounded(d time.Duration) time.Duration {
	switch {
	case d < time.Minute:
		return d.Round(time.Second)
	case d < time.Hour:
		return d.Round(10 * time.Second)
	}
	return d.Round(time.Minute)
}
