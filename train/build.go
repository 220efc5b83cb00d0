package train

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/augment"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/engine/device"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/progress"
	"retinago/internal/text"
)

// New builds a run: it locks the folder, opens the data, the engine and the model, and with o.Resume reads the state of the run in the
// folder. It returns an error if another process runs there, or if the run does not fit into memory. The caller must call Close, also
// without a call of Run.
func New(c config.Config, o Options) (*Loop, error) {
	l := &Loop{bestAP: -1, world: o.World}
	if err := l.build(c, o.withDefaults()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Close frees what New opened, in reverse order.
func (l *Loop) Close() error {
	var err error
	for _, f := range slices.Backward(l.closers) {
		err = errors.Join(err, f())
	}
	l.closers = nil
	return err
}

func (l *Loop) build(c config.Config, o Options) error {
	if l.alerts = l.alert(o.Log); !l.world.First() {
		o.Log, o.Locked = io.Discard, true
	}
	l.out, l.log = o.Out, o.Log
	val, err := l.prepare(c, o)
	if err := l.meet(err); err != nil {
		return err
	}
	return l.world.Agree(l.open(o, val))
}

// prepare locks the folder, opens the data, the engine and the model, and reads the state of a run that resumes. It writes none of the run's
// files and exchanges nothing with other processes.
func (l *Loop) prepare(c config.Config, o Options) (*data.Dataset, error) {
	if !o.Locked {
		owner, err := file.Lock(o.Out, o.Log)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		l.onClose(func() error { owner.Release(); return nil })
	}
	if err := Validate(c); err != nil {
		return nil, err
	}
	if err := checkChange(o.Change); err != nil {
		return nil, err
	}
	if err := l.checkProcesses(c, o); err != nil {
		return nil, err
	}
	if l.world.First() {
		if err := claim(o); err != nil {
			return nil, err
		}
	}
	val, err := l.openData(&c, o)
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil { // lists by class, now that the classes are known
		return nil, err
	}
	l.config = c
	if err := l.openModel(o, val); err != nil {
		return nil, err
	}
	if err := l.openLoader(); err != nil {
		return nil, err
	}
	l.schedule = NewSchedule(c.Train, l.loader.BatchesPerEpoch())
	if o.Resume {
		if err := l.loadState(o, val != nil); err != nil {
			return nil, err
		}
	}
	l.loader.EndEarly(l.schedule.share(c.Train.AugmentUntil))
	l.announce(o, val)
	return val, l.fits()
}

// open opens the files that the first process writes, and makes the hooks.
func (l *Loop) open(o Options, val *data.Dataset) (err error) {
	if !l.world.First() {
		l.addOtherHooks(o)
		return nil
	}
	if err := l.config.Save(filepath.Join(o.Out, ConfigFile)); err != nil {
		return err
	}
	if l.journal, err = newJournal(o.Out, l.last.Number, l.evaluated, o.Log); err != nil {
		return err
	}
	l.onClose(l.journal.close)
	l.addHooks(o, val)
	return nil
}

func (l *Loop) onClose(f func() error) { l.closers = append(l.closers, f) }

// openModel opens the engine and makes the model with its optimiser and averages, from scratch or from train.init_weights.
func (l *Loop) openModel(o Options, val *data.Dataset) error {
	c := l.config
	how, err := cpu.ParseAlgorithm(c.Train.Convolutions)
	if err != nil {
		return err
	}
	e, err := device.Open(device.Options{Name: l.device(o.Device), Precision: o.Precision, Threads: l.threads(), Convolutions: how, Warn: func(err error) { fmt.Fprintln(l.alerts, err) }})
	if err != nil {
		return err
	}
	l.onClose(e.Close)
	if l.model, err = detector.New(c.Model, e, c.Train.Seed); err != nil {
		return err
	}
	l.onClose(l.model.Close)
	if err := Freeze(c.Train, l.model.Params()); err != nil {
		return err
	}
	l.info = detector.Info{Config: c, Categories: categories(c)}
	if l.conditions, err = conditionsOf(c, e, l.data, val); err != nil {
		return err
	}
	if n := l.world.Size(); n > 1 {
		l.conditions.Processes = n
	}
	if c.Train.InitWeights != "" && !o.Resume {
		if err := start(l.model, c.Train.InitWeights, c, o.Log); err != nil {
			return err
		}
	}
	c.Loss.ClassWeights = c.Loss.ClassWeights.Resolve(l.data.ObjectCounts(), c.Loss.ClassBeta)
	if l.stepper, err = NewStepper(l.model, c); err != nil {
		return err
	}
	l.stepper.join(l.world)
	l.onClose(l.stepper.Close)
	if c.Train.EMA > 0 {
		return l.startAverage()
	}
	return nil
}

// openLoader makes the loader of training batches. Its workers also assign anchors.
func (l *Loop) openLoader() (err error) {
	c := l.config
	bytes := l.model.Engine().Supports(engine.Preparation{})
	l.loader, err = data.NewLoader(l.data, c.Data, data.LoaderOptions{Batch: c.Train.Batch, Part: l.world.Rank(), Parts: l.world.Size(), Seed: c.Train.Seed, Bytes: bytes, Prepare: func(b *data.Batch) {
		objects := make([]detector.Objects, b.N)
		for i := range objects {
			objects[i] = detector.Objects{Boxes: b.Boxes[i], Classes: b.Classes[i], Crowd: b.Crowd[i]}
		}
		b.Prepared = l.stepper.Targets(b.H, b.W, objects)
	}})
	if err != nil {
		return err
	}
	l.onClose(func() error { l.loader.Close(); return nil })
	return nil
}

// addHooks puts the run's own hooks after the caller's. The checkpoint is last, because it saves the results of the evaluation.
func (l *Loop) addHooks(o Options, val *data.Dataset) {
	c := l.config.Train
	pictures := 0
	if val != nil {
		pictures = val.Len()
	}
	l.hooks = append(slices.Clone(o.Hooks),
		&budgeted{w: o.Log, pictures: pictures},
		&guards{w: o.Log, train: l.data, val: val},
		&broken{w: o.Log, all: l.loader.Broken, named: map[string]bool{}},
		&steps{w: o.Log, line: progress.On(o.Log), every: max(c.LogEvery, 1)},
		l.journal)
	if l.world.Size() > 1 {
		l.hooks = append(l.hooks, &sameBits{checkpoints: c.CheckpointEvery})
	}
	if val != nil {
		l.hooks = append(l.hooks, &evaluation{every: c.EvalEvery, w: o.Log, journal: l.journal, line: progress.On(o.Log), measure: measureOn(val)})
	}
	l.hooks = append(l.hooks, &checkpoint{every: c.CheckpointEvery}, &closing{w: o.Log})
}

// addOtherHooks puts the hooks of a process that is not the first after the caller's: those that exchange numbers with the first, in its
// order, and those for what concerns this process alone. It does not evaluate and writes no file.
func (l *Loop) addOtherHooks(o Options) {
	l.hooks = append(slices.Clone(o.Hooks),
		&budgeted{w: o.Log},
		&broken{w: l.alerts, all: l.loader.Broken, named: map[string]bool{}},
		&sameBits{checkpoints: l.config.Train.CheckpointEvery})
}

// claim checks that the folder holds a run if o.Resume is set, and none if it is not.
func claim(o Options) error {
	_, err := os.Stat(filepath.Join(o.Out, StateFile))
	switch {
	case o.Resume && err != nil:
		stopped := ""
		if _, err := os.Stat(filepath.Join(o.Out, LogFile)); err == nil {
			stopped = "a run there was stopped before its first checkpoint; "
		}
		return fmt.Errorf("train: nothing to resume in %s: %w; %sleave -resume out to start a run", o.Out, err, stopped)
	case !o.Resume:
		if err := CheckOut(o.Out); err != nil {
			return err
		}
	}
	return file.RemoveUnfinished(o.Out, StateFile, LastModel, BestModel, ConfigFile, LogFile)
}

// CheckOut returns an error if a folder already holds a run.
func CheckOut(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, StateFile)); err == nil {
		return fmt.Errorf("train: %s already holds a run; continue it with -resume, or give another -out", dir)
	}
	return nil
}

