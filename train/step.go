package train

import (
	"errors"
	"fmt"
	"math"
	"time"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/loss"
)

// Stepper takes steps of training with batches from anywhere. It owns the optimiser's state and the moving averages: close it before
// the model. A model has one Stepper at a time.
type Stepper struct {
	model       *detector.Model
	config      config.Config
	losses      detector.LossFunc // one for all graphs, with the state of a loss.Adaptive
	optimizer   *optimizer
	normalizer  *loss.Normalizer
	positives   *tensor.Dense            // the normaliser's average on an engine that matches anchors; nil before the first step
	average     map[string]*tensor.Dense // moving average by parameter; nil without averages
	queued      []func(*Step) error      // read the results of the queued steps, oldest first
	notRecorded error                    // why the engine.Recorder did not record the last step
	sum         *accumulator             // of a batch in parts; nil before the first
	canvases    []engine.Canvas          // of the next batch in parts, for an engine.Preparer
	exchange    exchange                 // with other processes
}

// Step holds the results of one step of training. It is a copy: a change to it has no effect.
type Step struct {
	Losses          detector.Losses
	GradNorm        float64       // L2 norm of all gradients before clipping; 0 if the step was skipped
	Positives       int           // positive anchors of the batch
	LossScale       float64       // the loss scale of fp16 after the step; 0 in other precisions
	Skipped         bool          // the gradients overflowed in fp16, and the step changed nothing
	Network, Update time.Duration // time of the forward pass, losses and backward pass; time of the optimiser
	Exchange        time.Duration // time in which gradients were added up over the processes; 0 with one process

	// The Loop sets these:
	Number int           // steps done, this one included
	LR     float64       // learning rate
	Images []string      // the batch's file names; with several processes, those of this process
	Wait   time.Duration // time in which the step waited for its batch
	Took   time.Duration // time of the whole step, or since the end of the step before if that is shorter
}

// errNotFinite is the cause of a step's failure when its loss or gradient is not a number. Such a step changes nothing.
var errNotFinite = errors.New("not finite")

// Diverged is the error of a run whose loss or gradient is not a number. The last checkpoint before that step stays.
type Diverged struct {
	Step int // number of steps before the failed one
	err  error
}

func (d *Diverged) Error() string { return d.err.Error() }
func (d *Diverged) Unwrap() error { return d.err }

// NewStepper returns a Stepper for a model, with a new optimiser state, by the losses and settings of c. Weights of classes that c names
// are 1 for all: loss.ClassWeights.Resolve makes numbers of a name.
func NewStepper(m *detector.Model, c config.Config) (*Stepper, error) {
	s := &Stepper{model: m, config: c, losses: lossFunc(c.Loss)}
	var err error
	if s.normalizer, err = loss.NewNormalizer(c.Loss.Normalizer); err != nil {
		return nil, err
	}
	if s.optimizer, err = newOptimizer(m.Engine(), c.Train, m.Params()); err != nil {
		return nil, err
	}
	return s, nil
}

// Close frees the optimiser's state and the moving averages, and the model's graphs, which read them. Steps that were not read with
// Report are lost. A second call does nothing.
func (s *Stepper) Close() error {
	err := s.model.Forget()
	s.optimizer.release()
	e := s.model.Engine()
	for _, t := range s.average {
		e.Release(t)
	}
	e.Release(s.positives)
	if s.sum != nil {
		s.sum.release()
	}
	s.average, s.positives, s.queued, s.sum = nil, nil, nil, nil
	return err
}

// Graph returns the training graph for a batch of n canvases of h x w pixels, which has the canvases of one of its parts
// (train.accumulate).
func (s *Stepper) Graph(n, h, w int) (*detector.TrainStep, error) {
	spec := detector.TrainSpec{LossFunc: s.losses, RecomputeHeads: s.config.Train.RecomputeHeads}
	if scale := s.optimizer.scale; scale != nil {
		spec.Seed = scale.Seed
	}
	return s.model.TrainStep(n/s.config.Train.Accumulate, h, w, spec)
}

