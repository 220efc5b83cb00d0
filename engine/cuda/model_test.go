//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
	"retinago/loss"
	"retinago/nn"
	"retinago/train"
)

// small is a whole detector with few channels.
func small(change func(*config.Config)) config.Config {
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FrozenStages = "resnet18", 8, 0
	c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Classes = 16, 1, []string{"a", "b", "c"}
	c.Train.Optimizer, c.Train.LR, c.Train.ClipNorm = "sgd", .05, 1
	change(&c)
	return c
}

type model struct {
	change func(*config.Config)
	// Batch norms over the few pixels of small maps, and values that rounding moves across a ReLU's kink, magnify: what gradients
	// and all that follows may differ by.
	magnified float64
}

// models are detectors of every kind of part, and of every activation in the heads.
var models = func() map[string]model {
	all := maps.Clone(parts)
	for _, a := range engine.Activations {
		all[a.Name+" in heads"] = model{func(c *config.Config) { c.Model.HeadActivation = a.Name }, 0}
	}
	return all
}()

var parts = map[string]model{
	"frozen norms":                    {func(c *config.Config) {}, 0},
	"batch norm, group norm in heads": {func(c *config.Config) { c.Model.Norm, c.Model.HeadNorm, c.Model.FPNWidth = "batch", "group", 32 }, 2e-2},
	"group norm, AdamW, L1": {func(c *config.Config) {
		c.Model.Norm, c.Model.BackboneWidth, c.Model.FPNWidth = "group", 32, 32
		c.Train.Optimizer, c.Train.LR, c.Train.Eps, c.Loss.Box = "adamw", .01, 1e-2, "l1" // a large eps: else steps are signs of rounding
	}, 2e-2},
	"bottlenecks, two stages frozen": {func(c *config.Config) { c.Model.Backbone, c.Model.FrozenStages, c.Model.P6From = "resnet50", 2, "p5" }, 0},
	"quality focal, GIoU":            {func(c *config.Config) { c.Loss.Kind, c.Loss.Box = "quality", "giou" }, 0},
	"varifocal, CIoU":                {func(c *config.Config) { c.Loss.Kind, c.Loss.Box = "varifocal", "ciou" }, 0},
	"FL*, -log IoU":                  {func(c *config.Config) { c.Loss.Kind, c.Loss.Box = "focalstar", "logiou" }, 0},
	"softmax, DIoU":                  {func(c *config.Config) { c.Loss.Kind, c.Loss.Box, c.Model.Background = "softmax", "diou", true }, 0},
	"OHEM, IoU":                      {func(c *config.Config) { c.Loss.Kind, c.Loss.Box = "ohem", "iou" }, 0},
	"ResNeXt, 32 groups":             {func(c *config.Config) { c.Model.Backbone, c.Model.BackboneWidth = "resnext50_32x4d", 64 }, 0},
	"OHEM 1:3":                       {func(c *config.Config) { c.Loss.Kind, c.Loss.MineRatio, c.Loss.MineNMS = "ohem", 3, 1 }, 0},
	"depthwise convolutions, leaky": {func(c *config.Config) {
		c.Model.Backbone, c.Model.Norm, c.Model.LeakySlope = "mobilenet_v1", "batch", .1
	}, 2e-2},
	"ATSS, a moving average of positives": {func(c *config.Config) { c.Match.Kind, c.Loss.Normalizer = "atss", "ema" }, 0},
	"another pyramid, cross entropy":      {func(c *config.Config) { c.Model.Pyramid, c.Loss.Kind = "pafpn", "bce" }, 0},
}

const canvasH, canvasW, pictures = 96, 64, 2

func scene() []detector.Objects {
	return []detector.Objects{
		{Boxes: []box.Box{{X1: 4, Y1: 8, X2: 40, Y2: 50}, {X1: 30, Y1: 40, X2: 62, Y2: 90}}, Classes: []int32{0, 2}, Crowd: []bool{false, false}},
		{Boxes: []box.Box{{X1: 10, Y1: 10, X2: 30, Y2: 34}}, Classes: []int32{1}, Crowd: []bool{false}},
	}
}

// outcome is what a model came to: outputs before and after training, losses, gradients, parameters.
type outcome struct {
	names  []string
	values [][]float32
}

func (o *outcome) add(name string, v []float32) {
	o.names, o.values = append(o.names, name), append(o.values, v)
}

