//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// stepped is a made-up model of a few parameters on one engine.
type stepped struct {
	e       engine.Engine
	slots   []engine.Slot
	grads   []*tensor.Dense
	losses  []*tensor.Dense // two of classes, one of boxes
	updater engine.Updater  // nil: step by the engine's single kernels
	p       engine.UpdateParams
	taken   int
}

// sizes cross the bounds of chunks; the last parameter has an average alone.
var sizes = []int{1, 100, 1<<15 + 3, 7, 1 << 16, 5}

func newStepped(t testing.TB, e engine.Engine, p engine.UpdateParams) *stepped {
	s := &stepped{e: e, p: p, taken: p.Taken}
	for i, n := range sizes {
		slot := engine.Slot{W: put(t, e, normal(uint64(i), n), n), Average: put(t, e, normal(uint64(i+50), n), n), Decay: float32(i%2) * 1e-2, Rate: 1 / float32(1+i%3)}
		if i < len(sizes)-1 {
			slot.M = put(t, e, make([]float32, n), n)
			if p.Adam != nil {
				slot.V = put(t, e, make([]float32, n), n)
			}
			s.grads = append(s.grads, put(t, e, make([]float32, n), n))
		} else {
			s.grads = append(s.grads, nil)
		}
		s.slots = append(s.slots, slot)
	}
	for range 3 {
		s.losses = append(s.losses, put(t, e, []float32{0}, 1))
	}
	if by, ok := engine.As[engine.FusedOptimizer](e, engine.QueuedSteps); ok {
		var err error
		s.updater, err = by.NewUpdater(p, s.slots)
		must(t, err)
		t.Cleanup(s.updater.Release)
	}
	return s
}

// begin queues step k at a learning rate, with one value of the gradients put to bad where that is not 0.
func (s *stepped) begin(t testing.TB, k int, lr float32, bad float32) {
	for i, g := range s.grads {
		if g != nil {
			v := normal(uint64(100*k+i), sizes[i])
			if i == 2 && bad != 0 {
				v[len(v)-1] = bad
			}
			must(t, s.e.Upload(g, v))
		}
	}
	for i, l := range s.losses {
		must(t, s.e.Upload(l, []float32{float32(k) + float32(i)/4}))
	}
	if s.updater != nil {
		must(t, s.updater.Rate(lr, averageBy(k)))
		must(t, s.updater.Update(s.losses[:2], s.losses[2:], s.grads))
		must(t, s.updater.QueueReport())
		return
	}
	s.taken++
	sum, err := s.e.SumSquares(s.grads[:len(s.grads)-1]...)
	must(t, err)
	scale := float32(1)
	if norm := math.Sqrt(sum); s.p.ClipNorm > 0 && norm > s.p.ClipNorm {
		scale = float32(s.p.ClipNorm / (norm + 1e-6))
	}
	for i, slot := range s.slots {
		if slot.M != nil && s.p.Adam != nil {
			a := *s.p.Adam
			a.LR, a.Decay, a.Scale, a.Step = lr*slot.Rate, slot.Decay, scale, s.taken
			must(t, s.e.Adam(slot.W, slot.M, slot.V, s.grads[i], a))
		} else if slot.M != nil {
			must(t, s.e.SGD(slot.W, slot.M, s.grads[i], engine.SGDParams{LR: lr * slot.Rate, Momentum: s.p.Momentum, Decay: slot.Decay, Scale: scale, Nesterov: s.p.Nesterov}))
		}
		must(t, s.e.Lerp(slot.Average, slot.W, averageBy(k)))
	}
}

// averageBy is how far averages move in step k.
func averageBy(k int) float32 { return .1 + .25*float32(k%4) }

// values are all tensors that a step changes.
func (s *stepped) values(t testing.TB) (all [][]float32) {
	for _, slot := range s.slots {
		for _, d := range []*tensor.Dense{slot.W, slot.M, slot.V, slot.Average} {
			if d != nil {
				all = append(all, get(t, s.e, d))
			}
		}
	}
	return all
}

