package train

import (
	"encoding/binary"
	"fmt"
	"time"

	"gorgonia.org/tensor"

	"retinago/detector"
	"retinago/engine"
	"retinago/internal/cluster"
	"retinago/nn"
)

// exchange is what a Stepper exchanges with the other processes of a run, each of which computes a part of every batch.
type exchange struct {
	world  *cluster.World // nil is one process
	all    []float32      // the gradients of a step, one after the other
	failed error          // of a sum inside of a loss
}

// join makes the stepper one of several processes that take the same steps.
func (s *Stepper) join(w *cluster.World) {
	s.exchange.world = w
	if a := s.adaptive(); a != nil && s.exchange.on() {
		a.Pool(s.exchange.pool)
	}
}

// on reports whether there are other processes.
func (x *exchange) on() bool { return x.world.Size() > 1 }

// pool adds up the counts of a loss.Adaptive over the processes. sum returns its error.
func (x *exchange) pool(counts []float64) {
	if err := x.world.Sum64(counts); err != nil && x.failed == nil {
		x.failed = err
	}
}

// sum replaces the losses, the positives and the gradients of this process's part of a batch by their sums over all processes.
func (x *exchange) sum(e engine.Engine, g gradients, out *Step) error {
	if !x.on() {
		return nil
	}
	if x.failed != nil {
		return x.failed
	}
	begin := time.Now()
	few := []float64{out.Losses.Class, out.Losses.Box, float64(out.Positives)}
	if err := x.world.Sum64(few); err != nil {
		return err
	}
	out.Losses.Class, out.Losses.Box, out.Positives = few[0], few[1], int(few[2])
	if err := x.each(g, e.Download); err != nil {
		return fmt.Errorf("train: gradients: %w", err)
	}
	if err := x.world.Sum32(x.all); err != nil {
		return err
	}
	if err := x.each(g, func(v any, t *tensor.Dense) error { return e.Upload(t, v) }); err != nil {
		return fmt.Errorf("train: sums of gradients: %w", err)
	}
	out.Exchange = time.Since(begin)
	return nil
}

// each calls f with each gradient and its place among all.
func (x *exchange) each(g gradients, f func(all any, t *tensor.Dense) error) error {
	at := 0
	return g.Gradients(func(_ *nn.Param, t *tensor.Dense) error {
		n := t.Shape().TotalSize()
		if len(x.all) < at+n { // the first step finds out how many there are
			x.all = append(x.all, make([]float32, at+n-len(x.all))...)
		}
		at += n
		return f(x.all[at-n:at], t)
	})
}

// factors returns the factors on the losses of this process's images, which depend on the targets of the whole batch.
func (s *Stepper) factors(t *detector.Targets) ([]float32, error) {
	if !s.exchange.on() {
		return s.normalizer.Factors(t.Positives, t.Counted), nil
	}
	n := len(t.Positives)
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint64(b, uint64(t.Positives[i]))
		b = binary.LittleEndian.AppendUint64(b, uint64(t.Counted[i]))
	}
	all, err := s.exchange.world.Gather(b)
	if err != nil {
		return nil, err
	}
	var positives, counted []int
	for _, b := range all { // the parts of a batch are in the order of the processes
		for ; len(b) > 0; b = b[16:] {
			positives = append(positives, int(binary.LittleEndian.Uint64(b)))
			counted = append(counted, int(binary.LittleEndian.Uint64(b[8:])))
		}
	}
	first := s.exchange.world.Rank() * n
	return s.normalizer.Factors(positives, counted)[first : first+n], nil
}