// announce prints the model, the data, the schedule and the device.
func (l *Loop) announce(o Options, val *data.Dataset) {
	all, trainable := l.model.Size()
	c, e := l.config, l.model.Engine()
	line := func(w io.Writer, format string, a ...any) { fmt.Fprintf(w, format+"\n", a...) }
	line(o.Log, "model     %s, FPN %d, %s, %.2fM parameters, %.2fM trained", c.Model.Backbone, c.Model.FPNWidth, text.Count(l.model.Classes(), "class"), float64(all)/1e6, float64(trainable)/1e6)
	line(o.Log, "data      %s: %s", l.data.Path(), l.data.Summary())
	if val != nil {
		line(o.Log, "          %s: %s", val.Path(), val.Summary())
	}
	line(o.Log, "epoch     %s", l.loader.Epoch())
	line(o.Log, "schedule  %s", l.schedule)
	if text := augmentation(c.Data.Augment, c.Train.AugmentUntil); text != "" {
		line(o.Log, "augment   %s", text)
	}
	if l.world.Size() > 1 {
		line(o.Log, "processes %v; each computes %d of a batch's %d images", l.world, c.Train.Batch/l.world.Size(), c.Train.Batch)
	}
	line(o.Log, "compute   %s in %v, %d threads; loss %s over %s", e.Name(), engine.PrecisionOf(e), e.Threads(), c.Loss.Kind, c.Loss.Normalizer)
	if weights := l.stepper.config.Loss.ClassWeights; c.Loss.ClassWeights.Named() {
		line(o.Log, "weights   of classes by %s: %s", c.Loss.ClassWeights, infer.Brief(strings.Split(string(weights), ",")))
	}
	for _, w := range c.Warnings() {
		line(o.Log, "warning   %s", w)
	}
	line(o.Log, "out       %s", o.Out)
}

// augmentation describes the policies of a run, of which some end after a share of it; empty without any.
func augmentation(list config.Augment, until float64) string {
	all, err := augment.Expand(list)
	if err != nil { // Validate has checked it
		return ""
	}
	var names, early []string
	for _, p := range all {
		names = append(names, p.Name)
		if kind, err := augment.Find(p.Name); err == nil && kind.Early {
			early = append(early, p.Name)
		}
	}
	text := strings.Join(names, ", ")
	if len(early) > 0 {
		text += fmt.Sprintf("; in the first %.3g %% of the run only: %s", 100*until, strings.Join(early, ", "))
	}
	return text
}
