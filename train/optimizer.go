package train

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
	"retinago/nn"
)

// Rule updates a parameter by its gradient.
type Rule interface {
	// Update updates the parameter w by its gradient g with one fused kernel of the engine. m has OptimizerKind.Moments tensors of w's
	// shape: the optimiser's state for w.
	Update(e engine.Engine, w *tensor.Dense, m []*tensor.Dense, g *tensor.Dense, a At) error
	// Configure writes the same rule to p, for an engine that updates all parameters at once.
	Configure(p *engine.UpdateParams)
}

// At holds the numbers of a step that a Rule reads.
type At struct {
	LR    float32 // learning rate
	Decay float32 // weight decay of the parameter
	Scale float32 // factor on the gradient; below 1 where the norm of all gradients is clipped
	Step  int     // number of the step, from 1
}

// optimizer updates parameters by their gradients with the engine's fused kernels.
type optimizer struct {
	engine  engine.Engine
	c       config.Train
	rule    Rule
	moments map[string][]*tensor.Dense // by parameter: momentum, or Adam's two moments
	step    int                        // number of steps taken
	begun   int                        // number of steps taken, skipped or queued
	params  []*nn.Param
	update  engine.Updater     // of an engine.FusedOptimizer; made at the first step
	slots   map[string]int     // slot of the updater by parameter
	factors map[string]factors // on the rate and the decay, by parameter
	scale   *engine.LossScale  // of fp16, as in the last report; nil in other precisions
}

// newOptimizer allocates the optimiser's state for every trainable parameter.
func newOptimizer(e engine.Engine, c config.Train, params []*nn.Param) (*optimizer, error) {
	kind, err := optimizerNamed(c.Optimizer)
	if err != nil {
		return nil, err
	}
	o := &optimizer{engine: e, c: c, rule: kind.New(c), params: params, moments: map[string][]*tensor.Dense{}, slots: map[string]int{}}
	if engine.PrecisionOf(e) == engine.FP16 {
		seed, err := e.New(tensor.Float32, 1)
		if err != nil {
			return nil, fmt.Errorf("train: loss scale: %w", err)
		}
		o.scale = &engine.LossScale{Seed: seed, Value: engine.LossScaleStart}
	}
	if o.factors, err = factorsOf(c, params); err != nil {
		return nil, err
	}
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		for range kind.Moments {
			t, err := e.New(tensor.Float32, p.Shape...)
			if err != nil {
				o.release()
				return nil, fmt.Errorf("train: optimiser state of %s: %w", p.Name, err)
			}
			o.moments[p.Name] = append(o.moments[p.Name], t)
		}
	}
	return o, nil
}

// release frees the moments, the loss scale and the engine's updater.
func (o *optimizer) release() {
	if o.update != nil {
		o.update.Release()
	}
	for _, m := range o.moments {
		o.engine.Release(m...)
	}
	if o.scale != nil {
		o.engine.Release(o.scale.Seed)
	}
	o.update, o.moments, o.scale = nil, nil, nil
}

// GradNorm returns the L2 norm of all gradients together: NaN or Inf if one is not finite.
func (o *optimizer) GradNorm(s gradients) (float64, error) {
	var all []*tensor.Dense
	err := s.Gradients(func(_ *nn.Param, g *tensor.Dense) error {
		all = append(all, g)
		return nil
	})
	if err != nil {
		return 0, err
	}
	sum, err := o.engine.SumSquares(all...)
	return math.Sqrt(sum), err
}

// Step updates the parameters with the gradients of the last run, scaled so that their norm is at most
// train.clip_norm.
func (o *optimizer) Step(s gradients, lr, norm float64) error {
	scale := 1.0
	if o.c.ClipNorm > 0 && norm > o.c.ClipNorm {
		scale = o.c.ClipNorm / (norm + 1e-6)
	}
	o.step++
	return s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		return o.rule.Update(o.engine, p.Value, o.moments[p.Name], g, At{LR: float32(lr) * o.factors[p.Name].lr, Decay: o.decay(p), Scale: float32(scale), Step: o.step})
	})
}

// decay returns a parameter's weight decay.
func (o *optimizer) decay(p *nn.Param) float32 {
	if p.Kind != nn.Weight && !o.c.DecayNormBias {
		return 0
	}
	return float32(o.c.WeightDecay) * o.factors[p.Name].decay
}

// averageBy returns how far the moving average goes towards the parameters after a number of steps: 1 minus its decay, which
// train.ema_warmup lets rise.
func (o *optimizer) averageBy(steps int) float32 {
	decay := o.c.EMA
	if w := o.c.EMAWarmup; w > 0 {
		decay *= 1 - math.Exp(-float64(steps)/float64(w))
	}
	return float32(1 - decay)
}
