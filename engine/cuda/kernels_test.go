//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"strings"
	"testing"

	"retinago/engine"
	"retinago/engine/enginetest"
)

// The engine passes the conformance suite, and every kernel gives what the CPU engine gives. On the host's device with blocks of one
// thread, and of several that meet at every barrier.
func TestKernels(t *testing.T) {
	c := startCPU(t)
	open := func(t testing.TB) engine.Engine { return start(t) }
	for threads := range blocks() {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			t.Run("suite", func(t *testing.T) { enginetest.Run(t, open) })
			t.Run("CPU", func(t *testing.T) { enginetest.Compare(t, c, open, closeness()) })
		})
	}
}

// A label that is no class is told of when the host next waits, and not again.
func TestLabelThatIsNoClass(t *testing.T) {
	e := start(t)
	labels, loss := put(t, e, []int32{0, 3}, 1, 2), put(t, e, []float32{0}, 1)
	must(t, e.FocalLoss(loss, put(t, e, make([]float32, 6), 1, 2, 3), labels, put(t, e, []float32{1}, 1), engine.FocalParams{Alpha: .25, Gamma: 2}))
	v := []float32{0}
	if err := e.Download(v, loss); err == nil || !strings.Contains(err.Error(), "anchor 1 is 3") {
		t.Errorf("a label of 3 among 3 classes: %v", err)
	}
	must(t, e.Download(v, loss))
}
