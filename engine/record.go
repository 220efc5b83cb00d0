package engine

// Recorder is an engine that records work once and repeats it for much less than giving it anew costs.
type Recorder interface {
	// Record calls f, whose work is recorded and not done. What f gives the engine must be such that only the contents of memory
	// change from one repetition to the next. In f nothing may be allocated or freed, copied to or from the host, or waited for.
	// After an error nothing is recorded, and packed weights are made anew.
	Record(f func() error) (Recording, error)
}

// Recording is work that was recorded.
type Recording interface {
	// Replay queues the work, unless memory that it may read was given back since: then it does nothing and returns false.
	Replay() (bool, error)
	Close() error
}
