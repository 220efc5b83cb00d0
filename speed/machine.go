package speed

import (
	"runtime"

	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/picture"
)

// Describe tells what e runs on.
func Describe(e engine.Engine) Machine {
	m := Machine{CPU: cpu.Processor(), Engine: e.Name(), Threads: e.Threads(), Pictures: picture.Codec(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if c, ok := e.(*cpu.Engine); ok {
		m.ISA, _ = cpu.ISA() // c runs: there is no error
		m.Algorithm, m.Choices, m.OneDNN = c.Algorithm().String(), c.Choices(), cpu.LibraryVersion()
	}
	return m
}

// Ceilings measures what the processor's threads can do at most, where they are the engine's.
func (r *Result) Ceilings(of engine.Engine) error {
	e, ok := of.(*cpu.Engine)
	if !ok {
		return nil
	}
	product, err := e.PeakProduct()
	if err != nil {
		return err
	}
	r.Peak, r.PeakProduct = e.Peak()/1e9, product/1e9
	r.OfPeak = per(r.GFLOPS, r.Peak)
	return nil
}
