package train

import (
	"errors"
	"fmt"
	"path/filepath"

	"retinago/engine"
	"retinago/internal/memory"
)

// fits prints the memory that the largest canvas takes, and returns an error if less is available.
func (l *Loop) fits() error {
	h, w := l.loader.LargestCanvas()
	batch := l.config.Train.Batch
	need, err := l.budget(batch)
	if err != nil {
		return err
	}
	have, where, err := l.memory()
	if err != nil {
		return err
	}
	of := partOf(where)
	fmt.Fprintf(l.log, "memory    %s at the peak%s, for a batch of %d%s%s on %dx%d (height x width)\n", megabytes(of(need)), where, batch, inProcesses(l.world.Size()), inParts(l.config.Train.Accumulate), h, w)
	if have <= 0 || of(need) <= have {
		return nil
	}
	plan, err := l.largestBatch(have, of)
	if err != nil {
		return err
	}
	first := ""
	if !l.config.Train.RecomputeHeads {
		first = "set train.recompute_heads=true or "
	}
	return fmt.Errorf("train: this needs %s of memory%s and %s are available; %s: %slower train.batch (%d), data.short_sides (%v) or model.fpn_width (%d), or set train.accumulate, which computes a batch in parts",
		megabytes(of(need)), where, megabytes(have), plan, first, batch, l.config.Data.ShortSides, l.config.Model.FPNWidth)
}

// budget is TrainingBudget for this process's part of a batch.
func (l *Loop) budget(batch int) (Budget, error) {
	h, w := l.loader.LargestCanvas()
	b, err := TrainingBudget(l.model, l.config, max(batch/l.world.Size(), 1), h, w)
	if l.world.Size() > 1 {
		_, trainable := l.model.Size()
		b.Optimizer += 4 * int64(trainable) // of the exchange
	}
	return b, err
}

// inProcesses describes how many processes share a batch; empty for one.
func inProcesses(n int) string {
	if n <= 1 {
		return ""
	}
	return fmt.Sprintf(" shared by %d processes, in each of them", n)
}

// inParts describes how a batch is computed; empty for a whole one.
func inParts(accumulate int) string {
	if accumulate <= 1 {
		return ""
	}
	return fmt.Sprintf(" in %d parts (train.accumulate)", accumulate)
}

// partOf returns the part of a budget that counts: the device's part if where names a device, else all.
func partOf(where string) func(Budget) int64 {
	if where != "" {
		return Budget.Device
	}
	return Budget.Total
}

// largestBatch returns a text with the largest batch, below the run's, that fits into have bytes.
func (l *Loop) largestBatch(have int64, part func(Budget) int64) (string, error) {
	for n := l.config.Train.Batch / 2; n >= l.world.Size(); n /= 2 {
		b, err := l.budget(n)
		if err != nil {
			return "", err
		}
		if part(b) <= have {
			return fmt.Sprintf("a batch of %d fits", n), nil
		}
	}
	return "no batch fits", nil
}

// memory returns the bytes that this process may take, with those that it holds already: on the engine, whose name is in where then, or on the
// host. 0 is unknown.
func (l *Loop) memory() (have int64, where string, err error) {
	e, ok := engine.As[engine.Limited](l.model.Engine(), engine.OwnMemory)
	if !ok {
		_, local := l.world.Local() // all take from one memory
		return memory.ForProcess().Bytes / int64(local), "", nil
	}
	free, _, err := e.Memory()
	return free + e.Held(), " on " + l.model.Engine().Name(), err
}

// outOfMemory saves a run whose device has too little memory for the next step or evaluation, for example because other processes take
// it. The returned error names the batch that would fit.
func (l *Loop) outOfMemory(err error) error {
	if e := l.save(); e != nil {
		return errors.Join(err, e)
	}
	plan, e := l.planWithRest()
	if e != nil {
		plan = fmt.Sprintf("what fits is not known (%v)", e)
	}
	return fmt.Errorf("%w; step %d is saved: make room on the device and continue with -resume; as it is now, %s, in another run from %s (train.init_weights)",
		err, l.last.Number, plan, filepath.Join(l.out, LastModel))
}

// planWithRest is largestBatch for the memory that other processes leave. It frees the model's graphs.
func (l *Loop) planWithRest() (string, error) {
	have, where, err := l.memory()
	if err != nil {
		return "", err
	}
	if err := l.model.Forget(); err != nil { // planning allocates the inputs of a graph
		return "", err
	}
	return l.largestBatch(have, partOf(where))
}
