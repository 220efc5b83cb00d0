package engine

import "testing"

// By hand: 1-.5^2 = .75, so that step is .3/.75; 1-.8^2 = .36, so that root is 1/.6.
func TestAdamFactors(t *testing.T) {
	p := AdamParams{LR: .3, Beta1: .5, Beta2: .8, Decay: .1, Step: 2}
	near := func(a, b float32) bool { return a-b < 1e-6 && b-a < 1e-6 }
	step, root, decay, shrink := p.Factors()
	if !near(step, .4) || !near(root, 1/.6) || decay != .1 || shrink != 1 {
		t.Errorf("%v %v %v %v", step, root, decay, shrink)
	}
	p.Decoupled = true
	step, root, decay, shrink = p.Factors()
	if !near(step, .4) || !near(root, 1/.6) || decay != 0 || !near(shrink, .97) {
		t.Errorf("decoupled: %v %v %v %v", step, root, decay, shrink)
	}
}
