package speed

import (
	"runtime"

	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/internal/media/picture"
)

// Describe returns a description of the machine that e runs on.
func Describe(e engine.Engine) Machine {
	m := Machine{CPU: cpu.Processor(), Engine: e.Name(), Precision: engine.PrecisionOf(e).String(), Threads: e.Threads(), Pictures: picture.Codec(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if c, ok := e.(*cpu.Engine); ok {
		m.ISA, _ = cpu.ISA() // c runs: there is no error
		m.Algorithm, m.Choices, m.OneDNN = c.Algorithm().String(), c.Choices(), cpu.LibraryVersion()
	}
	return m
}

// Ceilings measures the peak rates of the engine's processor.
func (r *Result) Ceilings(of engine.Engine) error {
	if e, ok := of.(*cpu.Engine); ok {
		product, err := e.PeakProduct()
		if err != nil {
			return err
		}
		r.Peak, r.PeakProduct = e.Peak()/1e9, product/1e9
		r.OfPeak = per(r.GFLOPS, r.Peak)
	} else if e, ok := engine.As[engine.PeakMeter](of, engine.PeakRates); ok {
		r.DeviceMB = float64(e.PeakBytes()) / (1 << 20) // before measuring takes more
		all, err := e.Peaks()
		if err != nil {
			return err
		}
		for _, p := range all {
			r.Peaks = append(r.Peaks, Peak{Name: p.Name, GFLOPS: p.FLOPS / 1e9, Share: per(r.GFLOPS, p.FLOPS/1e9)})
		}
	}
	return nil
}
