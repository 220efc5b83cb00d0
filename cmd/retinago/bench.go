package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/lab/speed"
	"retinago/internal/model/weights"
	shown "retinago/internal/text"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure networks, losses, anchors and sizes",
		Subcommands: append([]*cli.Command{{
			Name:  "speed",
			Usage: "measure the speed of a network: the whole, its stages and its layers",
			Description: "Runs a checkpoint, or a network of a config with fresh weights, on made-up images. Prints medians over the rounds, the work\n" +
				"counted as direct convolutions (2 operations per multiply-add), the float32 peak of the processor measured in the same\n" +
				"run, and memory. Ctrl-C ends it with what was measured until then.\n\n" +
				"-mode train measures whole steps: forward, losses, backward, optimiser.\n" +
				"-picture measures from a file to its boxes, on the canvas that the config has for it.\n" +
				"-input and -outputs are for comparisons with other programs: safetensors with images [N,H,W,3] as the network sees them,\n" +
				"and with what it makes of them, logits [N,anchors,K] and deltas [N,anchors,4]. With -input, the network alone is measured.\n\n" +
				"   retinago bench speed -size 640x640\n" +
				"   retinago bench speed -weights best.safetensors -json speed.json\n" +
				"   retinago bench speed -set model.backbone=resnet18 -mode train -batch 4 -size 256x256",
			Flags: append(configFlags(),
				&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)"},
				&cli.StringFlag{Name: "mode", Usage: "infer or train", Value: "infer"},
				&cli.IntFlag{Name: "batch", Usage: "images at once", Value: 1},
				&cli.StringFlag{Name: "size", Usage: "canvas as `HxW` in multiples of 32", DefaultText: "the config's largest"},
				deviceFlag(), precisionFlag(),
				&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
				convolutionsFlag("measured; fixed for training"),
				&cli.IntFlag{Name: "rounds", Usage: "measured runs, after two to warm up", Value: 10},
				&cli.StringFlag{Name: "json", Usage: "`FILE` for the measurement"},
				&cli.StringFlag{Name: "picture", Usage: "image `FILE` to detect on, decoded in each run, instead of made-up images"},
				&cli.StringFlag{Name: "input", Usage: "`FILE` with the images, instead of made-up images"},
				&cli.StringFlag{Name: "outputs", Usage: "`FILE` for the outputs of the heads"},
				mirrorFlag(), cacheFlag(),
			),
			Action: benchSpeed,
		}}, labCommands()...),
	}
}

