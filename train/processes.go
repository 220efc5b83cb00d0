package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"retinago/config"
	"retinago/internal/processors"
)

// checkProcesses returns an error for settings with which several processes would not come to the results of one.
func (l *Loop) checkProcesses(c config.Config, o Options) error {
	n := l.world.Size()
	if n == 1 {
		return nil
	}
	var errs []error
	fail := func(format string, a ...any) { errs = append(errs, fmt.Errorf("train: "+format, a...)) }
	if t := c.Train; t.Batch%(n*t.Accumulate) != 0 {
		parts := fmt.Sprintf("%d processes", n)
		if t.Accumulate > 1 {
			parts += fmt.Sprintf(" with %d parts each (train.accumulate)", t.Accumulate)
		}
		fail("train.batch %d is the whole batch and does not divide among %s: set it to a multiple of %d, or start another number of processes", t.Batch, parts, n*t.Accumulate)
	}
	if c.Model.Norm == "batch" {
		fail("model.norm batch takes its statistics from the images of one process, and %d processes share a batch: set model.norm to group, or to frozen with train.init_weights", n)
	}
	if c.Loss.Kind == "ohem" {
		fail("loss.kind ohem selects among the anchors of the whole batch, and %d processes share a batch: choose another loss, or start one process", n)
	}
	if o.Precision == "fp16" {
		fail("-precision fp16 has a loss scale that %d processes do not share: choose bf16, or start one process", n)
	}
	return errors.Join(errs...)
}

// threads returns how many threads the cpu engine has: train.threads, or a share of the processors on which other processes of the run
// compute too. 0 is the engine's default.
func (l *Loop) threads() int {
	n := l.world.Sharing()
	if t := l.config.Train.Threads; t > 0 || n == 1 {
		return t
	}
	return max(processors.Count()/n, 1)
}

// device returns the device of this process: of several processes with "cuda" each has a GPU of its own.
func (l *Loop) device(name string) string {
	if rank, n := l.world.Local(); name == "cuda" && n > 1 {
		return fmt.Sprintf("cuda:%d", rank)
	}
	return name
}

// alert returns where to write what concerns this process alone: the log, with the process's name where it is not the first.
func (l *Loop) alert(log io.Writer) io.Writer {
	if l.world.First() {
		return log
	}
	return prefixed{log, l.world.Process(l.world.Rank()) + ": "}
}

// prefixed writes a prefix before each Write, which has whole lines.
type prefixed struct {
	w      io.Writer
	prefix string
}

func (p prefixed) Write(b []byte) (int, error) {
	_, err := p.w.Write(append([]byte(p.prefix), b...))
	return len(b), err
}

// interrupted returns the error of ctx. If one of several processes is interrupted, all are before the same step: they call interrupt, which
// cancels ctx.
func (l *Loop) interrupted(ctx context.Context, interrupt func()) error {
	if l.world.Size() == 1 {
		return ctx.Err()
	}
	any, err := l.world.Any(ctx.Err() != nil)
	if err != nil || !any { // one that is interrupted from here on takes the step that the others take
		return err
	}
	interrupt()
	return ctx.Err()
}

// imagesOfAll returns the names of the images of all processes, of which this one has own.
func (l *Loop) imagesOfAll(own []string) ([]string, error) {
	if l.world.Size() == 1 {
		return own, nil
	}
	b, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	parts, err := l.world.Gather(b)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, b := range parts {
		var names []string
		if err := json.Unmarshal(b, &names); err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}
