package loss

// Batched is a Class that compares the rows of a whole batch: Eval takes them at once.
type Batched interface {
	Class
	// EvalWeighted is Eval with a factor on the loss of each row. The gradient is not multiplied by it.
	EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64
}

// Adaptive is a Batched loss whose weights follow the batches of training. Eval and EvalWeighted read the state and keep it. One
// goroutine at a time may use an Adaptive loss.
type Adaptive interface {
	Batched
	// Train is EvalWeighted on the next batch of training, which becomes a part of the state. A logit that is not a number
	// changes nothing in the state.
	Train(grad, logits []float32, labels []int32, factor func(row int) float64) float64
	// State returns a copy of the state, all finite numbers; it is empty before the first batch.
	State() []float64
	// SetState continues from a State of a loss with k logits per row. It returns an error for values that are no such state.
	SetState(state []float64, k int) error
	// Pool makes Train see the batch of several processes, of which each has a part of the rows: sum replaces numbers by their sums over
	// all processes, each of which calls Train at the same time. nil is one process.
	Pool(sum func([]float64))
}

// pool is the part of an Adaptive that adds up what a batch is counted in.
type pool struct{ sum func([]float64) }

// Pool sets the sum over all processes.
func (p *pool) Pool(sum func([]float64)) { p.sum = sum }

// total replaces x by its sums over all processes; with one process it changes nothing.
func (p *pool) total(x []float64) {
	if p.sum != nil {
		p.sum(x)
	}
}

var (
	_ Batched  = OHEM{}
	_ Adaptive = (*GHM)(nil)
	_ Adaptive = (*EqualizedFocal)(nil)
	_ Adaptive = (*Equalization)(nil)
	_ Adaptive = (*Seesaw)(nil)
)

// alone is total for a batch that no other process has a part of.
func alone([]float64) {}

// alike is the factor 1 on every row.
func alike(int) float64 { return 1 }
