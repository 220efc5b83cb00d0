package train

import (
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

// What a budget says of activations is what a step's graph takes, with the heads kept or computed again.
func TestBudgetIsWhatIsTaken(t *testing.T) {
	var bytes [2]int64
	for i, again := range []bool{false, true} {
		c := config.Default()
		c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadNorm = "resnet18", 16, 32, "group"
		c.Model.Classes = []string{"a", "b"}
		c.Train.RecomputeHeads = again
		e, err := cpu.New(cpu.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		m, err := detector.NewBlank(c.Model, e)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		b, err := TrainingBudget(m, c, 4, 256, 256)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewStepper(m, c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		g, err := s.Graph(4, 256, 256)
		if err != nil {
			t.Fatal(err)
		}
		if b.Activations != g.Bytes() {
			t.Errorf("recompute_heads %v: the budget has %d bytes of activations, the graph takes %d", again, b.Activations, g.Bytes())
		}
		bytes[i] = g.Bytes()
	}
	if bytes[1] >= bytes[0] {
		t.Errorf("%d bytes with heads computed again, %d with heads kept", bytes[1], bytes[0])
	}
}
