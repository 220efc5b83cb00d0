package cpu

import "testing"

// Both are the speed of a processor that there is, from the slowest phone to the largest server.
func TestPeak(t *testing.T) {
	e := start(t, Options{Threads: 1})
	product, err := e.PeakProduct()
	must(t, err)
	for what, v := range map[string]float64{"multiply-adds in registers": e.Peak(), "a product of matrices": product} {
		if v < 1e8 || v > 1e14 {
			t.Errorf("%s: %g FLOP/s", what, v)
		}
	}
}
