package nn

import (
	"testing"

	"retinago/engine"
)

func TestTableOf(t *testing.T) {
	// x from -1 to 1.55 in steps of .01, leaky by .5 and capped at 1; y from -.5 to 1 in steps of 1.5/255.
	x, y := engine.Affine{Scale: .01, Zero: 100}, engine.Affine{Scale: 1.5 / 255, Zero: 85}
	table := tableOf(engine.Activation{Kind: engine.Rectified, Slope: .5, Cap: 1}.Value, y, x)
	for q, want := range map[int]uint8{0: 0, 100: 85, 150: 170, 200: 255, 255: 255, 50: 43} { // -.25 is at 85 - 42.5
		if got := table[q]; got != want && !(q == 50 && got == 42) {
			t.Errorf("%d becomes %d, want %d", q, got, want)
		}
	}
}
