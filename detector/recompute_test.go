package detector

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine/cpu"
	"retinago/nn"
)

// Losses and gradients are equal to the bit whether the heads are kept or computed again.
func TestRecomputedHeads(t *testing.T) {
	for _, norm := range []string{"", "group"} {
		run := func(again bool) (losses Losses, grads map[string][]float32, back int) {
			c := tiny()
			c.BackboneWidth, c.HeadDepth, c.HeadNorm = 16, 2, norm
			m := newModel(t, c)
			s, err := m.TrainStep(2, 128, 192, TrainSpec{LossFunc: focal, RecomputeHeads: again})
			if err != nil {
				t.Fatal(err)
			}
			if losses, err = s.Run(batch(m, 2, 128, 192)); err != nil {
				t.Fatal(err)
			}
			grads = map[string][]float32{}
			s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
				grads[p.Name] = make([]float32, p.Size())
				return m.engine.Download(grads[p.Name], g)
			})
			for _, l := range s.Layers() {
				if l.Back && l.Op == "Conv" && strings.HasPrefix(l.Name, headPrefix) {
					back++
				}
			}
			return losses, grads, back
		}
		losses, grads, none := run(false)
		losses2, grads2, all := run(true)
		if losses != losses2 || losses.Total() == 0 {
			t.Errorf("heads with norm %q: losses %v, computed again %v", norm, losses, losses2)
		}
		if len(grads) == 0 || len(grads) != len(grads2) {
			t.Errorf("heads with norm %q: %d gradients, computed again %d", norm, len(grads), len(grads2))
		}
		for name, g := range grads {
			if !slices.EqualFunc(g, grads2[name], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
				t.Errorf("heads with norm %q: the gradient of %s differs", norm, name)
			}
		}
		if none != 0 || all != 2*2*5 { // two heads of two convolutions on five levels
			t.Errorf("heads with norm %q: %d convolutions in the backward pass, %d with heads computed again", norm, none, all)
		}
	}
}

// The paper's network, batches of 2 of 512x512, planned only.
func TestRecomputedHeadsTakeLess(t *testing.T) {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for norm, want := range map[string]float64{"": .95, "group": .9} {
		c := config.Default().Model
		c.Classes, c.HeadNorm = slices.Repeat([]string{"class"}, 80), norm
		m, err := NewBlank(c, e)
		if err != nil {
			t.Fatal(err)
		}
		var mb [2]float64
		for i, again := range []bool{false, true} {
			p, err := m.TrainPlan(2, 512, 512, TrainSpec{LossFunc: focal, RecomputeHeads: again})
			if err != nil {
				t.Fatal(err)
			}
			mb[i] = float64(p.Bytes()) / (1 << 20)
		}
		t.Logf("heads with norm %q: %.0f MB, %.0f MB computed again", norm, mb[0], mb[1])
		if mb[1] > want*mb[0] {
			t.Errorf("heads with norm %q: %.0f MB, %.0f MB computed again: want %.2g of it at most", norm, mb[0], mb[1], want)
		}
		m.Close()
	}
}
