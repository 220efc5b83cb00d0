package lossnode

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/loss"
)

// The engine's kernel of every binary loss of the table comes to the loss on plain slices, for the usual exponents and others.
func TestBinaryKinds(t *testing.T) {
	logits := []float32{-1e4, -30, -3, -.5, 0, .5, 3, 30, 1e4, 2, -2, 1}
	labels := []int32{0, -1, 2, 1}
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		for _, gamma := range []float64{0, .5, 2, 5} {
			p := loss.DefaultParams()
			p.Gamma = gamma
			b, ok := k.Class(p).(loss.Binary)
			if !ok {
				break
			}
			want := make([]float32, len(logits))
			sum := b.Eval(want, logits, labels)
			got, grad := run(t, logits, labels, func(x, labels, norm *G.Node) (*G.Node, error) { return Binary(b, x, labels, norm) })
			if math.Abs(got-sum) > 1e-5*math.Abs(sum) {
				t.Errorf("%s, gamma %g: %g, want %g", k.Name, gamma, got, sum)
			}
			for i, w := range want {
				if d := math.Abs(float64(grad[i] - w)); d > 3e-6*math.Max(1, math.Abs(float64(w))) {
					t.Errorf("%s, gamma %g: gradient of logit %g is %g, want %g", k.Name, gamma, logits[i], grad[i], w)
				}
			}
		}
	}
}
