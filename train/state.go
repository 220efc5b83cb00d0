package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/internal/model/weights"
)

// stateFormat is the version of state files. Files without a version have 0.
const stateFormat = 1

// state is the part of a run's state that is not tensors.
type state struct {
	Format        int                `json:"format"`
	Step          int                `json:"step"`
	LossScale     float64            `json:"loss_scale,omitempty"` // of fp16
	GoodSteps     int                `json:"good_steps,omitempty"` // since the loss scale changed
	OptimizerStep int                `json:"optimizer_step"`
	Epoch         int                `json:"epoch"`
	Position      int                `json:"position"` // number of batches taken of the epoch
	NormEMA       float64            `json:"normalizer_ema"`
	BestAP        float64            `json:"best_ap"`
	BestStep      int                `json:"best_step,omitempty"`
	Evaluated     []int              `json:"evaluated,omitempty"`    // steps, rising
	Metrics       map[string]float64 `json:"metrics,omitempty"`      // of the last evaluation
	Scores        []float64          `json:"scores,omitempty"`       // of the last evaluation, as detector.Info's
	Unmeasured    bool               `json:"unmeasured,omitempty"`   // the evaluation of this step was interrupted
	Chosen        int                `json:"chosen_steps,omitempty"` // length of a run of train.minutes; 0 before it is chosen
	Loss          *lossState         `json:"loss,omitempty"`         // of a loss.Adaptive
	Seed          uint64             `json:"seed"`
	Fingerprint   string             `json:"fingerprint"`          // settings that must not change, for states without Conditions
	Conditions    *conditions        `json:"conditions,omitempty"` // nil in states of older versions
}

// lossState is the state of a class loss that follows the batches.
type lossState struct {
	Kind   string    `json:"kind"` // of config.Loss
	Values []float64 `json:"values"`
}

// stateKey is the key of state, as JSON, in the file's metadata.
const stateKey = "retinago.state"

// tensors returns the tensors of a run's state: parameters, moments of the optimiser, moving averages.
func (l *Loop) tensors() []named {
	var out []named
	for _, p := range l.model.Params() {
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

// saveState writes the state to one file, so that a kill at any moment leaves either the old state or the new one.
func (l *Loop) saveState() error {
	now := state{Format: stateFormat, Step: l.last.Number, OptimizerStep: l.stepper.optimizer.step, Epoch: l.epoch, Position: l.position,
		NormEMA: l.stepper.normalizer.EMA, BestAP: l.bestAP, BestStep: l.bestStep, Evaluated: l.evaluated, Metrics: l.metrics, Scores: l.scores, Unmeasured: l.unmeasured,
		Seed: l.config.Train.Seed, Fingerprint: l.fingerprint(), Conditions: &l.conditions}
	if scale := l.stepper.optimizer.scale; scale != nil {
		now.LossScale, now.GoodSteps = scale.Value, scale.Good
	}
	if l.config.Train.Minutes > 0 && l.schedule.Steps != openEnd {
		now.Chosen = l.schedule.Steps
	}
	if a := l.stepper.adaptive(); a != nil {
		now.Loss = &lossState{Kind: l.config.Loss.Kind, Values: a.State()}
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
		return l.model.Engine().Download(dst, tensors[i].t)
	})
}

// loadState reads the state file of a run that resumes. measured says whether the run has evaluations.
func (l *Loop) loadState(o Options, measured bool) error {
	path := filepath.Join(l.out, StateFile)
	f, err := weights.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("train: nothing to resume in %s: it has no %s; leave -resume out to start", l.out, StateFile)
		}
		return err
	}
	defer f.Close()
	var s state
	if err := json.Unmarshal([]byte(f.Metadata[stateKey]), &s); err != nil {
		return fmt.Errorf("train: %s is not a training state: %w", path, err)
	}
	if s.Format > stateFormat {
		return fmt.Errorf("train: %s has format %d, of a later version of retinago; this one reads formats up to %d", path, s.Format, stateFormat)
	}
	before, err := s.config()
	if err != nil {
		fmt.Fprintf(o.Log, "warning   the config of the steps so far cannot be read and is not compared: %v\n", err)
		before = l.config
	}
	if l.config.Train.Minutes > 0 && s.Chosen > 0 {
		l.schedule = newSchedule(l.config.Train, l.schedule.Epoch, resumedSteps(s.Chosen, before.Train, l.config.Train))
	}
	if err := l.compare(s, path, before, o); err != nil {
		return err
	}
	for _, n := range l.tensors() {
		t, err := f.Tensor(n.name)
		if err != nil {
			return fmt.Errorf("train: %s: %w", path, err)
		}
		if !tensor.Shape(t.Shape).Eq(n.t.Shape()) {
			return fmt.Errorf("train: %s: %s is %v, this model has %v", path, n.name, t.Shape, n.t.Shape())
		}
		if err := l.model.Engine().Upload(n.t, t.Data); err != nil {
			return err
		}
	}
	l.model.Changed()
	l.last.Number, l.stepper.optimizer.step, l.stepper.optimizer.begun = s.Step, s.OptimizerStep, s.Step
	l.bestAP, l.bestStep = s.BestAP, s.BestStep
	l.stepper.normalizer.EMA = s.NormEMA
	if scale := l.stepper.optimizer.scale; scale != nil && s.LossScale > 0 { // 0 after steps in another precision
		scale.Value, scale.Good = s.LossScale, s.GoodSteps
	}
	if err := l.loadLoss(s.Loss, path, o.Log); err != nil {
		return err
	}
	if err := l.recall(s, measured); err != nil {
		return err
	}
	return l.loader.Seek(s.Epoch, s.Position)
}

