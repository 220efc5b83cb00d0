package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/cluster"
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
			"mpirun -n N in front trains in N processes, each with a part of every batch, in a program that is built with the tag mpi; see\n" +
			"docs/cluster.md.\n\n" +
			"   retinago train -data photos/\n" +
			"   retinago train -data photos/ -minutes 60 -size 640\n" +
			"   retinago train -data aerial/ -recipe small-objects\n" +
			"   retinago train -data photos/ -classes person,vehicle -rename car=vehicle -rename truck=vehicle\n" +
			"   retinago train -config configs/shapes_tiny.yaml -out runs/shapes\n" +
			"   retinago train -resume runs/shapes\n" +
			"   retinago train -resume runs/shapes -extend -epochs 40\n" +
			"   mpirun -n 2 retinago train -config configs/coco_r50_1x.yaml -out runs/coco",
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
			world, err := cluster.Join()
			if err != nil {
				return err
			}
			return conclude(c, world, runTraining(c, world))
		},
	}
}

// runTraining trains in one process, or in one of several.
func runTraining(c *cli.Context, world *cluster.World) error {
	r, err := prepareRun(c, world)
	if r.owner != nil {
		defer r.owner.Release()
	}
	if err := world.Agree(err); err != nil {
		return err
	}
	log := c.App.Writer
	if world.Size() > 1 { // mpirun gives every process a terminal, whatever its own output is
		log = noTerminal{log}
	}
	err = train.Run(c.Context, r.config, train.Options{Out: r.out, World: world, Locked: true, Resume: c.Bool("resume"), Changed: c.Bool("changed"),
		Extend: c.Bool("extend"), Change: c.StringSlice("change"), Log: log, Examined: c.String("data") != "",
		IgnoreFindings: c.Bool("ignore-findings"), SkipHeaders: c.Bool("skip-headers"), Device: c.String("device"), Precision: c.String("precision")})
	if err != nil {
		return err
	}
	interrupted, err := world.Any(c.Context.Err() != nil)
	if err != nil || !world.First() {
		return err
	}
	if interrupted {
		fmt.Fprintf(c.App.Writer, "continue with: retinago train -resume %s\n", r.out)
		return nil
	}
	measured := ""
	if r.config.Data.Val.Source == "" && r.config.Data.ValShare == 0 {
		measured = " -data DATASET"
	}
	fmt.Fprintf(c.App.Writer, "done: %s; measure with: retinago eval %[1]s%s; detect with: retinago detect %[1]s IMAGES -out DIR\n", r.out, measured)
	return nil
}

// preparedRun is a run that may begin.
type preparedRun struct {
	config config.Config
	out    string
	owner  *file.Owner // of out; nil in a process that writes nothing
}

// prepareRun checks the flags, locks the folder of the run and reads the configuration.
func prepareRun(c *cli.Context, world *cluster.World) (r preparedRun, err error) {
	for _, name := range []string{"changed", "extend", "change"} {
		if c.IsSet(name) && !c.Bool("resume") {
			return r, usage("train: -%s is for -resume", name)
		}
	}
	if c.Bool("resume") && (c.IsSet("classes") || c.IsSet("rename")) {
		return r, usage("train: a run is resumed with its own classes: leave -classes and -rename out")
	}
	if c.String("data") != "" && world.Size() > 1 {
		return r, usage("train: -data times networks in one process: make the configuration with `retinago config new -data PATH`, and give it to all processes with -config")
	}
	if err := checkRecipe(c); err != nil {
		return r, err
	}
	if err := extendRun(c); err != nil {
		return r, err
	}
	out := c.String("out")
	switch {
	case c.String("data") != "" && c.String("config") != "":
		return r, usage("train: -data makes a configuration, -config is one: give one of them; -set data.train.source=PATH changes a configuration's dataset")
	case c.String("data") != "" && c.Bool("resume"):
		return r, usage("train: a run is resumed on its own data: leave -data out")
	case c.Bool("resume") && c.String("config") == "" && isRun(out):
		if err := c.Set("config", filepath.Join(out, train.ConfigFile)); err != nil {
			return r, err
		}
	case c.Bool("resume") && c.String("config") == "" && !c.IsSet("set"):
		return r, usage("train: -resume wants the folder of a run, which has a %s: give -resume DIR", train.ConfigFile)
	case c.String("data") == "" && c.String("config") == "" && !c.IsSet("set"):
		return r, usage("train: give the dataset to train on: -data PATH; or a configuration: -config FILE")
	}
	if err := checkDevice(c); err != nil {
		return r, err
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
	r.out = out
	if world.First() {
		if r.owner, err = file.Lock(out, c.App.Writer); err != nil {
			return r, err
		}
		if !c.Bool("resume") {
			if err := runFree(c, out); err != nil {
				return r, err
			}
		}
	}
	r.config, err = configOf(c)
	return r, err
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
