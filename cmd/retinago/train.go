package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/file"
	"retinago/train"
)

// configFlags choose a configuration.
func configFlags() []cli.Flag {
	return []cli.Flag{&cli.StringFlag{Name: "config", Usage: "YAML `FILE`, or the folder of a run, which has one; defaults are the paper's RetinaNet"}, setFlag()}
}

func setFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "set", Usage: "override one key, as in -set train.lr=.005; may be given often"}
}

func loadConfig(c *cli.Context) (config.Config, error) {
	if path := c.String("config"); path != "" && isRun(path) {
		if err := c.Set("config", filepath.Join(path, train.ConfigFile)); err != nil {
			return config.Config{}, err
		}
	}
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
		Usage: "train a detector on annotated images",
		Description: "-data PATH is a dataset's folder or file. The configuration is made for it and for this machine, and the reason for each\n" +
			"choice is printed; -config FILE takes your own instead. Writes last.safetensors, best.safetensors (by AP), log.jsonl,\n" +
			"config.yaml and the state that -resume needs to -out.\n\n" +
			"Ctrl-C saves and ends with exit code 0; a second one kills. SIGTERM and SIGHUP do the same, and a run goes on when its output\n" +
			"is closed. -resume prints which settings and annotations differ from those of the run's beginning. Those that would make it\n" +
			"another run are refused, unless -extend (its length) or -change KEY (anything else) allows them.\n\n" +
			"   retinago train -data photos/\n" +
			"   retinago train -data photos/ -minutes 60 -size 640\n" +
			"   retinago train -data aerial/ -recipe small-objects\n" +
			"   retinago train -data photos/ -classes person,vehicle -rename car=vehicle -rename truck=vehicle\n" +
			"   retinago train -config configs/shapes_tiny.yaml -out runs/shapes\n" +
			"   retinago train -resume runs/shapes\n" +
			"   retinago train -resume runs/shapes -extend -epochs 40",
		Flags: append(append(configFlags(), recipeFlags()...),
			&cli.StringFlag{Name: "out", Usage: "`DIR` of the run", DefaultText: "runs/NAME of the dataset or the config"},
			overwriteFlag(),
			&cli.BoolFlag{Name: "resume", Usage: "continue the run in -out; -resume DIR needs nothing else"},
			&cli.BoolFlag{Name: "extend", Usage: "with -resume: take another length, longer or shorter, as of -epochs 40 or -set train.epochs=40"},
			&cli.StringSliceFlag{Name: "change", Usage: "with -resume: `KEY` of the configuration, or a group as loss, that may differ from before; data.train and data.val are annotations; again for more"},
			&cli.BoolFlag{Name: "changed", Usage: "with -resume: go on although losses, matching, sizes or annotations have changed"},
			ignoreFlag(), skipHeadersFlag(),
			deviceFlag(), precisionFlag(),
		),
		Action: func(c *cli.Context) error {
			for _, name := range []string{"changed", "extend", "change"} {
				if c.IsSet(name) && !c.Bool("resume") {
					return usage("train: -%s is for -resume", name)
				}
			}
			if c.Bool("resume") && (c.IsSet("classes") || c.IsSet("rename")) {
				return usage("train: a run is resumed with its own classes: leave -classes and -rename out")
			}
			if err := checkRecipe(c); err != nil {
				return err
			}
			if err := extendRun(c); err != nil {
				return err
			}
			out := c.String("out")
			switch {
			case c.String("data") != "" && c.String("config") != "":
				return usage("train: -data makes a configuration, -config is one: give one of them; -set data.train.source=PATH changes a configuration's dataset")
			case c.String("data") != "" && c.Bool("resume"):
				return usage("train: a run is resumed on its own data: leave -data out")
			case c.Bool("resume") && c.String("config") == "" && isRun(out):
				if err := c.Set("config", filepath.Join(out, train.ConfigFile)); err != nil {
					return err
				}
			case c.Bool("resume") && c.String("config") == "" && !c.IsSet("set"):
				return usage("train: -resume wants the folder of a run, which has a %s: give -resume DIR", train.ConfigFile)
			case c.String("data") == "" && c.String("config") == "" && !c.IsSet("set"):
				return usage("train: give the dataset to train on: -data PATH; or a configuration: -config FILE")
			}
			if err := checkDevice(c); err != nil {
				return err
			}
			outlive()
			switch {
			case out != "":
			case c.String("data") != "":
				out = freeRun(datasetName(c.String("data")))
			case isRun(c.String("config")):
				out = freeRun(datasetName(c.String("config")))
			default:
				out = filepath.Join("runs", configName(c))
			}
			owner, err := file.Lock(out, c.App.Writer)
			if err != nil {
				return err
			}
			defer owner.Release()
			if !c.Bool("resume") {
				if err := runFree(c, out); err != nil {
					return err
				}
			}
			cfg, err := configOf(c)
			if err != nil {
				return err
			}
			err = train.Run(c.Context, cfg, train.Options{Out: out, Locked: true, Resume: c.Bool("resume"), Changed: c.Bool("changed"),
				Extend: c.Bool("extend"), Change: c.StringSlice("change"), Log: c.App.Writer, Examined: c.String("data") != "",
				IgnoreFindings: c.Bool("ignore-findings"), SkipHeaders: c.Bool("skip-headers"), Device: c.String("device"), Precision: c.String("precision")})
			if err != nil {
				return err
			}
			if c.Context.Err() != nil {
				fmt.Fprintf(c.App.Writer, "continue with: retinago train -resume %s\n", out)
				return nil
			}
			measured := ""
			if cfg.Data.Val.Source == "" && cfg.Data.ValShare == 0 {
				measured = " -data DATASET"
			}
			fmt.Fprintf(c.App.Writer, "done: %s; measure with: retinago eval %[1]s%s; detect with: retinago detect %[1]s IMAGES -out DIR\n", out, measured)
			return nil
		},
	}
}

// extendRun makes -epochs and -minutes of a run that is resumed overrides of its length, which need -extend.
func extendRun(c *cli.Context) error {
	if !c.Bool("resume") {
		return nil
	}
	for _, name := range []string{"epochs", "minutes"} {
		if !c.IsSet(name) {
			continue
		}
		set := fmt.Sprintf("train.%s=%v", name, c.Value(name))
		if !c.Bool("extend") {
			return usage("train: -%s is another length for the run that is resumed: add -extend, as in -extend -%[1]s %v, or -extend -set %s", name, c.Value(name), set)
		}
		if err := c.Set("set", set); err != nil {
			return err
		}
	}
	return nil
}
