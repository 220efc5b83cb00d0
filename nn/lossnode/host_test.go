package lossnode

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/engine/enginetest"
	"retinago/loss"
)

// An engine without kernels of losses comes to the numbers of one that has them: every binary loss of the table and smooth-L1, with
// several runs of one graph.
func TestLossesOnTheHost(t *testing.T) {
	p := newPyramid()
	var builds []func(in levelNodes) (losses, by G.Nodes, err error)
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		b, ok := k.Class(loss.DefaultParams()).(loss.Binary)
		if !ok {
			continue
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
	for _, beta := range []float64{0, .5} {
		builds = append(builds, func(in levelNodes) (losses, by G.Nodes, err error) {
			for l := range levelAnchors {
				n, err := SmoothL1(loss.SmoothL1{Beta: beta}, in.deltas[l], in.targets[l], in.labels[l], in.norm)
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
	if l := (loss.SmoothL1{}); !SmoothL1OnEngine(e, l) || SmoothL1OnEngine(core, l) {
		t.Error("smooth-L1 is the CPU engine's, and not the core's")
	}
}