// Targets assigns the objects of images to the anchors of canvases of h x w pixels. An engine that matches anchors itself does so in
// the step instead. Several goroutines may call Targets at once.
func (s *Stepper) Targets(h, w int, pictures []detector.Objects) *detector.Targets {
	match := s.config.Match.Assigner(s.config.Model.Anchors.PerCell())
	if s.config.Train.Accumulate > 1 || s.exchange.on() { // the factors of a part need the counts of the whole batch
		return s.model.Assign(match, h, w, pictures)
	}
	return s.model.Targets(match, h, w, pictures)
}

// batch returns the batch of a step with the factors on its losses.
func (s *Stepper) batch(n, h, w int, images []float32, t *detector.Targets) (*detector.Batch, error) {
	b := &detector.Batch{N: n, H: h, W: w, Images: images, Targets: t}
	weight := float32(s.config.Loss.BoxWeight)
	if t.Match == nil {
		var err error
		if b.ClassNorm, err = s.factors(t); err != nil {
			return nil, err
		}
		for _, f := range b.ClassNorm {
			b.BoxNorm = append(b.BoxNorm, f*weight)
		}
		return b, nil
	}
	b.Norm = engine.NormalizeParams{ByPicture: s.normalizer.Kind == "image", Counted: s.normalizer.Kind == "anchors", BoxWeight: weight}
	if s.normalizer.Kind == "ema" && s.positives == nil {
		if err := s.sendAverage(); err != nil {
			return nil, err
		}
	}
	b.Norm.Average = s.positives
	return b, nil
}

// sendAverage uploads the normaliser's moving average, which the engine then updates. The reports of steps update the host's copy.
func (s *Stepper) sendAverage() error {
	e, bits := s.model.Engine(), math.Float64bits(s.normalizer.EMA)
	t, err := e.New(tensor.Int32, 2)
	if err != nil {
		return err
	}
	if err := e.Upload(t, []int32{int32(uint32(bits)), int32(uint32(bits >> 32))}); err != nil {
		e.Release(t)
		return err
	}
	s.positives = t
	return nil
}

// Prepare draws the canvases of the next step. The engine must be an engine.Preparer, and the step's images must be nil.
func (s *Stepper) Prepare(n, h, w int, canvases []engine.Canvas) error {
	g, err := s.Graph(n, h, w)
	if err != nil {
		return err
	}
	if s.config.Train.Accumulate > 1 {
		s.canvases = canvases
		return nil
	}
	return g.Prepare(canvases)
}

// Take takes one step on n canvases of h x w pixels: images [n,h,w,3], normalised.
func (s *Stepper) Take(n, h, w int, images []float32, t *detector.Targets, lr float64) (Step, error) {
	if err := s.Queue(n, h, w, images, t, lr); err != nil {
		return Step{}, err
	}
	return s.Report()
}

// Queue begins a step as Take does. On an engine.FusedOptimizer it returns before the step is done. After a step whose loss or gradient is not
// finite, later steps change nothing. At most engine.MostReports steps may be queued before Report reads the oldest.
func (s *Stepper) Queue(n, h, w int, images []float32, t *detector.Targets, lr float64) error {
	g, err := s.Graph(n, h, w)
	if err != nil {
		return err
	}
	b, err := s.batch(n, h, w, images, t)
	if err != nil {
		return err
	}
	var out Step
	restore := s.lossState()
	if e, ok := engine.As[engine.FusedOptimizer](s.model.Engine(), engine.QueuedSteps); ok && !s.exchange.on() {
		return restore(s.queue(e, g, b, lr))
	}
	out, err = s.take(g, b, lr)
	err = restore(err)
	s.queued = append(s.queued, func(t *Step) error { *t = out; return err })
	return nil
}

// adaptive returns the class loss where it follows the batches, else nil.
func (s *Stepper) adaptive() loss.Adaptive {
	a, _ := s.losses.Class.(loss.Adaptive)
	return a
}