// Every optimiser and option comes to the CPU's parameters, moments and averages, with reports read late, also where steps were
// taken before.
func TestUpdater(t *testing.T) {
	c := startCPU(t)
	for name, p := range map[string]engine.UpdateParams{
		"sgd":             {Momentum: .9},
		"nesterov, clip":  {Momentum: .9, Nesterov: true, ClipNorm: 2},
		"wide clip":       {Momentum: .9, ClipNorm: 1e4},
		"adam":            {Adam: &engine.AdamParams{Beta1: .9, Beta2: .999, Eps: 1e-8}},
		"adamw, clip":     {Adam: &engine.AdamParams{Beta1: .9, Beta2: .99, Eps: 1e-8, Decoupled: true}, ClipNorm: 2},
		"adam, continued": {Adam: &engine.AdamParams{Beta1: .9, Beta2: .999, Eps: 1e-8}, Taken: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := newStepped(t, c, p), newStepped(t, start(t), p)
			const steps = 5
			for k := range steps {
				lr := .1 / float32(k+1)
				want.begin(t, k, lr, 0)
				got.begin(t, k, lr, 0)
				if k == 0 {
					continue
				}
				told(t, got, k-1, p.Taken+k)
			}
			told(t, got, steps-1, p.Taken+steps)
			for i, w := range want.values(t) {
				near(t, fmt.Sprint("tensor ", i), got.values(t)[i], w, 1e-6)
			}
		})
	}
}

// told checks the report of step k.
func told(t testing.TB, s *stepped, k, taken int) {
	t.Helper()
	r, err := s.updater.Report()
	must(t, err)
	var sum float64
	for i := range len(sizes) - 1 {
		for _, v := range normal(uint64(100*k+i), sizes[i]) {
			sum += float64(v) * float64(v)
		}
	}
	if r.Class != float64(2*k)+.25 || r.Box != float64(k)+.5 || !r.Finite || r.Taken != taken || math.Abs(r.GradNorm/math.Sqrt(sum)-1) > 1e-9 {
		t.Errorf("step %d reports %+v", k, r)
	}
}

// A step that is not finite changes nothing, nor does any after it, though they were begun before anybody knew; labels that are no
// class are an error of their step.
func TestUpdaterStops(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		s := newStepped(t, start(t), engine.UpdateParams{Momentum: .9})
		s.begin(t, 0, .1, 0)
		before := s.values(t)
		s.begin(t, 1, .1, bad)
		s.begin(t, 2, .1, 0)
		for i, v := range s.values(t) {
			if !slices.Equal(v, before[i]) {
				t.Errorf("tensor %d changed by a gradient of %g", i, bad)
			}
		}
		told(t, s, 0, 1)
		if r, err := s.updater.Report(); err != nil || r.Finite || r.Taken != 1 {
			t.Errorf("a gradient of %g: %+v, %v", bad, r, err)
		}
		told(t, s, 2, 1)
	}
	e := start(t)
	s := newStepped(t, e, engine.UpdateParams{Momentum: .9})
	before := s.values(t)
	labels, loss := put(t, e, []int32{0, 3}, 1, 2), put(t, e, []float32{0}, 1)
	must(t, e.FocalLoss(loss, put(t, e, make([]float32, 6), 1, 2, 3), labels, put(t, e, []float32{1}, 1), engine.FocalParams{Alpha: .25, Gamma: 2}))
	s.begin(t, 1, .1, 0)
	if _, err := s.updater.Report(); err == nil {
		t.Error("a label of 3 among 3 classes")
	}
	for i, v := range s.values(t) {
		if !slices.Equal(v, before[i]) {
			t.Errorf("tensor %d changed by a wrong label", i)
		}
	}
}

// Reports are asked for in time, and gradients fit their slots.
func TestUpdaterRefuses(t *testing.T) {
	s := newStepped(t, start(t), engine.UpdateParams{Momentum: .9})
	if _, err := s.updater.Report(); err == nil {
		t.Error("a report of no step")
	}
	for range engine.MostReports {
		must(t, s.updater.QueueReport())
	}
	if err := s.updater.QueueReport(); err == nil {
		t.Error("more reports than there are places")
	}
	if err := s.updater.Update(s.losses[:2], s.losses[2:], s.grads[1:]); err == nil {
		t.Error("a gradient is missing")
	}
	slices.Reverse(s.grads)
	if err := s.updater.Update(s.losses[:2], s.losses[2:], s.grads); err == nil {
		t.Error("gradients in another order")
	}
}
