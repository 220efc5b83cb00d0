package train

import "context"

// Hook does something during a run of a Loop. Its methods are called one after the other, by the goroutine that called Loop.Run. An
// error of Begin or Step ends the run.
type Hook interface {
	// Reads reports what Step reads after the given number of steps. At ReadsNumbers the next step may have begun when Step is called,
	// so that a GPU does not wait for the hook.
	Reads(step int) Reads
	// Begin is called once before the first step, also when a run is resumed.
	Begin(ctx context.Context, l *Loop) error
	// Step is called after every step.
	Step(ctx context.Context, l *Loop, s Step) error
	// End is called once for each hook whose Begin was called, however the run ended: err is what stopped it, nil where it is done or
	// was interrupted. The errors that End returns are added to the run's.
	End(ctx context.Context, l *Loop, err error) error
}

// Reads is what a Hook reads at a step.
type Reads int

const (
	// ReadsNumbers is the Step alone.
	ReadsNumbers Reads = iota
	// ReadsModel is also the model, or anything that belongs to it.
	ReadsModel
)

// periodic is ReadsModel at every so many steps, never for 0.
func periodic(step, every int) Reads {
	if every > 0 && step%every == 0 {
		return ReadsModel
	}
	return ReadsNumbers
}
