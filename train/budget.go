package train

import (
	"fmt"

	"retinago/config"
	"retinago/detector"
	"retinago/infer"
)

// Budget is the memory that a run takes, in bytes.
type Budget struct {
	Process     int64 // the program before it has a model
	Parameters  int64
	Optimizer   int64 // moments and moving averages
	Activations int64 // activations and gradients in the planned arena
	Inputs      int64 // images and targets, on the engine and in the loader's queue
	Packed      int64 // weights in the layouts of the kernels, and their scratch space
}

// Total returns the peak.
func (b Budget) Total() int64 {
	return b.Process + b.Parameters + b.Optimizer + b.Activations + b.Inputs + b.Packed
}

// Device returns the part of the peak that an engine with its own memory takes at most.
func (b Budget) Device() int64 { return b.Total() - b.Process }

// process is the resident memory of the program with its libraries (OpenCV, oneDNN) and Go's heap at rest.
const process = 125 << 20

// TrainingBudget computes the memory of training on batches of n canvases of h x w pixels, each computed in train.accumulate parts.
func TrainingBudget(m *detector.Model, c config.Config, n, h, w int) (Budget, error) {
	part := max(n/max(c.Train.Accumulate, 1), 1)
	plan, err := m.TrainPlan(part, h, w, trainSpec(c))
	if err != nil {
		return Budget{}, err
	}
	b := budget(m, n, h, w)
	b.Activations = plan.Bytes()
	_, trainable := m.Size()
	optimizer, err := optimizerNamed(c.Train.Optimizer)
	if err != nil {
		return Budget{}, err
	}
	moments := optimizer.Moments
	if c.Train.EMA > 0 {
		moments++
	}
	if c.Train.Accumulate > 1 {
		moments += 2 // sums of gradients
	}
	b.Optimizer = 4 * int64(moments*trainable)
	// Labels and four box targets per anchor, and two batches ahead in the loader besides the one in use.
	b.Inputs += int64(n) * int64(m.AnchorCount(h, w)) * 20
	b.Inputs *= 4
	b.Inputs += m.LossBytes(part, h, w, lossFunc(c.Loss))
	b.Packed = m.PackedBytes(true)
	if c.Data.Val.Source != "" {
		return b.evaluating(m, h, w)
	}
	return b, nil
}

// evaluating adds the memory of a run's evaluations: their images, and the kernels for one batch of them.
func (b Budget) evaluating(m *detector.Model, h, w int) (Budget, error) {
	e, err := InferenceBudget(m, infer.EvalBatch, h, w)
	if err != nil {
		return Budget{}, err
	}
	b.Activations = max(b.Activations, e.Activations)
	b.Inputs += e.Inputs
	b.Packed = max(b.Packed, e.Packed)
	return b, nil
}

// InferenceBudget computes the memory of running n canvases of h x w pixels.
func InferenceBudget(m *detector.Model, n, h, w int) (Budget, error) {
	plan, err := m.InferPlan(n, h, w)
	if err != nil {
		return Budget{}, err
	}
	b := budget(m, n, h, w)
	b.Activations = plan.Bytes()
	// The images on the engine and two more on their way; the heads' outputs are copied to the host.
	b.Inputs = 3*b.Inputs + int64(n)*int64(m.AnchorCount(h, w))*4*int64(m.Classes()+4)
	b.Packed = m.PackedFor(plan.Layers())
	return b, nil
}

func budget(m *detector.Model, n, h, w int) Budget {
	all, _ := m.Size()
	return Budget{Process: process, Parameters: 4 * int64(all), Inputs: 12 * int64(n) * int64(h) * int64(w)}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }
