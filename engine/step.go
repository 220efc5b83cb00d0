package engine

import "gorgonia.org/tensor"

// FusedOptimizer is an engine that takes the steps of an optimiser by itself. The sum of the losses, the norm of the gradients, whether all are
// finite, and the norm after clipping stay on the engine, and the host does not wait.
type FusedOptimizer interface {
	// NewUpdater prepares steps over parameters.
	NewUpdater(p UpdateParams, slots []Slot) (Updater, error)
}

// Updater takes the steps of one optimiser.
type Updater interface {
	// Rate sends the learning rate of the next Update, and how far averages then move towards their parameters, the t of Lerp.
	Rate(lr, average float32) error
	// Update queues a step by the gradients of a graph, one per slot, nil where a slot has none, after its class and box losses of
	// one value each. Where a loss or the norm of all gradients is not finite, or a label is no class, the step changes nothing, and
	// neither does any that follows: the parameters stay as they were before it. With a LossScale above 1 that is not so of a norm:
	// the step alone is skipped.
	Update(class, box, grads []*tensor.Dense) error
	// QueueReport queues the report of the last Update. At most MostReports reports may be queued and not yet read.
	QueueReport() error
	// Report waits for the oldest report that was queued and not read. A label that is no class is an error.
	Report() (StepReport, error)
	// Release frees what the updater keeps; the slots' tensors are not its own.
	Release()
}

// MostReports is how many reports of an Updater may be queued and not yet read.
const MostReports = 4

// Slot is a parameter and what its optimiser keeps of it. A slot without M has an average alone.
type Slot struct {
	W, M    *tensor.Dense
	V       *tensor.Dense // of Adam
	Average *tensor.Dense // moves to W after each step; may be nil
	Decay   float32
	Rate    float32 // factor on the learning rate
}

// UpdateParams configures an Updater.
type UpdateParams struct {
	Adam     *AdamParams // instead of SGD; of its fields Beta1, Beta2, Eps and Decoupled are read
	Momentum float32     // of SGD
	Nesterov bool        // SGD
	ClipNorm float64     // the largest norm of all gradients; 0 is none
	Taken    int         // steps before these
	Scale    *LossScale  // nil for gradients that are not scaled
}

// LossScale keeps small gradients above what fp16 distinguishes from 0: the backward pass begins with it and the optimiser divides by it
// (Micikevicius et al. 2018, "Mixed Precision Training", section 3.2). It halves with each step whose gradients are not finite, down
// to 1, and doubles after LossScaleGood others, up to LossScaleMost.
type LossScale struct {
	Seed  *tensor.Dense // [1], the scale: the Updater writes it, the backward pass reads it
	Value float64       // to begin with
	Good  int           // steps since it changed
}

const (
	LossScaleStart = 1 << 16
	LossScaleGood  = 2000
	LossScaleMost  = 1 << 24
)

// StepReport is what a step came to.
type StepReport struct {
	Class, Box float64 // losses
	GradNorm   float64 // before clipping, without the loss scale; 0 of a skipped step
	Finite     bool    // the three are, or the step was skipped
	Skipped    bool    // for the sake of the loss scale
	Scale      float64 // the loss scale after the step, 1 without
	Good       int     // steps since it changed
	Taken      int     // steps that changed something, with those before
}
