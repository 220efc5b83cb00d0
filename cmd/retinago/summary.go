package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	shown "retinago/internal/text"
	"retinago/train"
)

func summaryCommand() *cli.Command {
	return &cli.Command{
		Name:  "summary",
		Usage: "print layers, shapes, parameters, operations and memory of a configuration or a checkpoint",
		Description: "   retinago summary -config configs/coco_r50_1x.yaml\n" +
			"   retinago summary -config configs/coco_r50_1x.yaml -size 512x512 -batch 2\n" +
			"   retinago summary -weights best_int8.safetensors",
		Flags: append(configFlags(),
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE` instead of a configuration"},
			&cli.StringFlag{Name: "size", Usage: "canvas as `HxW` in pixels; default: the test side and the longest side, rounded up"},
			&cli.IntFlag{Name: "batch", Usage: "images per training step", DefaultText: "train.batch"},
			&cli.IntFlag{Name: "classes", Usage: "number of classes where the config leaves them to the data", Value: 80},
			&cli.BoolFlag{Name: "layers", Usage: "list every operation of the inference graph"},
		),
		Action: summary,
	}
}

func summary(c *cli.Context) error {
	if c.IsSet("weights") && (c.IsSet("config") || c.IsSet("set") || c.IsSet("classes")) {
		return usage("summary: -weights has its own configuration and classes: leave -config, -set and -classes out")
	}
	if c.Int("classes") < 1 {
		return usage("summary: -classes %d: give at least 1", c.Int("classes"))
	}
	e, err := cpu.NewShapes(cpu.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	m, cfg, err := summarised(c, e)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := train.Freeze(cfg.Train, m.Params()); err != nil {
		return err
	}
	up := func(v int) int {
		return (v + cfg.Data.CanvasMultiple - 1) / cfg.Data.CanvasMultiple * cfg.Data.CanvasMultiple
	}
	h, w := up(cfg.Data.TestSide()), up(cfg.Data.MaxSide)
	if s := c.String("size"); s != "" {
		if n, err := fmt.Sscanf(s, "%dx%d", &h, &w); n != 2 || err != nil || h < 32 || w < 32 {
			return usage("summary: -size %s: give height x width of at least 32 pixels, as in 800x1344", s)
		}
		h, w = up(h), up(w)
	}
	batch := cfg.Train.Batch
	if c.IsSet("batch") {
		batch = c.Int("batch")
	}
	if batch < 1 {
		return usage("summary: -batch %d: give at least 1", batch)
	}
	const canvas, pixels = 1 << 26, 1 << 36 // pixels of a canvas and of a batch: numbers stay within 64 bits
	if h > canvas || w > canvas || h*w > canvas || batch > pixels/(h*w) {
		return usage("summary: a batch of %d canvases of %dx%d: give canvases of at most %d pixels, and %d in all", batch, h, w, canvas, pixels)
	}
	plan, err := m.InferPlan(1, h, w)
	if err != nil {
		return err
	}
	out := c.App.Writer
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if c.Bool("layers") {
		fmt.Fprintf(t, "layer\toperation\toutput\tGFLOP\n")
		for _, l := range plan.Layers() {
			fmt.Fprintf(t, "%s\t%s\t%v\t%.3f\n", l.Name, l.Op, l.Shape, float64(l.FLOPs)/1e9)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "parameter\tshape\tsize\t\n")
	for _, p := range m.Params() {
		note := "trained"
		if !p.Trainable {
			note = "fixed"
		}
		if s := m.Int8(); s != nil && s.Weights[strings.TrimSuffix(p.Name, ".weight")] != nil {
			note = "int8"
		}
		fmt.Fprintf(t, "%s\t%v\t%d\t%s\n", p.Name, tensor.Shape(p.Shape), p.Size(), note)
	}
	t.Flush()
	all, trainable := m.Size()
	fmt.Fprintf(out, "\n%s, %s: %d parameters, %d trained\n", cfg.Model.Backbone, shown.Count(m.Classes(), "class"), all, trainable)
	fmt.Fprintf(out, "one image of %dx%d (height x width): %.1f GFLOP\n", h, w, float64(plan.FLOPs())/1e9)
	if m.Int8() != nil {
		net, err := m.Net(1, h, w)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "memory for activations of one image: %d MB, %d MB in float\n", net.Bytes()>>20, plan.Bytes()>>20)
		return printInt8(out, m)
	}
	inference, err := train.InferenceBudget(m, 1, h, w)
	if err != nil {
		return err
	}
	training, err := train.TrainingBudget(m, cfg, batch, h, w)
	if err != nil {
		return err
	}
	printBudget(out, "inference of one image", inference)
	printBudget(out, fmt.Sprintf("training with a batch of %d", batch), training)
	return nil
}

// summarised is the model of the flags: a checkpoint's, whose tensors are read and compared with their checksums, or one of a
// configuration.
func summarised(c *cli.Context, e engine.Engine) (*detector.Model, config.Config, error) {
	if path := c.String("weights"); path != "" {
		path, err := modelOf(path)
		if err != nil {
			return nil, config.Config{}, err
		}
		m, info, err := detector.Open(path, e)
		return m, info.Config, err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return nil, cfg, err
	}
	if len(cfg.Model.Classes) == 0 {
		cfg.Model.Classes = numberedClasses(c.Int("classes"))
	}
	m, err := detector.NewBlank(cfg.Model, e)
	return m, cfg, err
}

// numberedClasses stand in where the data are to name the classes.
func numberedClasses(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("class %d", i+1)
	}
	return out
}

func printBudget(w io.Writer, what string, b train.Budget) {
	mb := func(n int64) int64 { return n >> 20 }
	fmt.Fprintf(w, "memory for %s: %d MB (process %d, parameters %d, optimiser %d, activations and gradients %d, inputs %d, packed weights %d)\n",
		what, mb(b.Total()), mb(b.Process), mb(b.Parameters), mb(b.Optimizer), mb(b.Activations), mb(b.Inputs), mb(b.Packed))
}
