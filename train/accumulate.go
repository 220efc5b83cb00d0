package train

import (
	"fmt"

	"gorgonia.org/tensor"

	"retinago/detector"
	"retinago/engine"
	"retinago/nn"
)

// gradients are what an optimiser reads of a step: a detector.TrainStep, or the sums over several.
type gradients interface {
	// Gradients calls f with each trainable parameter and its gradient, in a fixed order.
	Gradients(f func(p *nn.Param, g *tensor.Dense) error) error
	// LossValues returns the tensors [1] that add up to the class loss and to the box loss.
	LossValues() (class, box []*tensor.Dense)
}

// accumulator adds up the losses and gradients of the parts of a batch, on the engine.
type accumulator struct {
	engine     engine.Engine
	params     []*nn.Param
	class, box int                // number of losses of each kind, which come before the gradients in sums
	sums       [2][]*tensor.Dense // the sums are in the first list; the second is what the next sums are written to
}

// add adds a part's results, or begins with them.
func (a *accumulator) add(s gradients, begin bool) error {
	class, box := s.LossValues()
	values := append(append([]*tensor.Dense{}, class...), box...)
	var params []*nn.Param
	err := s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		params, values = append(params, p), append(values, g)
		return nil
	})
	if err != nil {
		return err
	}
	if a.sums[0] == nil {
		if err := a.allocate(values); err != nil {
			return err
		}
		a.params, a.class, a.box = params, len(class), len(box)
	}
	for i, v := range values {
		if begin {
			err = a.engine.Lerp(a.sums[0][i], v, 1)
		} else {
			err = a.engine.Sum(a.sums[1][i], a.sums[0][i], v, engine.None)
		}
		if err != nil {
			return fmt.Errorf("train: sum of gradients: %w", err)
		}
	}
	if !begin {
		a.sums[0], a.sums[1] = a.sums[1], a.sums[0]
	}
	return nil
}

func (a *accumulator) allocate(like []*tensor.Dense) error {
	for i := range a.sums {
		for _, v := range like {
			t, err := a.engine.New(tensor.Float32, v.Shape().Clone()...)
			if err != nil {
				a.release()
				return fmt.Errorf("train: sums of gradients: %w", err)
			}
			a.sums[i] = append(a.sums[i], t)
		}
	}
	return nil
}

func (a *accumulator) Gradients(f func(p *nn.Param, g *tensor.Dense) error) error {
	for i, p := range a.params {
		if err := f(p, a.sums[0][a.class+a.box+i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *accumulator) LossValues() (class, box []*tensor.Dense) {
	return a.sums[0][:a.class:a.class], a.sums[0][a.class : a.class+a.box : a.class+a.box]
}

func (a *accumulator) release() {
	for i := range a.sums {
		a.engine.Release(a.sums[i]...)
		a.sums[i] = nil
	}
}

// parts returns the batch in train.accumulate parts.
func (s *Stepper) parts(b *detector.Batch) []*detector.Batch {
	n := b.N / s.config.Train.Accumulate
	var out []*detector.Batch
	for from := 0; from < b.N; from += n {
		out = append(out, b.Part(from, from+n))
	}
	return out
}

// compute runs the graph g for each part of a batch, and adds up what run leaves.
func (s *Stepper) compute(g *detector.TrainStep, b *detector.Batch, run func(part *detector.Batch) error) (gradients, error) {
	if s.config.Train.Accumulate == 1 {
		return g, run(b)
	}
	if s.sum == nil {
		s.sum = &accumulator{engine: s.model.Engine()}
	}
	for i, part := range s.parts(b) {
		if s.canvases != nil {
			if err := g.Prepare(s.canvases[i*part.N : (i+1)*part.N]); err != nil {
				return nil, err
			}
		}
		if err := run(part); err != nil {
			return nil, err
		}
		if err := s.sum.add(g, i == 0); err != nil {
			return nil, err
		}
	}
	s.canvases = nil
	return s.sum, nil
}
