package detector

import "retinago/engine"

// repeated is work of a graph that an engine.Recorder repeats.
type repeated struct {
	recording engine.Recording
	plain     int   // runs that were not recorded
	failures  int   // of recording, in a row
	failed    error // the last of too many
}

// plainRuns come before a recording: the first packs weights and chooses kernels, in the second all memory is there.
const plainRuns = 2

// mostFailures are recordings that fail one after the other before none is tried any more.
const mostFailures = 2

// Repeat does work that computes this graph and what follows from its results. An engine.Recorder records it after a few times, and
// repeats it from then on without calling work: only contents of memory may change from one time to the next. It is not recorded
// where the host computes losses or a part of the network, or an observer is set.
func (s *TrainStep) Repeat(work func() error) error {
	e, ok := engine.As[engine.Recorder](s.engine, engine.Repeats)
	if !ok || s.observed || s.host || s.repeated.failed != nil {
		return work()
	}
	r := &s.repeated
	if r.recording != nil {
		done, err := r.recording.Replay()
		if done || err != nil {
			return err
		}
		// The arena grew, or scratch memory did.
		if err := r.close(); err != nil {
			return err
		}
		r.plain = plainRuns - 1
	}
	if r.plain < plainRuns {
		r.plain++
		return work()
	}
	var err error
	if r.recording, err = e.Record(work); err != nil {
		// Memory may have moved since the last run, and the next finds it.
		r.recording = nil
		if r.failures++; r.failures > mostFailures {
			r.failed = err
		}
		return work()
	}
	r.failures = 0
	_, err = r.recording.Replay()
	return err
}

// NotRecorded is why steps are not recorded where they should be, nil where nothing failed.
func (s *TrainStep) NotRecorded() error { return s.repeated.failed }

func (r *repeated) close() error {
	if r.recording == nil {
		return nil
	}
	err := r.recording.Close()
	r.recording = nil
	return err
}
