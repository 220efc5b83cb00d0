//go:build gpu && linux && amd64

package cuda_test

import (
	"math"
	"slices"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/train"
)

// The loss scale divides gradients, doubles after enough good steps, halves with one that overflows, which changes nothing else, and
// does not go below 1: there a step that overflows ends the run.
func TestLossScale(t *testing.T) {
	e, c := start(t), startCPU(t)
	scale := &engine.LossScale{Seed: put(t, e, []float32{0}, 1), Value: 2, Good: engine.LossScaleGood - 2}
	s := newStepped(t, e, engine.UpdateParams{Momentum: .9, Scale: scale})
	w, m, g := put(t, c, get(t, e, s.slots[1].W), 100), put(t, c, make([]float32, 100), 100), put(t, c, normal(1, 100), 100)
	must(t, c.SGD(w, m, g, engine.SGDParams{LR: .1 * s.slots[1].Rate, Momentum: .9, Decay: s.slots[1].Decay, Scale: .5}))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for k, step := range []struct {
		bad             float32
		skipped, finite bool
		scale           float64
		good, taken     int
	}{
		{0, false, true, 2, engine.LossScaleGood - 1, 1},
		{0, false, true, 4, 0, 2},
		{inf, true, true, 2, 0, 2},
		{nan, true, true, 1, 0, 2},
		{0, false, true, 1, 1, 3},
		{inf, false, false, 1, 1, 3},
	} {
		before := s.values(t)
		s.begin(t, k, .1, step.bad)
		r, err := s.updater.Report()
		must(t, err)
		if r.Skipped != step.skipped || r.Finite != step.finite || r.Scale != step.scale || r.Good != step.good || r.Taken != step.taken || get(t, e, scale.Seed)[0] != float32(step.scale) {
			t.Errorf("step %d: %+v and a seed of %g, want %+v", k, r, get(t, e, scale.Seed)[0], step)
		}
		if r.Skipped && r.GradNorm != 0 {
			t.Errorf("step %d was skipped and has a norm of %g", k, r.GradNorm)
		}
		if same := slices.EqualFunc(before, s.values(t), slices.Equal[[]float32]); same != (step.bad != 0) {
			t.Errorf("step %d: parameters changed: %v", k, !same)
		}
		if k == 0 {
			near(t, "a parameter", get(t, e, s.slots[1].W), get(t, c, w), 1e-6)
		}
	}
}

// heavy makes gradients that overflow in fp16 until the scale has halved several times.
func heavy(c *config.Config) { c.Loss.BoxWeight = 3e3 }

// Steps that overflow halve the scale and leave the model alone; the first that does not has float32's gradient.
func TestOverflow(t *testing.T) {
	cfg := small(heavy)
	images := normal(31, pictures*canvasH*canvasW*3)
	var norms []float64
	for _, p := range []engine.Precision{engine.Float32, engine.FP16} {
		m, err := detector.New(cfg.Model, startAs(t, p), 3)
		must(t, err)
		s, err := train.NewStepper(m, cfg)
		must(t, err)
		targets := m.Assign(cfg.Match.Assigner(cfg.Model.Anchors.PerCell()), canvasH, canvasW, scene())
		scale := 0.
		for k := range 20 {
			taken, err := s.Take(pictures, canvasH, canvasW, images, targets, .01)
			must(t, err)
			want := scale
			if taken.Skipped {
				want /= 2
			}
			if k > 0 && taken.LossScale != want {
				t.Errorf("step %d: the scale is %g after %g", k, taken.LossScale, scale)
			}
			scale = taken.LossScale
			if !taken.Skipped {
				norms = append(norms, taken.GradNorm)
				break
			}
		}
		if p == engine.FP16 && (scale == engine.LossScaleStart || scale < 1) {
			t.Errorf("a scale of %g after steps that overflow", scale)
		}
		must(t, m.Close())
	}
	if len(norms) != 2 || math.Abs(norms[1]-norms[0]) > 1e-2*norms[0] {
		t.Errorf("norms %v of the gradient in float32, and in fp16 after overflows", norms)
	}
}
