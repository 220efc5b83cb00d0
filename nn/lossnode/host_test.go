package lossnode

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/engine/enginetest"
	"retinago/loss"
)

// An engine without kernels of losses comes to the numbers of one that has them: every binary loss of the table and the losses of deltas,
// with several runs of one graph.
func TestLossesOnTheHost(t *testing.T) {
	p := newPyramid()
	var builds []func(in levelNodes) (losses, by G.Nodes, err error)
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		for _, p := range binaryParams() {
			b, ok := k.Class(p).(loss.Binary)
			if !ok {
				break
			}
			builds = append(builds, func(in levelNodes) (losses, by G.Nodes, err error) {
				for l := range levelAnchors {
					n, err := Binary(b, in.logits[l], in.labels[l], in.norm)
					if err != nil {
						return nil, nil, err
					}
					losses = append(losses, n)
				}
				return losses, in.logits, nil
			})
		}
	}
	for _, d := range []loss.Delta{loss.L1{}, loss.SmoothL1{Beta: .5}, loss.BalancedL1{Alpha: .5, Gamma: 1.5, Beta: .5}} {
		builds = append(builds, func(in levelNodes) (losses, by G.Nodes, err error) {
			for l := range levelAnchors {
				n, err := Deltas(d, in.deltas[l], in.targets[l], in.labels[l], in.norm)
				if err != nil {
					return nil, nil, err
				}
				losses = append(losses, n)
			}
			return losses, in.deltas, nil
		})
	}
	for i, build := range builds {
		want, wantGrads := p.eval(t, .25, build)
		got, grads := p.evalOn(t, enginetest.Core, .25, build)
		if want == 0 || math.Abs(got-want) > 1e-5*math.Abs(want) {
			t.Errorf("loss %d: %g on the host, %g on the engine", i, got, want)
		}
		for l := range grads {
			for j, w := range wantGrads[l] {
				if g := grads[l][j]; math.Abs(float64(g-w)) > 3e-6 {
					t.Errorf("loss %d: gradient %d on level %d is %g on the host, %g on the engine", i, j, l, g, w)
				}
			}
		}
	}
}

// OnEngine is what the engine says of its kernels.
func TestOnEngine(t *testing.T) {
	e := newGraph(t, whole).engine
	core := enginetest.Core(e)
	if l := (loss.Focal{}); !BinaryOnEngine(e, l) || BinaryOnEngine(core, l) {
		t.Error("the focal loss is the CPU engine's, and not the core's")
	}
	if l := (loss.SmoothL1{}); !DeltasOnEngine(e, l) || DeltasOnEngine(core, l) {
		t.Error("smooth-L1 is the CPU engine's, and not the core's")
	}
}
