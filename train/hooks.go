package train

import "context"

// Hook does something during a run of a Loop. Its methods are called one after the other, by the goroutine that called Loop.Run. An
// error of Begin or Step ends the run.
type Hook interface {
	// Reads returns what the hook's Step reads after the given number of steps. With ReadsNumbers a GPU does not wait for the hook: the
	// next step may have begun when Step is called.
	Reads(step int) Reads
	// Begin is called once before the first step, also when a run is resumed.
	Begin(ctx context.Context, l *Loop) error
	// Step is called after every step.
	Step(ctx context.Context, l *Loop, s Step) error
	// End is called once for each hook whose Begin was called, however the run ends. err is the error that stopped the run; it is nil if
	// the run is done or was interrupted. An error of End is added to the run's.
	End(ctx context.Context, l *Loop, err error) error
}

// Reads is what a Hook reads at a step.
type Reads int

const (
	// ReadsNumbers: the hook reads the Step only.
	ReadsNumbers Reads = iota
	// ReadsModel: the hook also reads the model or its files.
	ReadsModel
)

// periodic returns ReadsModel if step is a multiple of every, else ReadsNumbers. With every 0 it always returns ReadsNumbers.
func periodic(step, every int) Reads {
	if every > 0 && step%every == 0 {
		return ReadsModel
	}
	return ReadsNumbers
}
