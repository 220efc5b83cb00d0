//go:build gpu && linux && amd64

package cuda

import (
	"cmp"
	"slices"

	"retinago/engine"
	"retinago/engine/formula"
)

// mostMined is the number of rows up to which hard negative mining takes them one by one.
const mostMined = 4096

// Supports reports what the GPU has beside the core: queued and repeated steps, 16 bits, and the detector's own kernels.
func (e *Engine) Supports(op engine.Op) bool {
	switch o := op.(type) {
	case engine.Feature:
		switch o {
		case engine.Async, engine.OwnMemory, engine.HalfPrecision, engine.Repeats, engine.QueuedSteps, engine.PeakRates:
			return true
		}
	case engine.FocalParams:
		return slices.Contains(formula.Losses(), cmp.Or(o.Formula, "focal"))
	case engine.IoUKind:
		return o >= engine.IoU && o <= engine.CIoU
	case engine.ClassParams:
		return o.Form >= engine.FocalStar && o.Form <= engine.Varifocal
	case engine.MiningParams:
		return o.Formula == "" && o.Keep <= mostMined // rows are mined by the focal loss alone
	case engine.Matching:
		return o.Levels <= engine.MostLevels && o.Nearest <= engine.MostNearest
	case engine.Detection:
		return o.Levels <= engine.MostLevels
	case engine.BoxLossParams, engine.Preparation:
		return true
	}
	return false
}

var (
	_ engine.Engine             = (*Engine)(nil)
	_ engine.Limited            = (*Engine)(nil)
	_ engine.Mixed              = (*Engine)(nil)
	_ engine.Recorder           = (*Engine)(nil)
	_ engine.FusedOptimizer     = (*Engine)(nil)
	_ engine.PeakMeter          = (*Engine)(nil)
	_ engine.LevelLosses        = (*Engine)(nil)
	_ engine.IoULosses          = (*Engine)(nil)
	_ engine.ClassLosses        = (*Engine)(nil)
	_ engine.HardNegativeMining = (*Engine)(nil)
	_ engine.Matcher            = (*Engine)(nil)
	_ engine.DetectionMaker     = (*Engine)(nil)
	_ engine.Preparer           = (*Engine)(nil)
)