// config returns the settings of the steps so far, the zero ones where an older version wrote the state.
func (s *state) config() (config.Config, error) {
	if s.Conditions == nil {
		return config.Config{}, nil
	}
	return config.Parse("config", []byte(s.Conditions.Config))
}

// loadLoss continues the state of a class loss that follows the batches. It begins anew where the steps so far had another loss.
func (l *Loop) loadLoss(s *lossState, path string, log io.Writer) error {
	a := l.stepper.adaptive()
	switch kind := l.config.Loss.Kind; {
	case a == nil:
		return nil
	case s == nil || s.Kind != kind:
		fmt.Fprintf(log, "          the state of loss.kind %s begins anew: %s has none\n", kind, path)
		return nil
	}
	k := len(l.config.Model.Classes)
	if l.config.Model.Background {
		k++
	}
	if err := a.SetState(s.Values, k); err != nil {
		return fmt.Errorf("train: %s does not fit the settings of loss.kind %s: %w; resume with the run's own %s", path, s.Kind, err, ConfigFile)
	}
	return nil
}

// recall reads from the state and the log which evaluations the run has made. If the run is at the step of an evaluation whose line is
// not in the log, it makes the evaluation again.
func (l *Loop) recall(s state, measured bool) error {
	all, _, err := readJournal(l.out)
	if err != nil {
		return err
	}
	if s.Conditions == nil {
		s.listEvaluations(all)
	}
	l.evaluated, l.metrics, l.scores, l.unmeasured = s.Evaluated, s.Metrics, s.Scores, s.Unmeasured
	// The state has the step of the best model: a kill may have come between the writes of both files.
	l.bestUnsaved = s.BestStep > 0 && s.BestStep == s.Step
	n := len(l.evaluated)
	if !measured || n == 0 || l.evaluated[n-1] != s.Step {
		return nil
	}
	if !slices.ContainsFunc(all, func(r record) bool { return r.Stats != nil && r.Step == s.Step }) {
		l.evaluated, l.unmeasured = l.evaluated[:n-1], true
	}
	return nil
}

// listEvaluations reads from the log the evaluations of a state of an older version, which does not list them. An evaluation at the
// state's step with a better AP than the state's best was made after the state.
func (s *state) listEvaluations(all []record) {
	for _, r := range all {
		after := r.Step > s.Step || r.Step == s.Step && (s.Unmeasured || r.Stats != nil && r.Stats[0] > s.BestAP)
		if r.Stats == nil || after || slices.Contains(s.Evaluated, r.Step) {
			continue
		}
		s.Evaluated, s.Metrics = append(s.Evaluated, r.Step), metricsOf(r.Stats)
	}
}

// fingerprint returns the settings that must not change when a run resumes, as text.
func (l *Loop) fingerprint() string {
	c := l.config
	return fmt.Sprintf("%s %s width %d, %d classes, %s, batch %d, seed %d, %d pictures",
		c.Model.Backbone, c.Model.Norm, c.Model.FPNWidth, len(c.Model.Classes), c.Train.Optimizer, c.Train.Batch, c.Train.Seed, l.data.Len())
}
