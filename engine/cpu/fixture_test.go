package cpu

import (
	"testing"

	"retinago/engine/enginetest"
)

var kinds = []Algorithm{Fixed, OneDNN, Winograd, Measured}

// The suite's fixture.
var (
	put, get, empty, bytes = enginetest.Put, enginetest.Get, enginetest.Empty, enginetest.Bytes
	normal, filled, must   = enginetest.Normal, enginetest.Filled, enginetest.Must
)

// start returns an engine that ends with the test.
func start(t testing.TB, o Options) *Engine {
	t.Helper()
	if o.Algorithm == Measured {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
	}
	e, err := New(o)
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}
