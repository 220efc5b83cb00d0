package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/engine/device"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/memory"
)

// Options says where a run lives.
type Options struct {
	Out       string    // directory; made when it is absent
	Resume    bool      // continue the run that is there
	Changed   bool      // with Resume: also where losses, pictures or annotations differ from before; the log says which
	Held      bool      // the caller owns Out (file.Lock)
	Log       io.Writer // progress, for people
	Hooks     []Hook    // besides the run's own, and called before them
	Device    string    // of package device; empty is the cpu
	Precision string    // as device.Options
}

// Run trains a model to the end of its schedule. Cancelling ctx ends it early, with a checkpoint and without an error. One process at a
// time runs in a directory.
func Run(ctx context.Context, c config.Config, o Options) (err error) {
	if !o.Held {
		owner, err := file.Lock(o.Out, o.Log)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		defer owner.Release()
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if err := claim(o); err != nil {
		return err
	}
	train, err := open(c, c.Data.Train, "data.train")
	if err != nil {
		return err
	}
	if err := adopt(&c, train); err != nil {
		return err
	}
	var val *data.Dataset
	if c.Data.Val.Source != "" {
		if val, err = open(c, c.Data.Val, "data.val"); err != nil {
			return err
		}
		if err := sameCategories(c, val); err != nil {
			return err
		}
	}
	how, err := cpu.ParseAlgorithm(c.Train.Convolutions)
	if err != nil {
		return err
	}
	e, err := device.Open(device.Options{Name: o.Device, Precision: o.Precision, Threads: c.Train.Threads, Convolutions: how, Warn: func(err error) { fmt.Fprintln(o.Log, err) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	m, err := detector.New(c.Model, e, c.Train.Seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()

	l := &Loop{Config: c, Model: m, out: o.Out, data: train, info: detector.Info{Config: c, Categories: categories(c)}, bestAP: -1}
	if l.conditions, err = conditionsOf(c, e, train, val); err != nil {
		return err
	}
	if c.Train.InitWeights != "" && !o.Resume {
		if err := start(m, c.Train.InitWeights, c.Model.Backbone, o.Log); err != nil {
			return err
		}
	}
	if l.stepper, err = NewStepper(m, c); err != nil {
		return err
	}
	if c.Train.EMA > 0 {
		if err := l.startAverage(); err != nil {
			return err
		}
	}
	_, bytes := e.(engine.Preparing)
	l.loader, err = data.NewLoader(train, c.Data, data.LoaderOptions{Batch: c.Train.Batch, Seed: c.Train.Seed, Bytes: bytes, Prepare: func(b *data.Batch) {
		objects := make([]detector.Objects, b.N)
		for i := range objects {
			objects[i] = detector.Objects{Boxes: b.Boxes[i], Classes: b.Classes[i], Crowd: b.Crowd[i]}
		}
		b.Prepared = l.stepper.Targets(b.H, b.W, objects)
	}})
	if err != nil {
		return err
	}
	defer l.loader.Close()
	l.Schedule = NewSchedule(c.Train, l.loader.BatchesPerEpoch())
	if o.Resume {
		if err := l.loadState(o, val != nil); err != nil {
			return err
		}
	}
	l.announce(o, val)
	if err := l.fits(o.Log); err != nil {
		return err
	}
	if err := c.Save(filepath.Join(o.Out, ConfigFile)); err != nil {
		return err
	}
	j, err := newJournal(o.Out, l.Step, l.evaluated, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	l.journal = j
	l.hooks = append(slices.Clone(o.Hooks), &broken{w: o.Log, all: l.loader.Broken, named: map[string]bool{}}, &progress{w: o.Log, every: max(c.Train.LogEvery, 1)}, j)
	if val != nil {
		l.hooks = append(l.hooks, &evaluation{every: c.Train.EvalEvery, w: o.Log, journal: j, measure: func(ctx context.Context, l *Loop) ([12]float64, string, error) {
			return measure(ctx, l, val)
		}})
	}
	// The checkpoint holds what the evaluation found.
	l.hooks = append(l.hooks, &checkpoint{every: c.Train.CheckpointEvery})
	return l.run(ctx, o.Log)
}

// claim finds the run that is to be resumed, or a directory without one.
func claim(o Options) error {
	_, err := os.Stat(filepath.Join(o.Out, StateFile))
	switch {
	case o.Resume && err != nil:
		stopped := ""
		if _, err := os.Stat(filepath.Join(o.Out, LogFile)); err == nil {
			stopped = "a run there was stopped before its first checkpoint; "
		}
		return fmt.Errorf("train: nothing to resume in %s: %w; %sleave -resume out to start a run", o.Out, err, stopped)
	case !o.Resume && err == nil:
		return fmt.Errorf("train: %s already holds a run; continue it with -resume, or give another -out", o.Out)
	}
	return file.RemoveUnfinished(o.Out, StateFile, LastModel, BestModel, ConfigFile, LogFile)
}

func open(c config.Config, s config.Set, key string) (*data.Dataset, error) {
	if s.Source == "" {
		return nil, fmt.Errorf("train: %s.source must say where the dataset is; set it in the config or with -set", key)
	}
	d, err := data.Open(data.Source(c.Data, s))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return d, nil
}

// adopt takes the classes from the training set where the config names none, and checks them where it does.
func adopt(c *config.Config, d *data.Dataset) error {
	if len(c.Model.Classes) == 0 {
		for _, k := range d.Categories() {
			c.Model.Classes = append(c.Model.Classes, k.Name)
			c.Model.CategoryIDs = append(c.Model.CategoryIDs, k.ID)
		}
		return nil
	}
	return sameCategories(*c, d)
}

// sameCategories checks that a dataset has the model's classes: class k of the model is category k of the dataset.
func sameCategories(c config.Config, d *data.Dataset) error {
	have := d.Categories()
	same := len(have) == len(c.Model.Classes)
	for i := 0; same && i < len(have); i++ {
		same = have[i].Name == c.Model.Classes[i] && (len(c.Model.CategoryIDs) == 0 || have[i].ID == c.Model.CategoryIDs[i])
	}
	if same {
		return nil
	}
	var names []string
	for _, k := range have {
		names = append(names, fmt.Sprintf("%d %s", k.ID, k.Name))
	}
	return fmt.Errorf("train: %s has the categories [%s], the model has the classes [%s] with ids %v: they must be the same in the same order",
		d.Path(), strings.Join(names, ", "), strings.Join(c.Model.Classes, ", "), c.Model.CategoryIDs)
}

func categories(c config.Config) []detector.Category {
	out := make([]detector.Category, len(c.Model.Classes))
	for i, n := range c.Model.Classes {
		out[i] = detector.Category{ID: int64(i + 1), Name: n}
		if i < len(c.Model.CategoryIDs) {
			out[i].ID = c.Model.CategoryIDs[i]
		}
	}
	return out
}

// announce prints what is about to happen.
func (l *Loop) announce(o Options, val *data.Dataset) {
	all, trainable := l.Model.Size()
	c := l.Config
	fmt.Fprintf(o.Log, "model     %s, FPN %d, %d classes, %.2fM parameters, %.2fM trained\n", c.Model.Backbone, c.Model.FPNWidth, l.Model.Classes(), float64(all)/1e6, float64(trainable)/1e6)
	fmt.Fprintf(o.Log, "data      %s: %s\n", l.data.Path(), l.data.Summary())
	if val != nil {
		fmt.Fprintf(o.Log, "          %s: %s\n", val.Path(), val.Summary())
	}
	fmt.Fprintf(o.Log, "schedule  %s\n", l.Schedule)
	fmt.Fprintf(o.Log, "compute   %s in %v, %d threads; loss %s over %s\n", l.Model.Engine().Name(), engine.PrecisionOf(l.Model.Engine()), l.Model.Engine().Threads(), c.Loss.Kind, c.Loss.Normalizer)
	for _, w := range c.Warnings() {
		fmt.Fprintf(o.Log, "warning   %s\n", w)
	}
	fmt.Fprintf(o.Log, "out       %s\n", o.Out)
}

// fits prints the memory that the largest canvas will take and refuses to begin without it.
func (l *Loop) fits(w io.Writer) error {
	h, wd := l.loader.LargestCanvas()
	batch := l.Config.Train.Batch
	need, err := TrainingBudget(l.Model, l.Config, batch, h, wd)
	if err != nil {
		return err
	}
	have, where, err := l.memory()
	if err != nil {
		return err
	}
	of := partOf(where)
	fmt.Fprintf(w, "memory    %s at the peak%s, for a batch of %d on %dx%d\n", megabytes(of(need)), where, batch, wd, h)
	if have <= 0 || of(need) <= have {
		return nil
	}
	plan, err := l.fitting(have, of)
	if err != nil {
		return err
	}
	first := ""
	if !l.Config.Train.RecomputeHeads {
		first = "set train.recompute_heads=true or "
	}
	return fmt.Errorf("train: this needs %s of memory%s and %s are available; %s: %slower train.batch (%d), data.short_sides (%v) or model.fpn_width (%d)",
		megabytes(of(need)), where, megabytes(have), plan, first, batch, l.Config.Data.ShortSides, l.Config.Model.FPNWidth)
}

// partOf is the part of a budget that counts where a run's memory is.
func partOf(where string) func(Budget) int64 {
	if where != "" {
		return Budget.Device
	}
	return Budget.Total
}

// fitting tells the largest batch below the run's whose part fits into have.
func (l *Loop) fitting(have int64, part func(Budget) int64) (string, error) {
	h, w := l.loader.LargestCanvas()
	for n := l.Config.Train.Batch / 2; n > 0; n /= 2 {
		b, err := TrainingBudget(l.Model, l.Config, n, h, w)
		if err != nil {
			return "", err
		}
		if part(b) <= have {
			return fmt.Sprintf("a batch of %d fits", n), nil
		}
	}
	return "no batch fits", nil
}

// memory is what there is for a run, with what it holds already: on the engine, which where then names, or on the host. 0 is unknown.
func (l *Loop) memory() (have int64, where string, err error) {
	e, ok := l.Model.Engine().(engine.Limited)
	if !ok {
		return memory.ForProcess().Bytes, "", nil
	}
	free, _, err := e.Memory()
	return free + e.Held(), " on " + l.Model.Engine().Name(), err
}

// measure evaluates the model on a dataset.
func measure(ctx context.Context, l *Loop, val *data.Dataset) ([12]float64, string, error) {
	e, err := infer.Evaluate(ctx, l.Model, l.Config, val, nil)
	if err != nil {
		return [12]float64{}, "", err
	}
	r, err := coco.Evaluate(val.COCO(), e.Detections, coco.Params{})
	if err != nil {
		return [12]float64{}, "", err
	}
	return r.Stats, r.String(), nil
}
