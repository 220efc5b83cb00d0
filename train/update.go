package train

import (
	"time"

	"gorgonia.org/tensor"

	"retinago/detector"
	"retinago/engine"
	"retinago/nn"
)

// queue begins a step on an engine.FusedOptimizer and does not wait for it. Report reads the results.
func (s *Stepper) queue(e engine.FusedOptimizer, g *detector.TrainStep, b *detector.Batch, lr float64) error {
	u, err := s.optimizer.updater(e, s.average)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := u.Rate(float32(lr), s.optimizer.averageBy(s.optimizer.begun+1)); err != nil {
		return err
	}
	var network time.Duration
	var positives []func() (int, error)
	work := func(part *detector.Batch) error {
		if err := g.Send(part); err != nil {
			return err
		}
		positives = append(positives, g.Positives(part))
		if s.config.Train.Accumulate > 1 {
			return g.Compute()
		}
		return g.Repeat(func() error {
			if err := g.Compute(); err != nil {
				return err
			}
			network = time.Since(begin)
			return s.optimizer.queue(g)
		})
	}
	all, err := s.compute(g, b, work)
	if err == nil && s.config.Train.Accumulate > 1 {
		network = time.Since(begin)
		err = s.optimizer.queue(all)
	}
	if err != nil {
		return err
	}
	s.optimizer.begun++
	s.notRecorded = g.NotRecorded()
	if err := u.QueueReport(); err != nil {
		return err
	}
	s.model.Changed()
	s.queued = append(s.queued, func(out *Step) error {
		r, err := u.Report()
		*out = Step{Losses: detector.Losses{Class: r.Class, Box: r.Box}, GradNorm: r.GradNorm, Network: network, Update: time.Since(begin) - network}
		if err != nil {
			return err
		}
		for _, count := range positives {
			n, err := count()
			if err != nil {
				return err
			}
			out.Positives += n
		}
		s.optimizer.step = r.Taken
		if scale := s.optimizer.scale; scale != nil {
			scale.Value, scale.Good = r.Scale, r.Good
			out.LossScale, out.Skipped = r.Scale, r.Skipped
		}
		if !r.Finite {
			return out.notFinite()
		}
		return nil
	})
	return nil
}

// updater returns the engine's updater, which it makes at the first call. average may be nil.
func (o *optimizer) updater(e engine.FusedOptimizer, average map[string]*tensor.Dense) (engine.Updater, error) {
	if o.update != nil {
		return o.update, nil
	}
	p := engine.UpdateParams{ClipNorm: o.c.ClipNorm, Taken: o.step, Scale: o.scale}
	o.rule.Configure(&p)
	var slots []engine.Slot
	for _, q := range o.params {
		s := engine.Slot{W: q.Value, Average: average[q.Name], Decay: o.decay(q), Rate: o.factors[q.Name].lr}
		switch m := o.moments[q.Name]; len(m) {
		case 2:
			s.M, s.V = m[0], m[1]
		case 1:
			s.M = m[0]
		}
		if s.M == nil && s.Average == nil {
			continue
		}
		o.slots[q.Name] = len(slots)
		slots = append(slots, s)
	}
	var err error
	o.update, err = e.NewUpdater(p, slots)
	return o.update, err
}

// queue updates the parameters with the gradients of the last run, and the averages, on an engine.FusedOptimizer.
func (o *optimizer) queue(s gradients) error {
	grads := make([]*tensor.Dense, len(o.slots))
	err := s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		grads[o.slots[p.Name]] = g
		return nil
	})
	if err != nil {
		return err
	}
	class, box := s.LossValues()
	return o.update.Update(class, box, grads)
}
