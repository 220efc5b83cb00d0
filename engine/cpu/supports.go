package cpu

import "retinago/engine"

// Supports reports what Engine has beside the core: batched and 8-bit convolutions, sums in place, memory that the host reads, and the
// losses of one level.
func (e *Engine) Supports(op engine.Op) bool {
	switch o := op.(type) {
	case engine.Feature:
		switch o {
		case engine.ResidualInPlace, engine.HostReadable, engine.BatchedMaps, engine.EightBit:
			return true
		}
	case engine.FocalParams:
		_, err := lossIndex(o)
		return err == nil
	case engine.BoxLossParams:
		return true
	}
	return false
}

// Wait returns at once: kernels are done when they return.
func (e *Engine) Wait() error { return nil }

// Supports is Engine's, with PlanOnly and without memory that the host reads.
func (s *Shapes) Supports(op engine.Op) bool {
	switch op {
	case engine.PlanOnly:
		return true
	case engine.HostReadable:
		return false
	}
	return s.Engine.Supports(op)
}

var (
	_ engine.Engine      = (*Engine)(nil)
	_ engine.HostMemory  = (*Engine)(nil)
	_ engine.BatchedConv = (*Engine)(nil)
	_ engine.Int8        = (*Engine)(nil)
	_ engine.LevelLosses = (*Engine)(nil)
	_ engine.Engine      = (*Shapes)(nil)
)
