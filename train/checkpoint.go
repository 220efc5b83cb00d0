package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

	"retinago/nn"
)

// File names in a run's directory.
const (
	LastModel  = "last.safetensors"       // the newest model
	BestModel  = "best.safetensors"       // the model with the best AP
	StateFile  = "last.state.safetensors" // everything that resuming needs, the weights included
	ConfigFile = "config.yaml"
	LogFile    = "log.jsonl"
)

// checkpoint is the hook that saves the run: every so many steps, after an evaluation with the best AP so far, and at the end.
type checkpoint struct{ every int }

// Begin saves a resumed run that was killed between writing its state and its best model.
func (c *checkpoint) Begin(_ context.Context, l *Loop) error {
	if !l.bestUnsaved {
		return nil
	}
	return l.save()
}

func (c *checkpoint) Reads(step int) Reads { return periodic(step, c.every) }

func (c *checkpoint) Step(_ context.Context, l *Loop, s Step) error {
	if c.Reads(s.Number) != ReadsModel && !l.bestUnsaved {
		return nil
	}
	return l.save()
}

// End saves a run that is done or was interrupted. A failed run keeps its last checkpoint.
func (c *checkpoint) End(_ context.Context, l *Loop, err error) error {
	if err != nil {
		return nil
	}
	return l.save()
}

// save writes a checkpoint: the log, then the state, then the models. So the log has every step of the state. A kill after the state
// leaves older models. A resumed run then writes them: the best model if it is of the state's step, the last model in any case.
func (l *Loop) save() error {
	err := l.journal.sync()
	if err == nil {
		err = l.saveState()
	}
	if err == nil && l.bestUnsaved {
		err = l.saveModel(BestModel, l.metrics)
	}
	if err == nil {
		l.bestUnsaved = false
		err = l.saveModel(LastModel, l.metrics)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint of step %d: %w; make room in %s and %s", l.last.Number, err, l.out, l.goOn())
	}
	return nil
}

// resumable reports whether a state was saved.
func (l *Loop) resumable() bool {
	_, err := os.Stat(filepath.Join(l.out, StateFile))
	return err == nil
}

// goOn returns advice for continuing a failed run.
func (l *Loop) goOn() string {
	if l.resumable() {
		return "continue with -resume"
	}
	return "start again, without -resume: no checkpoint was saved before"
}

// saveModel writes the model for use outside of training, with the moving average of the weights if there is one.
func (l *Loop) saveModel(name string, metrics map[string]float64) error {
	info := l.info
	info.Step, info.Metrics, info.Scores = l.last.Number, metrics, l.scores
	return l.withAverage(func() error { return l.model.Save(filepath.Join(l.out, name), info) })
}

// withAverage runs f while the model has the moving average of its weights.
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
	e := l.model.Engine()
	for _, p := range l.model.Params() {
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
	l.model.Changed()
	return nil
}

// startAverage makes a copy of every trainable parameter.
func (l *Loop) startAverage() error {
	l.stepper.average = map[string]*tensor.Dense{}
	e := l.model.Engine()
	for _, p := range l.model.Params() {
		if !p.Trainable && p.Kind != nn.Buffer {
			continue
		}
		t, err := e.New(tensor.Float32, p.Shape...)
		if err != nil {
			return err
		}
		l.stepper.average[p.Name] = t
		if err := e.Lerp(t, p.Value, 1); err != nil {
			return err
		}
	}
	return nil
}
