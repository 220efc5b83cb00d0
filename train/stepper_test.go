package train

import (
	"testing"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/memory"
)

// A hundred steppers, each of which took a step with moments and averages, leave the memory as it was; so do a hundred that took none.
func TestCloseFreesStepper(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth = "resnet18", 32, 32, 1
	c.Model.Norm, c.Model.FrozenStages = "batch", 0
	c.Model.Classes = []string{"a", "b"}
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, trainable := m.Size()
	const side = 64
	images := make([]float32, side*side*3)
	objects := []detector.Objects{{Boxes: []box.Box{{X1: 8, Y1: 8, X2: 40, Y2: 40}}, Classes: []int32{1}, Crowd: []bool{false}}}
	work := func(i int) {
		c.Train.Optimizer = []string{"sgd", "adam", "adamw"}[i%3]
		s, err := NewStepper(m, c)
		if err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			l := &Loop{model: m, stepper: s}
			if err := l.startAverage(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Take(1, side, side, images, s.Targets(side, side, objects), 1e-3); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // a second time does nothing
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 12 {
		work(i)
	}
	before := memory.Resident()
	for i := range 100 {
		work(i)
	}
	// The moments of all are at least 100 times, the averages 20 times as large as one moment.
	if grown, moment := memory.Resident()-before, 4*int64(trainable); grown > 3*moment {
		t.Errorf("100 steppers left %d MB behind; one moment is %d MB", grown>>20, moment>>20)
	}
}
