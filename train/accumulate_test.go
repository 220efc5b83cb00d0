package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

// A batch of 4 in parts comes to the losses and the parameters of the whole batch.
func TestAccumulate(t *testing.T) {
	for _, k := range []struct{ norm, head, normalizer, kind string }{
		{"frozen", "none", "positives", "focal"}, {"group", "group", "image", "bce"}, {"group", "group", "ema", "focal"}, {"frozen", "group", "anchors", "focal"},
	} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			change := func(c *config.Config) {
				c.Model.Norm, c.Model.HeadNorm, c.Loss.Normalizer, c.Loss.Kind = k.norm, k.head, k.normalizer, k.kind
			}
			losses, want := accumulated(t, 1, change)
			for _, parts := range []int{2, 4} {
				got, params := accumulated(t, parts, change)
				for i := range losses {
					if math.Abs(got[i]-losses[i]) > 1e-6*math.Abs(losses[i]) {
						t.Errorf("%d parts, step %d: loss %.9g, want %.9g", parts, i, got[i], losses[i])
					}
				}
				var sum, off float64
				for i, v := range want {
					sum += float64(v) * float64(v)
					off += float64(v-params[i]) * float64(v-params[i])
				}
				if r := math.Sqrt(off / sum); !(r <= 1e-6) {
					t.Errorf("%d parts: parameters differ by %g of their norm", parts, r)
				}
			}
		})
	}
}

// accumulated takes three steps on the same made-up batch in so many parts, and returns their losses and the parameters in the end.
func accumulated(t *testing.T, parts int, change func(*config.Config)) (losses []float64, params []float32) {
	t.Helper()
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.FrozenStages = "resnet18", 32, 32, 1, 0
	c.Model.Classes = []string{"a", "b"}
	c.Train.Batch, c.Train.Accumulate = 4, parts
	change(&c)
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := NewStepper(m, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n, h, w = 4, 64, 96
	images := make([]float32, n*h*w*3)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range images {
		images[i] = float32(r.NormFloat64())
	}
	objects := make([]detector.Objects, n) // the third has none
	for i, boxes := range [][]box.Box{{{X1: 8, Y1: 8, X2: 40, Y2: 40}}, {{X1: 0, Y1: 20, X2: 90, Y2: 60}, {X1: 30, Y1: 1, X2: 70, Y2: 34}}, {}, {{X1: 50, Y1: 4, X2: 90, Y2: 44}}} {
		objects[i] = detector.Objects{Boxes: boxes, Classes: make([]int32, len(boxes)), Crowd: make([]bool, len(boxes))}
		for j := range boxes {
			objects[i].Classes[j] = int32((i + j) % 2)
		}
	}
	positives := 0
	for range 3 {
		step, err := s.Take(n, h, w, images, s.Targets(h, w, objects), 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, step.Losses.Class, step.Losses.Box)
		positives = step.Positives
	}
	if positives < 4 {
		t.Errorf("%d positive anchors", positives)
	}
	for _, p := range m.Params() {
		v := make([]float32, p.Size())
		if err := e.Download(v, p.Value); err != nil {
			t.Fatal(err)
		}
		params = append(params, v...)
	}
	return losses, params
}
