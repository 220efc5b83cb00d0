package config

import (
	"fmt"
	"math"
)

// train checks the settings of the optimisation.
func (v *check) train(t Train) {
	v.count("train.batch", t.Batch, 1, MaxBatch)
	v.count("train.base_batch", t.BaseBatch, 1, 65536)
	v.count("train.epochs", t.Epochs, 0, math.MaxInt32)
	v.count("train.steps", t.Steps, 0, math.MaxInt32)
	v.span("train.minutes", t.Minutes, 0, maxScale)
	lengths := 0
	for _, given := range []bool{t.Epochs > 0, t.Steps > 0, t.Minutes > 0} {
		if given {
			lengths++
		}
	}
	if lengths != 1 {
		v.fail("train.epochs", t.Epochs, "one of epochs, steps (%d) and minutes (%g) above 0 and the others 0", t.Steps, t.Minutes)
	}
	v.text("train.optimizer", t.Optimizer, maxName) // package train knows the names
	v.positive("train.lr", t.LR, maxRate)
	v.below1("train.momentum", t.Momentum)
	v.below1("train.beta1", t.Beta1)
	v.below1("train.beta2", t.Beta2)
	v.positive("train.eps", t.Eps, maxScale)
	v.span("train.weight_decay", t.WeightDecay, 0, maxScale)
	v.count("train.warmup_steps", t.WarmupSteps, 0, math.MaxInt32)
	v.span("train.warmup_factor", t.WarmupFactor, 0, 1)
	v.text("train.schedule", t.Schedule, maxName) // package train knows the names
	if !v.length("train.milestones", len(t.Milestones), maxMilestones) {
		t.Milestones = nil
	}
	for i, m := range t.Milestones {
		key := fmt.Sprintf("train.milestones[%d]", i)
		if !(m > 0 && m < 1) {
			v.fail(key, m, "a share of the run, between 0 and 1 (steps are given as step/steps)")
		} else if i > 0 && m <= t.Milestones[i-1] {
			v.fail(key, m, "more than the one before (%v)", t.Milestones[i-1])
		}
	}
	v.positive("train.gamma", t.Gamma, maxScale)
	v.count("train.cycles", t.Cycles, 1, 100)
	v.positive("train.cycle_growth", t.CycleGrowth, 10)
	v.inside("train.rise", t.Rise)
	v.span("train.rise_from", t.RiseFrom, 0, 1)
	v.span("train.fall_to", t.FallTo, 0, 1)
	v.span("train.augment_until", t.AugmentUntil, 0, 1)
	v.span("train.clip_norm", t.ClipNorm, 0, maxScale)
	v.count("train.threads", t.Threads, 0, 1024)
	v.oneOf("train.convolutions", t.Convolutions, "fixed", "measured", "onednn", "winograd")
	v.count("train.eval_every", t.EvalEvery, 0, math.MaxInt32)
	v.count("train.checkpoint_every", t.CheckpointEvery, 0, math.MaxInt32)
	v.count("train.log_every", t.LogEvery, 0, math.MaxInt32)
	v.below1("train.ema", t.EMA)
	v.count("train.ema_warmup", t.EMAWarmup, 0, math.MaxInt32)
	if v.length("train.groups", len(t.Groups), maxGroups) {
		if _, err := t.ParamGroups(); err != nil {
			*v = append(*v, err)
		}
	}
	if !(t.LayerDecay > 0 && t.LayerDecay <= 1) {
		v.fail("train.layer_decay", t.LayerDecay, "above 0, up to 1")
	}
	v.count("train.accumulate", t.Accumulate, 1, MaxBatch)
	if t.Accumulate >= 1 && t.Batch%t.Accumulate != 0 {
		v.fail("train.accumulate", t.Accumulate, "a divisor of train.batch (%d)", t.Batch)
	}
	v.text("train.init_weights", t.InitWeights, maxPath)
}

// inside checks that 0 < got < 1.
func (v *check) inside(key string, got float64) {
	if !(got > 0 && got < 1) {
		v.fail(key, got, "above 0 to below 1")
	}
}

// below1 checks that 0 <= got < 1.
func (v *check) below1(key string, got float64) {
	if !(got >= 0 && got < 1) {
		v.fail(key, got, "0 to below 1")
	}
}
