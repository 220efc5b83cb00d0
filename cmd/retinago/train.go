package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/config"
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
	return config.Load(c.String("config"), c.StringSlice("set"))
}

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a detector on annotated pictures",
		Description: "Writes last.safetensors, best.safetensors (by AP), log.jsonl, config.yaml and the state that -resume needs to -out.\n" +
			"Ctrl-C saves and ends with exit code 0; a second one kills.\n\n" +
			"   retinago train -config configs/shapes_tiny.yaml -out runs/shapes\n" +
			"   retinago train -config configs/facemask_r18.yaml -set train.epochs=18 -out runs/masks\n" +
			"   retinago train -config runs/masks/config.yaml -out runs/masks -resume",
		Flags: append(configFlags(),
			&cli.StringFlag{Name: "out", Usage: "`DIR` of the run; default runs/NAME of the config"},
			&cli.BoolFlag{Name: "resume", Usage: "continue the run in -out"},
			deviceFlag(), precisionFlag(),
		),
		Action: func(c *cli.Context) error {
			cfg, err := loadConfig(c)
			if err != nil {
				return err
			}
			out := c.String("out")
			if out == "" {
				name := strings.TrimSuffix(filepath.Base(c.String("config")), filepath.Ext(c.String("config")))
				if c.String("config") == "" {
					name = "retinanet"
				}
				out = filepath.Join("runs", name)
			}
			if err := train.Run(c.Context, cfg, train.Options{Out: out, Resume: c.Bool("resume"), Log: c.App.Writer, Device: c.String("device"), Precision: c.String("precision")}); err != nil {
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
