package train_test

import (
	"fmt"
	"math"
	"testing"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/engine/enginetest"
	"retinago/train"
)

// trained is what a small model came to on an engine: the losses of its steps, its parameters, and what it detects.
type trained struct {
	losses [][]float32
	params map[string][]float32
	found  []detector.Detection
}

const coreH, coreW, coreSteps = 64, 96, 3

func trainOn(t *testing.T, e engine.Engine, c config.Config) (out trained) {
	t.Helper()
	m, err := detector.New(c.Model, e, 3)
	enginetest.Must(t, err)
	defer func() { enginetest.Must(t, m.Close()) }()
	s, err := train.NewStepper(m, c)
	enginetest.Must(t, err)
	images := enginetest.Drawn(31, 2*coreH*coreW*3)
	targets := s.Targets(coreH, coreW, []detector.Objects{
		{Boxes: []box.Box{{X1: 4, Y1: 8, X2: 40, Y2: 50}, {X1: 50, Y1: 10, X2: 92, Y2: 60}}, Classes: []int32{0, 2}, Crowd: []bool{false, false}},
		{Boxes: []box.Box{{X1: 10, Y1: 10, X2: 30, Y2: 34}}, Classes: []int32{1}, Crowd: []bool{false}},
	})
	for range coreSteps {
		step, err := s.Take(2, coreH, coreW, images, targets, c.Train.LR)
		enginetest.Must(t, err)
		out.losses = append(out.losses, []float32{float32(step.Losses.Class), float32(step.Losses.Box), float32(step.GradNorm), float32(step.Positives)})
	}
	out.params = map[string][]float32{}
	for _, p := range m.Params() {
		out.params[p.Name] = enginetest.Get(t, e, p.Value)
	}
	net, err := m.Net(2, coreH, coreW)
	enginetest.Must(t, err)
	d := detector.Decoding{Score: .005, TopK: 50, NMS: .5, MaxDets: 10}
	found, err := m.Find(net, images, []detector.Wanted{{W: coreW, H: coreH, Decoding: d}, {W: coreW, H: coreH, Decoding: d}})
	enginetest.Must(t, err)
	return trained{out.losses, out.params, append(found[0].Detections, found[1].Detections...)}
}

// An engine that has the core alone trains and detects: its losses, parameters and detections are those of the same engine with all that
// it supports besides, but for rounding. Kernels of losses are float32, and the host's form is float64.
func TestCoreEngine(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	enginetest.Must(t, err)
	defer func() { enginetest.Must(t, e.Close()) }()
	for name, change := range map[string]func(c *config.Config){
		"focal, smooth-L1": func(*config.Config) {},
		"poly1, L1, AdamW": func(c *config.Config) {
			c.Loss.Kind, c.Loss.Box, c.Train.Optimizer, c.Train.LR = "poly1", "l1", "adamw", 1e-4
		},
		"quality, GIoU, ATSS":    func(c *config.Config) { c.Loss.Kind, c.Loss.Box, c.Match.Kind = "quality", "giou", "atss" },
		"softmax, DIoU":          func(c *config.Config) { c.Loss.Kind, c.Loss.Box, c.Model.Background = "softmax", "diou", true },
		"OHEM, running average":  func(c *config.Config) { c.Loss.Kind, c.Loss.Normalizer = "ohem", "ema" },
		"recomputed, group norm": func(c *config.Config) { c.Train.RecomputeHeads, c.Model.HeadNorm, c.Model.FPNWidth = true, "group", 32 },
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			c.Model.Backbone, c.Model.BackboneWidth, c.Model.FrozenStages = "resnet18", 8, 0
			c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Classes = 16, 1, []string{"a", "b", "c"}
			c.Train.Optimizer, c.Train.LR, c.Train.ClipNorm = "sgd", .01, 1
			change(&c)
			enginetest.Must(t, c.Validate())
			want, got := trainOn(t, e, c), trainOn(t, enginetest.Core(e), c)
			near := func(what string, got, want []float32) {
				if d, i := enginetest.Apart(got, want); d > 1e-4 && math.Abs(float64(got[i]-want[i])) > 1e-12 { // a bias that a norm cancels stays 0
					t.Errorf("%s: value %d is %g, want %g: %.2g of the root mean square", what, i, got[i], want[i], d)
				}
			}
			for i := range want.losses {
				near(fmt.Sprint("losses of step ", i), got.losses[i], want.losses[i])
			}
			for name, v := range want.params {
				near(name, got.params[name], v)
			}
			if len(want.found) == 0 || len(got.found) != len(want.found) {
				t.Fatalf("%d detections, want %d, which is not 0", len(got.found), len(want.found))
			}
			for i, w := range want.found {
				g := got.found[i]
				if g.Class != w.Class || math.Abs(float64(g.Score-w.Score)) > 1e-5 || max(g.Box.X1-w.Box.X1, w.Box.X1-g.Box.X1, g.Box.Y2-w.Box.Y2, w.Box.Y2-g.Box.Y2) > 1e-2 {
					t.Errorf("detection %d is %+v, want %+v", i, g, w)
				}
			}
		})
	}
}
