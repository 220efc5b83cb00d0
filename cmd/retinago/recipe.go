package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"retinago/augment"
	"retinago/config"
	"retinago/engine/device"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/kinds"
	"retinago/internal/model/fetch"
	"retinago/internal/recipe"
	"retinago/train"
)

// recipeFlags say what a configuration is made for.
func recipeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "dataset to train on: `PATH` of its folder or file (COCO, Pascal VOC, YOLO, CSV)"},
		&cli.StringFlag{Name: "val", Usage: "dataset to measure on: `PATH`", DefaultText: "the dataset's own, or a share of the images"},
		&cli.StringFlag{Name: "recipe", Usage: "what the configuration is for: `NAME` " + strings.Join(kinds.Names(recipe.Kinds), ", ") + " (docs/train.md)", DefaultText: recipe.Default + ", and a suggestion where another one fits the dataset better"},
		&cli.IntFlag{Name: "size", Usage: "short side of the images in `PIXELS`; of the windows with -recipe small-objects", DefaultText: "by the size of the objects"},
		&cli.IntFlag{Name: "epochs", Usage: "how often each image is seen: `N`", DefaultText: "what fits into -minutes"},
		&cli.Float64Flag{Name: "minutes", Usage: "length of the run on this machine: `N`", DefaultText: "about 12, on a GPU 60; more with the recipes many-classes and gpu"},
		&cli.IntFlag{Name: "batch", Usage: "images per step: `N`", DefaultText: "what fits, at most 8, on a GPU 16, with -recipe gpu 32"},
		&cli.StringFlag{Name: "augment", Usage: "how training images are varied: `PRESET` " + strings.Join(kinds.Names(augment.Presets), ", "), DefaultText: "that of the recipe"},
		&cli.StringFlag{Name: "init", Usage: "weights to start from: `FILE` of a backbone or a detector, or none", DefaultText: "ImageNet's, fetched once"},
		trainClassesFlag(), trainRenameFlag(),
		&cli.StringFlag{Name: "images", Usage: "`DIR` of the images", DefaultText: "looked for beside the dataset's file"},
		&cli.StringFlag{Name: "split", Usage: "part of the dataset to train on: `NAME`", DefaultText: "train"},
		mirrorFlag(), cacheFlag(),
	}
}

// checkRecipe refuses combinations of flags that contradict each other.
func checkRecipe(c *cli.Context) error {
	verb := c.Command.FullName()
	switch {
	case c.IsSet("epochs") && c.IsSet("minutes"):
		return usage("%s: -epochs and -minutes are both the length of the run: give one", verb)
	case c.String("data") == "":
		for _, name := range []string{"val", "recipe", "size", "epochs", "minutes", "batch", "augment", "init", "images", "split"} {
			length := name == "epochs" || name == "minutes"
			if c.IsSet(name) && !(length && c.Bool("resume")) {
				return usage("%s: -%s goes with -data PATH, the dataset to train on; with a configuration of your own use -set, as in -set train.batch=8", verb, name)
			}
		}
	}
	for _, name := range []string{"size", "epochs", "batch"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return usage("%s: -%s %d: give at least 1", verb, name, c.Int(name))
		}
	}
	if _, err := augment.FindPreset(c.String("augment")); err != nil && c.IsSet("augment") {
		return usage("%s: -augment: %v; single policies are given as in -set 'data.augment=[light, mosaic]'", verb, err)
	}
	if c.IsSet("recipe") {
		kind, err := recipe.Find(c.String("recipe"))
		if err == nil {
			err = kind.CheckDevice(c.String("device"))
		}
		if err != nil {
			return usage("%s: -recipe: %v", verb, err)
		}
	}
	if c.IsSet("size") && (c.Int("size") < 64 || c.Int("size") > 4096) {
		return usage("%s: -size %d: give 64 to 4096 pixels", verb, c.Int("size"))
	}
	if c.IsSet("minutes") && !(c.Float64("minutes") > 0 && c.Float64("minutes") <= 1e6) {
		return usage("%s: -minutes %g: give a number above 0", verb, c.Float64("minutes"))
	}
	return nil
}

// makeRecipe makes a configuration for the dataset of -data. Reasons are printed on the way.
func makeRecipe(c *cli.Context) (*recipe.Recipe, error) {
	abs := func(path string) string {
		if a, err := filepath.Abs(path); err == nil && path != "" {
			return a
		}
		return path
	}
	// Absolute paths, so that the run's configuration works from any folder.
	from, to, err := convert.Discover(convert.Source{Path: abs(c.String("data")), Images: abs(c.String("images")), Split: c.String("split")})
	if err != nil {
		return nil, err
	}
	from.Select, err = selected(c, "classes")
	if err != nil {
		return nil, err
	}
	if path := c.String("val"); path != "" {
		if to, _, err = convert.Discover(convert.Source{Path: abs(path)}); err != nil {
			return nil, fmt.Errorf("-val: %w", err)
		}
	}
	to.Select = from.Select
	to.Select.Absent = true
	r := recipe.Request{Train: from, Val: to, Size: c.Int("size"), Epochs: c.Int("epochs"), Batch: c.Int("batch"),
		Time: time.Duration(c.Float64("minutes") * float64(time.Minute)), Device: c.String("device"), Precision: c.String("precision"),
		Init: c.String("init"), Augment: c.String("augment"), Recipe: c.String("recipe"), Settings: c.StringSlice("set"), Log: c.App.ErrWriter,
		Run:  data.Run{Log: c.App.ErrWriter, Ignore: c.Bool("ignore-findings"), SkipHeaders: c.Bool("skip-headers")},
		Find: func(ctx context.Context, backbone string) (string, error) { return imageNet(c, backbone) }}
	if r.Init != "" && r.Init != recipe.NoInit {
		r.Init = abs(r.Init)
		if _, err := os.Stat(r.Init); err != nil {
			return nil, fmt.Errorf("-init %s: there is no such file%s; give the weights of a backbone or a detector, or none", c.String("init"), file.From(c.String("init")))
		}
	}
	// Before weights are fetched and networks measured.
	if err := recipe.Check(c.Context, r, c.StringSlice("set")); err != nil {
		return nil, usage("%s: -set: %w", verbOf(c), err)
	}
	made, err := recipe.Make(c.Context, r)
	if err != nil {
		return nil, err
	}
	return made, made.Config.Set(c.StringSlice("set"))
}

