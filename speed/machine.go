package speed

import (
	"runtime"

	"retinago/engine/cpu"
	"retinago/picture"
)

// Describe tells what e runs on.
func Describe(e *cpu.Engine) Machine {
	isa, _ := cpu.ISA() // e runs: there is no error
	return Machine{CPU: cpu.Processor(), Engine: e.Name(), Threads: e.Threads(), Algorithm: e.Algorithm().String(), Choices: e.Choices(), ISA: isa, OneDNN: cpu.LibraryVersion(),
		Pictures: picture.Codec(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
}

// Ceilings measures what the engine's threads can do at most.
func (r *Result) Ceilings(e *cpu.Engine) error {
	product, err := e.PeakProduct()
	if err != nil {
		return err
	}
	r.Peak, r.PeakProduct = e.Peak()/1e9, product/1e9
	r.OfPeak = per(r.GFLOPS, r.Peak)
	return nil
}
