package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/data"
	"retinago/detector"
	"retinago/loss"
)

// Loop is a run of training. Its exported fields describe the last step, for hooks.
type Loop struct {
	Config   config.Config
	Model    *detector.Model
	Schedule Schedule

	Step      int // steps done
	Losses    detector.Losses
	Positives int     // positive anchors of the batch
	LR        float64 // of the step
	GradNorm  float64 // before clipping
	Names     []string
	Wait      time.Duration // for data
	Took      time.Duration // the whole step

	out        string
	data       *data.Dataset
	loader     *data.Loader
	optimizer  *Optimizer
	normalizer *loss.Normalizer
	average    map[string]*tensor.Dense // moving average of the weights, nil when off
	info       detector.Info
	hooks      []Hook
	bestAP     float64
	metrics    map[string]float64
	unmeasured bool          // the evaluation of this step was interrupted
	first      int           // step at which this process began
	training   time.Duration // in steps, without evaluation and checkpoints
}

// run takes the remaining steps. A cancelled context ends it after the step in progress, with a checkpoint.
func (l *Loop) run(ctx context.Context, w io.Writer) (err error) {
	l.first = l.Step
	defer func() {
		// The hooks end in any case: a failed run closes its journal, an interrupted one saves.
		if err != nil {
			return
		}
		for _, h := range l.hooks {
			if e := h.End(ctx, l); e != nil {
				err = errors.Join(err, e)
			}
		}
	}()
	for _, h := range l.hooks {
		if err := h.Begin(ctx, l); err != nil {
			return err
		}
	}
	for l.Step < l.Schedule.Steps {
		err := ctx.Err()
		if err == nil {
			err = l.step(ctx)
		}
		// A step that was finished in spite of the interruption counts: its hooks see it, the next round ends the run.
		if err != nil && errors.Is(err, ctx.Err()) {
			fmt.Fprintf(w, "interrupted: saving step %d\n", l.Step)
			return nil
		}
		if err != nil {
			return err
		}
		for _, h := range l.hooks {
			if err := h.Step(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// step takes one step.
func (l *Loop) step(ctx context.Context) error {
	start := time.Now()
	b, wait, err := l.loader.Next(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	s, err := l.Model.TrainStep(b.N, b.H, b.W, lossFunc(l.Config.Loss))
	if err != nil {
		return err
	}
	targets := b.Prepared.(*detector.Targets)
	class := l.normalizer.Factors(targets.Positives, targets.Counted)
	box := make([]float32, len(class))
	for i, f := range class {
		box[i] = f * float32(l.Config.Loss.BoxWeight)
	}
	l.LR = l.Schedule.At(l.Step)
	l.Losses, err = s.Run(&detector.Batch{N: b.N, H: b.H, W: b.W, Images: b.Images, Targets: targets, ClassNorm: class, BoxNorm: box})
	if err != nil {
		return fmt.Errorf("train: step %d: %w", l.Step, err)
	}
	if l.GradNorm, err = l.optimizer.GradNorm(s); err != nil {
		return err
	}
	l.Names, l.Positives = b.Names, sum(targets.Positives)
	if err := finite(l); err != nil {
		return err
	}
	if err := l.optimizer.Step(s, l.LR, l.GradNorm); err != nil {
		return err
	}
	l.Model.Changed()
	if l.average != nil {
		if err := l.updateAverage(); err != nil {
			return err
		}
	}
	l.Step++
	l.Wait, l.Took = wait, time.Since(start)
	l.training += l.Took
	return nil
}

// epochs is how often the training set was seen.
func (l *Loop) epochs() float64 { return float64(l.Step) / float64(l.Schedule.Epoch) }

// lossFunc is the losses of a configuration.
func lossFunc(c config.Loss) detector.LossFunc {
	var f detector.LossFunc
	switch c.Kind {
	case "focal":
		f.Class = loss.Focal{Alpha: c.Alpha, Gamma: c.Gamma}
	case "bce":
		f.Class = loss.CrossEntropy{Alpha: -1}
	case "focalstar":
		f.Class = loss.FocalStar{Gamma: c.Gamma, Beta: c.Shift}
	case "softmax":
		f.Class = loss.Softmax{}
	case "ohem":
		f.Class = loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: c.MineKeep, Ratio: c.MineRatio}
		if c.MineNMS < 1 {
			f.MineNMS = float32(c.MineNMS)
		}
	case "quality":
		f.Soft = loss.QualityFocal{Beta: c.Gamma}
	case "varifocal":
		f.Soft = loss.Varifocal{Alpha: c.Alpha, Gamma: c.Gamma}
	}
	f.Box = map[string]loss.Box{"smoothl1": loss.SmoothL1{Beta: c.Beta}, "l1": loss.L1{}, "iou": loss.IoU{}, "logiou": loss.IoU{Log: true},
		"giou": loss.GIoU{}, "diou": loss.DIoU{}, "ciou": loss.CIoU{}}[c.Box]
	return f
}

func sum(v []int) int {
	n := 0
	for _, x := range v {
		n += x
	}
	return n
}