func benchSpeed(c *cli.Context) (err error) {
	mode := c.String("mode")
	switch {
	case mode != "infer" && mode != "train":
		return usage("bench speed: -mode %s: there are infer and train", mode)
	case c.IsSet("weights") && c.IsSet("config"):
		return usage("bench speed takes -weights or -config: a checkpoint has its own config, which -set changes")
	case mode == "train" && (c.IsSet("picture") || c.IsSet("input") || c.IsSet("outputs")):
		return usage("bench speed: -picture, -input and -outputs are for -mode infer")
	case c.IsSet("picture") && c.IsSet("input"):
		return usage("bench speed: -picture or -input: a file to decode, or images as the network sees them")
	case (c.IsSet("picture") || c.IsSet("input")) && (c.IsSet("size") || c.IsSet("batch")):
		return usage("bench speed: -picture and -input have a size and a batch of their own")
	case c.Int("batch") < 1 || c.Int("rounds") < 1:
		return usage("bench speed: -batch %d, -rounds %d: give at least 1", c.Int("batch"), c.Int("rounds"))
	}
	e, err := openDevice(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	how := cpu.Measured
	if mode == "train" {
		how = cpu.Fixed
	}
	if err := useConvolutions(c, e, how); err != nil {
		return err
	}
	m, cfg, err := benchModel(c, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	subject, err := benchSubject(c, m, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, subject.Close()) }()
	r, err := speed.Measure(c.Context, subject, c.Int("rounds"), benchProgress(c.Context, c.App.ErrWriter))
	if err != nil {
		return err
	}
	r.Network = fmt.Sprintf("%s, FPN of %d, %s", cfg.Model.Backbone, cfg.Model.FPNWidth, shown.Count(m.Classes(), "class"))
	r.Mode, r.Machine = mode, speed.Describe(e)
	r.Batch, r.Height, r.Width = subject.Size()
	if path := c.String("outputs"); path != "" {
		if err := writeOutputs(path, subject.(*speed.Inference).Raw()); err != nil {
			return err
		}
	}
	if err := r.Ceilings(e); err != nil {
		return err
	}
	if path := c.String("json"); path != "" {
		if err := file.WriteJSON(path, "  ", r); err != nil {
			return err
		}
	}
	return r.Print(c.App.Writer)
}

// benchSubject is what the options want measured.
func benchSubject(c *cli.Context, m *detector.Model, cfg config.Config) (speed.Subject, error) {
	if path := c.String("picture"); path != "" {
		return speed.NewFileInference(m, cfg, path)
	}
	var images []float32
	var n, h, w int
	var err error
	if path := c.String("input"); path != "" {
		images, n, h, w, err = readImages(path)
	} else {
		n = c.Int("batch")
		h, w, err = benchSize(c, cfg.Data)
	}
	if err != nil {
		return nil, err
	}
	if h < 32 || w < 32 || h%32 != 0 || w%32 != 0 {
		return nil, usage("bench speed: a canvas of %dx%d: give multiples of 32", h, w)
	}
	if c.String("mode") == "train" {
		return speed.NewTraining(m, cfg, n, h, w)
	}
	return speed.NewInference(m, cfg, n, h, w, images)
}

// benchSize is the canvas of -size, or the config's largest.
func benchSize(c *cli.Context, d config.Data) (h, w int, err error) {
	s := c.String("size")
	if s == "" {
		canvas := data.Size{W: d.MaxSide, H: d.TestSide()}.Up(d.CanvasMultiple)
		return canvas.H, canvas.W, nil
	}
	if k, err := fmt.Sscanf(s, "%dx%d", &h, &w); k != 2 || err != nil {
		return 0, 0, usage("bench speed: -size %s: give height x width, as in 800x1344", s)
	}
	return h, w, nil
}

// benchModel is the network of -weights, or of -config with fresh weights.
func benchModel(c *cli.Context, e engine.Engine) (*detector.Model, config.Config, error) {
	if !c.IsSet("weights") {
		cfg, err := loadConfig(c)
		if err != nil {
			return nil, cfg, err
		}
		if len(cfg.Model.Classes) == 0 {
			cfg.Model.Classes = numberedClasses(80)
		}
		m, err := detector.New(cfg.Model, e, 0)
		return m, cfg, err
	}
	path, err := checkpoint(c)
	if err != nil {
		return nil, config.Config{}, err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return nil, info.Config, err
	}
	cfg := info.Config
	if err := setBeyondModel(&cfg, c.StringSlice("set")); err != nil {
		return nil, cfg, errors.Join(err, m.Close())
	}
	return m, cfg, nil
}

// setBeyondModel applies overrides to the configuration of weights that are there.
func setBeyondModel(cfg *config.Config, sets []string) error {
	before := cfg.Model
	if err := cfg.Set(sets); err != nil {
		return err
	}
	if !reflect.DeepEqual(before, cfg.Model) {
		return usage("-set: model.* is what the weights are; of a checkpoint the other keys can be set")
	}
	return nil
}

// benchProgress prints the progress of a long measurement.
func benchProgress(ctx context.Context, w io.Writer) speed.Progress {
	const often = 2 * time.Second
	last := time.Now()
	return func(round, of int, took, left time.Duration) {
		if ctx.Err() != nil && round < of {
			fmt.Fprintf(w, "interrupted after %d of %d rounds\n", round, of)
			return
		}
		if time.Since(last) < often || round == of {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "round %d/%d  %.3f s  eta %s\n", round, of, took.Seconds(), left.Round(time.Second))
	}
}

// readImages reads the tensor images [N,H,W,3].
func readImages(path string) (images []float32, n, h, w int, err error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, 0, 0, 0, err
	}
	defer f.Close()
	t, err := f.Tensor("images")
	if err != nil {
		return nil, 0, 0, 0, err
	}
	if len(t.Shape) != 4 || t.Shape[3] != 3 || len(t.Data) == 0 {
		return nil, 0, 0, 0, fmt.Errorf("%s: images is of shape %v; want [N,H,W,3]", path, t.Shape)
	}
	return t.Data, t.Shape[0], t.Shape[1], t.Shape[2], nil
}

// writeOutputs writes logits [N,anchors,K] and deltas [N,anchors,4], levels one after the other.
func writeOutputs(path string, raw *detector.Raw) error {
	join := func(name string, levels [][]float32, width int) weights.Tensor {
		t := weights.Tensor{Name: name}
		for i := range raw.N {
			for _, l := range levels {
				size := len(l) / raw.N
				t.Data = append(t.Data, l[i*size:(i+1)*size]...)
			}
		}
		t.Shape = []int{raw.N, len(t.Data) / raw.N / width, width}
		return t
	}
	return weights.Write(path, nil, []weights.Tensor{join("logits", raw.Logits, raw.Classes), join("deltas", raw.Deltas, 4)})
}