func runModel(t testing.TB, e engine.Engine, c config.Config) (o outcome) {
	m, err := detector.New(c.Model, e, 3)
	must(t, err)
	defer func() { must(t, m.Close()) }()
	images := normal(31, pictures*canvasH*canvasW*3)
	infer := func(when string) {
		net, err := m.Net(pictures, canvasH, canvasW)
		must(t, err)
		raw, err := net.Run(images)
		must(t, err)
		for l := range raw.Logits {
			o.add(fmt.Sprint(when, " logits of level ", l), append([]float32(nil), raw.Logits[l]...))
			o.add(fmt.Sprint(when, " deltas of level ", l), append([]float32(nil), raw.Deltas[l]...))
		}
	}
	infer("first")
	s, err := train.NewStepper(m, c)
	must(t, err)
	targets := s.Targets(canvasH, canvasW, scene())
	taken, err := s.Take(pictures, canvasH, canvasW, images, targets, c.Train.LR)
	must(t, err)
	for taken.Skipped {
		taken, err = s.Take(pictures, canvasH, canvasW, images, targets, c.Train.LR)
		must(t, err)
	}
	o.add("losses", []float32{float32(taken.Losses.Class), float32(taken.Losses.Box)})
	o.add("norm of the gradient", []float32{float32(taken.GradNorm)})
	g, err := s.Graph(pictures, canvasH, canvasW)
	must(t, err)
	must(t, g.Gradients(func(p *nn.Param, d *tensor.Dense) error {
		v := get(t, e, d)
		for i := range v {
			v[i] /= float32(max(taken.LossScale, 1))
		}
		o.add("gradient of "+p.Name, v)
		return nil
	}))
	for _, p := range m.Params() {
		o.add(p.Name, get(t, e, p.Value))
	}
	infer("last")
	return o
}

// Inference, a whole training step (forward, losses, backward, clipping, optimiser, norms' statistics) and inference again come to
// the CPU engine's numbers: within 1e-4 of their root mean square where norms do not magnify rounding.
func TestModels(t *testing.T) {
	c := startCPU(t)
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			cfg := small(m.change)
			must(t, cfg.Validate())
			want, got := runModel(t, c, cfg), runModel(t, start(t), cfg)
			for i, name := range want.names {
				tolerance := 1e-4
				if m.magnified > 0 && !strings.HasPrefix(name, "first") && name != "losses" {
					tolerance = m.magnified
				}
				near(t, name, got.values[i], want.values[i], tolerance)
			}
		})
	}
}

// A step waits for the GPU nowhere, whatever its losses, while the one before it is under way: its numbers come with the next one's
// beginning.
func TestWaitsOfAStep(t *testing.T) {
	onHost(t)
	for _, name := range []string{"frozen norms", "quality focal, GIoU", "varifocal, CIoU", "FL*, -log IoU", "softmax, DIoU", "OHEM, IoU"} {
		t.Run(name, func(t *testing.T) {
			cfg := small(models[name].change)
			e := start(t)
			m, s := stepper(t, e, cfg)
			defer func() { must(t, m.Close()) }()
			targets := s.Targets(canvasH, canvasW, scene())
			images := normal(31, pictures*canvasH*canvasW*3)
			report := func() {
				taken, err := s.Report()
				if err != nil || taken.GradNorm == 0 || taken.Losses.Class == 0 {
					t.Errorf("%+v, %v", taken, err)
				}
			}
			for k := range 4 {
				if k > 1 {
					report()
				}
				before := kernels.Count()
				must(t, s.Queue(pictures, canvasH, canvasW, images, targets, .01))
				after := kernels.Count()
				if n := after.Waits - before.Waits; n > 0 {
					t.Errorf("step %d waits %d times", k, n)
				}
				if k > 0 && after.Bytes != before.Bytes {
					t.Errorf("step %d takes %d bytes more", k, after.Bytes-before.Bytes)
				}
			}
			report()
			report()
		})
	}
}

// Losses on the GPU need their anchors there and nothing on the host.
func TestLossBytes(t *testing.T) {
	f := detector.LossFunc{Quality: loss.Varifocal{Alpha: .75, Gamma: 2}, Box: loss.CIoU{}}
	var bytes [2]int64
	anchors := 0
	for i, e := range []engine.Engine{startCPU(t), start(t)} {
		m, err := detector.New(small(func(*config.Config) {}).Model, e, 3)
		must(t, err)
		grid, _ := m.Anchors(canvasH, canvasW)
		anchors, bytes[i] = len(grid), m.LossBytes(pictures, canvasH, canvasW, f)
		must(t, m.Close())
	}
	if want := int64(2 * 16 * anchors); bytes[1] != want || bytes[0] <= want {
		t.Errorf("%d bytes on the GPU, want %d; %d on the host", bytes[1], want, bytes[0])
	}
}
