package engine

// Peak is a rate that an engine's processor reaches at most.
type Peak struct {
	Name  string  `json:"name"` // what was computed
	FLOPS float64 `json:"flop_per_s"`
}

// PeakMeter is an engine that measures its processor.
type PeakMeter interface {
	// Peaks measures what the processor reaches at most.
	Peaks() ([]Peak, error)
	// PeakBytes is the most memory that the engine held at once until now.
	PeakBytes() int64
}
