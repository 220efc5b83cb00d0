package detector

import (
	"errors"
	"fmt"

	"retinago/engine"
)

// largestBatch adds to the error of a batch that does not fit on an engine.Limited the largest one that does.
func (m *Model) largestBatch(err error, n, h, w int) error {
	e, ok := engine.As[engine.Limited](m.engine, engine.OwnMemory)
	if !ok || !errors.Is(err, engine.ErrMemory) {
		return err
	}
	free, _, e2 := e.Memory()
	if e2 != nil {
		return errors.Join(err, e2)
	}
	free += m.arena.Bytes() // all graphs share it
	if len(m.nets.keys) == 0 {
		free -= m.PackedBytes(false) // the first graph's, that others use
	}
	for k := n / 2; k > 0; k /= 2 {
		p, e2 := m.InferPlan(k, h, w)
		if errors.Is(e2, engine.ErrMemory) {
			continue // not even its images fit
		}
		if e2 != nil {
			return errors.Join(err, e2)
		}
		if p.Bytes()+12*int64(k)*int64(h)*int64(w) <= free {
			return fmt.Errorf("detector: %d canvases of %dx%d do not fit, %d do: %w", n, h, w, k, err)
		}
	}
	return fmt.Errorf("detector: %d canvases of %dx%d do not fit, nor do fewer: make room on the device, or take smaller images: %w", n, h, w, err)
}
