package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/file"
	"retinago/train"
)

// configFlags choose a configuration.
func configFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "YAML `FILE`; defaults are the paper's RetinaNet"},
		&cli.StringSliceFlag{Name: "set", Usage: "override one key, as in -set train.lr=.005; may be given often"},
	}
}

func loadConfig(c *cli.Context) (config.Config, error) {
	cfg, err := config.Load(c.String("config"), c.StringSlice("set"))
	if err != nil {
		return cfg, err
	}
	return cfg, train.Validate(cfg)
}

// configName is the name of the config's file, for a folder's.
func configName(c *cli.Context) string {
	path := c.String("config")
	if path == "" {
		return "retinanet"
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a detector on annotated pictures",
		Description: "Writes last.safetensors, best.safetensors (by AP), log.jsonl, config.yaml and the state that -resume needs to -out.\n" +
			"Ctrl-C saves and ends with exit code 0; a second one kills. SIGTERM and SIGHUP do the same, and a run goes on when its output\n" +
			"is closed. -resume prints which settings and annotations differ from those of the run's beginning, and refuses those that would\n" +
			"make it another run.\n\n" +
			"   retinago train -config configs/shapes_tiny.yaml -out runs/shapes\n" +
			"   retinago train -config configs/facemask_r18.yaml -set train.epochs=18 -out runs/masks\n" +
			"   retinago train -config runs/masks/config.yaml -out runs/masks -resume",
		Flags: append(configFlags(),
			&cli.StringFlag{Name: "out", Usage: "`DIR` of the run; default runs/NAME of the config"},
			&cli.BoolFlag{Name: "resume", Usage: "continue the run in -out"},
			&cli.BoolFlag{Name: "changed", Usage: "with -resume: go on although losses, matching, sizes or annotations have changed"},
			deviceFlag(), precisionFlag(),
		),
		Action: func(c *cli.Context) error {
			if c.Bool("changed") && !c.Bool("resume") {
				return usage("train: -changed is for -resume")
			}
			outlive()
			out := c.String("out")
			if out == "" {
				out = filepath.Join("runs", configName(c))
			}
			owner, err := file.Lock(out, c.App.Writer)
			if err != nil {
				return err
			}
			defer owner.Release()
			cfg, err := loadConfig(c)
			if err != nil {
				return err
			}
			err = train.Run(c.Context, cfg, train.Options{Out: out, Held: true, Resume: c.Bool("resume"), Changed: c.Bool("changed"), Log: c.App.Writer,
				Device: c.String("device"), Precision: c.String("precision")})
			if err != nil {
				return err
			}
			if c.Context.Err() != nil {
				fmt.Fprintf(c.App.Writer, "continue with: retinago train -config %s -out %s -resume\n", filepath.Join(out, train.ConfigFile), out)
				return nil
			}
			model := filepath.Join(out, train.BestModel)
			if _, err := os.Stat(model); err != nil { // without a validation set no model is the best
				model = filepath.Join(out, train.LastModel)
			}
			fmt.Fprintf(c.App.Writer, "done: %s; detect with: retinago detect -weights %s -source PICTURES -out DIR\n", out, model)
			return nil
		},
	}
}
