//go:build gpu && linux && amd64

package cuda_test

import (
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
	"retinago/train"
)

// Steppers that were closed leave no memory of the device behind, also with a step whose results were not read. Steps of the next one
// on the same model are right: they do not use what was freed.
func TestCloseFreesStepper(t *testing.T) {
	onHost(t)
	for _, p := range []engine.Precision{engine.Float32, engine.FP16} {
		e := startAs(t, p)
		c := small(func(c *config.Config) { c.Train.Optimizer, c.Loss.Normalizer = "adamw", "ema" })
		m, err := detector.New(c.Model, e, 3)
		must(t, err)
		images := normal(31, pictures*canvasH*canvasW*3)
		var before int64
		var first train.Step
		for i := range 4 {
			s, err := train.NewStepper(m, c)
			must(t, err)
			targets := s.Targets(canvasH, canvasW, scene())
			got, err := s.Take(pictures, canvasH, canvasW, images, targets, 0)
			must(t, err)
			must(t, s.Queue(pictures, canvasH, canvasW, images, targets, 0))
			must(t, s.Close())
			must(t, s.Close())
			if i == 0 {
				before, first = kernels.Count().Bytes, got
				continue
			}
			if now := kernels.Count().Bytes; now > before {
				t.Errorf("%v: %d bytes after %d steppers, %d after the first", p, now, i+1, before)
			}
			if got.Losses != first.Losses || got.GradNorm != first.GradNorm {
				t.Errorf("%v: stepper %d finds %+v, the first %+v", p, i+1, got, first)
			}
		}
		must(t, m.Close())
	}
}
