package train

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/nn"
)

// Optimizer updates parameters by their gradients with the engine's fused kernels.
type Optimizer struct {
	engine  engine.Engine
	c       config.Train
	moments map[string][]*tensor.Dense // by parameter: momentum, or Adam's two moments
	step    int                        // steps that were taken
	params  []*nn.Param
	update  engine.Updater    // of an engine.Stepping, made for the first step
	slots   map[string]int    // of it, by parameter
	scale   *engine.LossScale // of fp16, nil elsewhere; as the last report tells
}

// NewOptimizer makes the optimiser state of every trainable parameter.
func NewOptimizer(e engine.Engine, c config.Train, params []*nn.Param) (*Optimizer, error) {
	o := &Optimizer{engine: e, c: c, params: params, moments: map[string][]*tensor.Dense{}, slots: map[string]int{}}
	if engine.PrecisionOf(e) == engine.FP16 {
		seed, err := e.New(tensor.Float32, 1)
		if err != nil {
			return nil, fmt.Errorf("train: loss scale: %w", err)
		}
		o.scale = &engine.LossScale{Seed: seed, Value: engine.LossScaleStart}
	}
	n := 2
	if c.Optimizer == "sgd" {
		n = 1
	}
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		for range n {
			t, err := e.New(tensor.Float32, p.Shape...)
			if err != nil {
				return nil, fmt.Errorf("train: optimiser state of %s: %w", p.Name, err)
			}
			o.moments[p.Name] = append(o.moments[p.Name], t)
		}
	}
	return o, nil
}

// Bytes is the memory of the optimiser's state.
func (o *Optimizer) Bytes() int64 {
	var n int64
	for _, m := range o.moments {
		for _, t := range m {
			n += 4 * int64(t.Shape().TotalSize())
		}
	}
	return n
}

// GradNorm is the L2 norm of all gradients together, NaN or Inf when one is not finite.
func (o *Optimizer) GradNorm(s *detector.TrainStep) (float64, error) {
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
func (o *Optimizer) Step(s *detector.TrainStep, lr, norm float64) error {
	scale := 1.0
	if o.c.ClipNorm > 0 && norm > o.c.ClipNorm {
		scale = o.c.ClipNorm / (norm + 1e-6)
	}
	o.step++
	return s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		decay := o.decay(p)
		m := o.moments[p.Name]
		if o.c.Optimizer == "sgd" {
			return o.engine.SGD(p.Value, m[0], g, engine.SGDParams{LR: float32(lr), Momentum: float32(o.c.Momentum),
				Decay: decay, Scale: float32(scale), Nesterov: o.c.Nesterov})
		}
		return o.engine.Adam(p.Value, m[0], m[1], g, engine.AdamParams{LR: float32(lr), Beta1: float32(o.c.Beta1), Beta2: float32(o.c.Beta2),
			Eps: float32(o.c.Eps), Decay: decay, Scale: float32(scale), Step: o.step, Decoupled: o.c.Optimizer == "adamw"})
	})
}

// decay is a parameter's weight decay.
func (o *Optimizer) decay(p *nn.Param) float32 {
	if p.Kind != nn.Weight && !o.c.DecayNormBias {
		return 0
	}
	return float32(o.c.WeightDecay)
}
