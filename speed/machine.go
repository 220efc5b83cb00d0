package speed

import (
	"bytes"
	"os"
	"runtime"
	"strings"

	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/picture"
)

// Describe tells what e runs on.
func Describe(e engine.Engine) Machine {
	m := Machine{CPU: processor(), Engine: e.Name(), Threads: e.Threads(), Pictures: picture.Codec(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if c, ok := e.(*cpu.Engine); ok {
		m.Algorithm, m.OneDNN = c.Algorithm().String(), cpu.LibraryVersion()
	}
	return m
}

// processor is the name that Linux gives the first one, empty where it does not tell.
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(b) {
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
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