// lossState remembers the state of a loss.Adaptive. The function that it returns takes the error of a step, and brings the state back
// where there is one: a step that fails may be taken again.
func (s *Stepper) lossState() func(error) error {
	a := s.adaptive()
	if a == nil {
		return func(err error) error { return err }
	}
	before := a.State()
	return func(err error) error {
		if err != nil {
			k := s.model.Classes()
			if s.config.Model.Background {
				k++
			}
			err = errors.Join(err, a.SetState(before, k))
		}
		return err
	}
}

// Report waits for the oldest queued step and returns its results.
func (s *Stepper) Report() (Step, error) {
	var out Step
	if len(s.queued) == 0 {
		return out, errors.New("train: Report without a queued step")
	}
	report := s.queued[0]
	s.queued = s.queued[1:]
	err := report(&out)
	if err == nil && s.positives != nil {
		s.normalizer.Observe(out.Positives)
	}
	return out, err
}

// take takes a step on the host and waits for its results.
func (s *Stepper) take(g *detector.TrainStep, b *detector.Batch, lr float64) (Step, error) {
	var out Step
	begin := time.Now()
	all, err := s.compute(g, b, func(part *detector.Batch) error {
		l, err := g.Run(part)
		if err != nil {
			return err
		}
		positives, err := g.Positives(part)()
		out.Losses.Class, out.Losses.Box, out.Positives = out.Losses.Class+l.Class, out.Losses.Box+l.Box, out.Positives+positives
		return err
	})
	if err != nil {
		return out, err
	}
	out.Network = time.Since(begin)
	if err := s.exchange.sum(s.model.Engine(), all, &out); err != nil {
		return out, err
	}
	begin = time.Now()
	if out.GradNorm, err = s.optimizer.GradNorm(all); err != nil {
		return out, err
	}
	if out.GradNorm, err = s.exchange.world.ShareNumber(out.GradNorm); err != nil { // machines may round it otherwise
		return out, err
	}
	if v := out.Losses.Total() + out.GradNorm; math.IsNaN(v) || math.IsInf(v, 0) {
		return out, out.notFinite()
	}
	if err := s.optimizer.Step(all, lr, out.GradNorm); err != nil {
		return out, err
	}
	s.optimizer.begun++
	if err := s.updateAverage(); err != nil {
		return out, err
	}
	s.model.Changed()
	out.Update = time.Since(begin)
	return out, nil
}

func (t *Step) notFinite() error {
	return fmt.Errorf("%w: class loss %g, box loss %g, gradient norm %g", errNotFinite, t.Losses.Class, t.Losses.Box, t.GradNorm)
}

// updateAverage moves the average towards the parameters: avg += (1-decay) * (w - avg).
func (s *Stepper) updateAverage() error {
	share := s.optimizer.averageBy(s.optimizer.begun)
	for _, p := range s.model.Params() {
		if avg, ok := s.average[p.Name]; ok {
			if err := s.model.Engine().Lerp(avg, p.Value, share); err != nil {
				return err
			}
		}
	}
	return nil
}

// trainSpec returns the settings of a configuration's training graph.
func trainSpec(c config.Config) detector.TrainSpec {
	return detector.TrainSpec{LossFunc: lossFunc(c.Loss), RecomputeHeads: c.Train.RecomputeHeads}
}

// lossFunc returns the losses of a validated configuration.
func lossFunc(c config.Loss) detector.LossFunc {
	kind, err := loss.Find(c.Kind)
	if err != nil {
		panic("train: " + err.Error())
	}
	box, err := loss.FindBox(c.Box)
	if err != nil {
		panic("train: " + err.Error())
	}
	f := detector.LossFunc{Box: box.New(c.Beta)}
	if kind.Quality != nil {
		f.Quality = kind.Quality(c.Params)
	} else {
		f.Class = kind.Class(c.Params)
	}
	if kind.HardNegativeMining && c.MineNMS < 1 {
		f.MineNMS = float32(c.MineNMS)
	}
	return f
}
