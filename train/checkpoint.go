package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

	"retinago/nn"
	"retinago/weights"
)

// File names in a run's directory.
const (
	LastModel  = "last.safetensors"       // the newest model
	BestModel  = "best.safetensors"       // the model with the best AP
	StateFile  = "last.state.safetensors" // everything that resuming needs, the weights included
	ConfigFile = "config.yaml"
	LogFile    = "log.jsonl"
)

// state is what a run is besides its tensors.
type state struct {
	Step          int     `json:"step"`
	LossScale     float64 `json:"loss_scale,omitempty"` // of fp16
	GoodSteps     int     `json:"good_steps,omitempty"` // since it changed
	OptimizerStep int     `json:"optimizer_step"`
	Epoch         int     `json:"epoch"`
	Position      int     `json:"position"` // batches taken of the epoch
	NormEMA       float64 `json:"normalizer_ema"`
	BestAP        float64 `json:"best_ap"`
	Unmeasured    bool    `json:"unmeasured,omitempty"` // the evaluation of this step was interrupted
	Seed          uint64  `json:"seed"`
	Fingerprint   string  `json:"fingerprint"` // of what must not change between interruption and resumption
}

// stateKey is where the JSON of state stands in the file's metadata.
const stateKey = "retinago.state"

// tensors lists everything that a run carries from step to step: parameters, optimiser moments, moving averages.
func (l *Loop) tensors() []named {
	var out []named
	for _, p := range l.Model.Params() {
		out = append(out, named{p.Name, p.Value})
		for i, m := range l.stepper.optimizer.moments[p.Name] {
			out = append(out, named{fmt.Sprintf("optimizer.%d.%s", i, p.Name), m})
		}
		if t, ok := l.stepper.average[p.Name]; ok {
			out = append(out, named{"average." + p.Name, t})
		}
	}
	return out
}

type named struct {
	name string
	t    *tensor.Dense
}

// saveState writes the state file. One file holds all, so that a kill at any moment leaves either the old or the new.
func (l *Loop) saveState() error {
	now := state{Step: l.Step, OptimizerStep: l.stepper.optimizer.step, Epoch: l.epoch, Position: l.position,
		NormEMA: l.stepper.normalizer.EMA, BestAP: l.bestAP, Unmeasured: l.unmeasured, Seed: l.Config.Train.Seed, Fingerprint: l.fingerprint()}
	if scale := l.stepper.optimizer.scale; scale != nil {
		now.LossScale, now.GoodSteps = scale.Value, scale.Good
	}
	js, err := json.Marshal(now)
	if err != nil {
		return err
	}
	tensors := l.tensors()
	specs := make([]weights.Spec, len(tensors))
	for i, n := range tensors {
		specs[i] = weights.Spec{Name: n.name, Shape: n.t.Shape().Clone()}
	}
	return weights.WriteFrom(filepath.Join(l.out, StateFile), map[string]string{stateKey: string(js)}, specs, func(i int, dst []float32) error {
		return l.Model.Engine().Download(dst, tensors[i].t)
	})
}

// loadState continues a run where its state file left it.
func (l *Loop) loadState() error {
	path := filepath.Join(l.out, StateFile)
	f, err := weights.Open(path)
	if err != nil {
		if os.IsNotExist(err) {
			return fmt.Errorf("train: nothing to resume in %s: it has no %s; leave -resume out to start", l.out, StateFile)
		}
		return err
	}
	defer f.Close()
	var s state
	if err := json.Unmarshal([]byte(f.Metadata[stateKey]), &s); err != nil {
		return fmt.Errorf("train: %s is not a training state: %w", path, err)
	}
	if now := l.fingerprint(); s.Fingerprint != now {
		return fmt.Errorf("train: %s was written by another run: %q then, %q now; resume with the run's own %s", path, s.Fingerprint, now, ConfigFile)
	}
	for _, n := range l.tensors() {
		t, err := f.Tensor(n.name)
		if err != nil {
			return fmt.Errorf("train: %s: %w", path, err)
		}
		if !tensor.Shape(t.Shape).Eq(n.t.Shape()) {
			return fmt.Errorf("train: %s: %s is %v, the model wants %v", path, n.name, t.Shape, n.t.Shape())
		}
		if err := l.Model.Engine().Upload(n.t, t.Data); err != nil {
			return err
		}
	}
	l.Model.Changed()
	l.Step, l.stepper.optimizer.step, l.bestAP, l.unmeasured = s.Step, s.OptimizerStep, s.BestAP, s.Unmeasured
	l.stepper.normalizer.EMA = s.NormEMA
	if scale := l.stepper.optimizer.scale; scale != nil && s.LossScale > 0 { // 0 after steps in another precision
		scale.Value, scale.Good = s.LossScale, s.GoodSteps
	}
	return l.loader.Seek(s.Epoch, s.Position)
}

// fingerprint names what a resumed run must share with its beginning.
func (l *Loop) fingerprint() string {
	c := l.Config
	return fmt.Sprintf("%s %s width %d, %d classes, %s, batch %d, seed %d, %d pictures",
		c.Model.Backbone, c.Model.Norm, c.Model.FPNWidth, len(c.Model.Classes), c.Train.Optimizer, c.Train.Batch, c.Train.Seed, l.data.Len())
}

// saveModel writes the model, or its moving average where there is one, for use outside of training.
func (l *Loop) saveModel(name string, metrics map[string]float64) error {
	info := l.info
	info.Step, info.Metrics = l.Step, metrics
	return l.withAverage(func() error { return l.Model.Save(filepath.Join(l.out, name), info) })
}

// withAverage runs f with the moving average of the weights in the model's place.
func (l *Loop) withAverage(f func() error) error {
	if l.stepper.average == nil {
		return f()
	}
	if err := l.swapAverage(); err != nil {
		return err
	}
	err := f()
	if e := l.swapAverage(); err == nil {
		err = e
	}
	return err
}

func (l *Loop) swapAverage() error {
	e := l.Model.Engine()
	for _, p := range l.Model.Params() {
		avg, ok := l.stepper.average[p.Name]
		if !ok {
			continue
		}
		a, b := make([]float32, p.Size()), make([]float32, p.Size())
		if err := e.Download(a, p.Value); err != nil {
			return err
		}
		if err := e.Download(b, avg); err != nil {
			return err
		}
		if err := e.Upload(p.Value, b); err != nil {
			return err
		}
		if err := e.Upload(avg, a); err != nil {
			return err
		}
	}
	l.Model.Changed()
	return nil
}

// startAverage makes a copy of every trainable parameter.
func (l *Loop) startAverage() error {
	l.stepper.average = map[string]*tensor.Dense{}
	e := l.Model.Engine()
	for _, p := range l.Model.Params() {
		if !p.Trainable && p.Kind != nn.Buffer {
			continue
		}
		t, err := e.New(tensor.Float32, p.Shape...)
		if err != nil {
			return err
		}
		if err := e.Lerp(t, p.Value, 1); err != nil {
			return err
		}
		l.stepper.average[p.Name] = t
	}
	return nil
}