// checkDevice refuses devices and precisions that this program cannot have, before anything is read or measured.
func checkDevice(c *cli.Context) error {
	o := device.Options{Name: c.String("device"), Precision: c.String("precision")}
	if err := o.Check(); err != nil {
		return usage("%s: %w", verbOf(c), err)
	}
	return nil
}

// pretrained names the published weights of the backbones that recipes have.
var pretrained = map[string]string{"resnet18": "resnet18-f37072fd", "resnet50": "resnet50-11ad3fa6"}

// imageNet is the file with a backbone's weights, which is fetched where it is not there.
func imageNet(c *cli.Context, backbone string) (string, error) {
	f, err := fetch.Find(pretrained[backbone], c.String("mirror"))
	if err != nil {
		return "", err
	}
	dir, err := cacheDir(c)
	if err != nil {
		return "", err
	}
	// A machine without a network should not wait for long.
	path, err := downloadWith(c, f, fetch.Options{Attempts: 2, Idle: 10 * time.Second}, dir)
	if err != nil {
		return "", fetch.Reason(err)
	}
	return path, nil
}

// datasetName is a name for what was made of a dataset: its folder's, or its file's where that says more.
func datasetName(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return "run"
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		switch dir := filepath.Dir(path); filepath.Base(dir) {
		case "annotations", "Annotations", "train":
			name = filepath.Base(filepath.Dir(dir))
		default:
			name = filepath.Base(dir)
		}
	}
	if name = strings.Trim(name, "._- "); name == "" || name == string(filepath.Separator) {
		return "run"
	}
	return name
}

// freeRun is a folder below runs without a run: runs/NAME, or runs/NAME-2 and so on.
func freeRun(name string) string {
	for n := 1; ; n++ {
		dir := filepath.Join("runs", name)
		if n > 1 {
			dir += fmt.Sprintf("-%d", n)
		}
		_, log := os.Stat(filepath.Join(dir, train.LogFile))
		_, state := os.Stat(filepath.Join(dir, train.StateFile))
		if errors.Is(log, fs.ErrNotExist) && errors.Is(state, fs.ErrNotExist) {
			return dir
		}
	}
}

// configCommand makes and shows configurations.
func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "make a configuration for a dataset and this machine",
		Subcommands: []*cli.Command{{
			Name:  "new",
			Usage: "print a configuration with the reason for each choice",
			Description: "Looks at the dataset, measures a step of training on this machine and prints what `train -data` would take, for\n" +
				"editing.\n\n" +
				"   retinago config new -data photos/ > my.yaml\n" +
				"   retinago config new -data aerial/ -recipe small-objects > my.yaml\n" +
				"   retinago train -config my.yaml",
			Flags: append(recipeFlags(), setFlag(), ignoreFlag(), skipHeadersFlag(), deviceFlag(), precisionFlag()),
			Action: func(c *cli.Context) error {
				if c.String("data") == "" {
					return usage("config new: give the dataset: -data PATH")
				}
				if err := errors.Join(checkRecipe(c), checkDevice(c)); err != nil {
					return err
				}
				r, err := makeRecipe(c)
				if err != nil {
					return err
				}
				w := rawOutput(c)
				for line := range strings.Lines(r.Text()) {
					fmt.Fprintf(w, "# %s", line)
				}
				_, err = fmt.Fprint(w, r.Config.String())
				return err
			},
		}},
	}
}

// selectIn writes the classes that the flags select into a configuration.
func selectIn(c *cli.Context, cfg *config.Config) error {
	s, err := selected(c, "classes")
	if err != nil || s.IsZero() {
		return err
	}
	if len(s.Keep) > 0 {
		cfg.Data.Classes = s.Keep
	}
	if len(s.Rename) > 0 {
		cfg.Data.Rename = s.Rename
	}
	return train.Validate(*cfg)
}

// configOf is the configuration of a verb that trains: made for -data, or that of -config and -set.
func configOf(c *cli.Context) (config.Config, error) {
	if c.String("data") == "" {
		cfg, err := loadConfig(c)
		if err != nil {
			return cfg, err
		}
		return cfg, selectIn(c, &cfg)
	}
	r, err := makeRecipe(c)
	if err != nil {
		return config.Config{}, err
	}
	fmt.Fprint(c.App.Writer, r.Text())
	return r.Config, nil
}
