package enginetest

import (
	"fmt"
	"testing"

	"retinago/engine"
)

// asks are questions to an engine, with the methods that must be there where the answer is yes.
var asks = []struct {
	op  engine.Op
	has func(e engine.Engine) bool
}{
	{engine.HostReadable, is[engine.HostMemory]},
	{engine.OwnMemory, is[engine.Limited]},
	{engine.HalfPrecision, is[engine.Mixed]},
	{engine.BatchedMaps, is[engine.BatchedConv]},
	{engine.EightBit, is[engine.Int8]},
	{engine.Repeats, is[engine.Recorder]},
	{engine.QueuedSteps, is[engine.FusedOptimizer]},
	{engine.PeakRates, is[engine.PeakMeter]},
	{engine.FocalParams{}, is[engine.LevelLosses]},
	{engine.BoxLossParams{}, is[engine.LevelLosses]},
	{engine.GIoU, is[engine.IoULosses]},
	{engine.ClassParams{Form: engine.Varifocal}, is[engine.ClassLosses]},
	{engine.MiningParams{Keep: 1}, is[engine.HardNegativeMining]},
	{engine.Matching{Levels: 1}, is[engine.Matcher]},
	{engine.Detection{Levels: 1}, is[engine.DetectionMaker]},
	{engine.Preparation{}, is[engine.Preparer]},
}

func is[T any](e engine.Engine) bool { _, ok := e.(T); return ok }

// An engine has the methods of what it supports, and denies what is unknown.
func supports(t *testing.T, open Open) {
	e := open(t)
	for _, a := range asks {
		if e.Supports(a.op) && !a.has(e) {
			t.Errorf("%s supports %T %v without its methods", e.Name(), a.op, a.op)
		}
	}
	for _, op := range []engine.Op{nil, engine.Feature(1000), engine.FocalParams{Formula: "unknown"}, engine.IoUKind(1000), engine.ClassParams{Form: 1000}, engine.Matching{Levels: 1000}, engine.Detection{Levels: 1000}} {
		if e.Supports(op) {
			t.Errorf("%s supports %T %v", e.Name(), op, op)
		}
	}
	Must(t, e.Wait())
}

// Core is e without anything that an engine may lack: it has the methods of engine.Engine alone.
func Core(e engine.Engine) engine.Engine { return core{e} }

type core struct{ engine.Engine }

// Name names the engine behind.
func (c core) Name() string { return fmt.Sprintf("core of %s", c.Engine.Name()) }

// Supports denies everything.
func (core) Supports(engine.Op) bool { return false }
