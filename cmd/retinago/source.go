package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/train"
)

// whereData describes the values of -data.
const whereData = "the folder of a dataset, COCO's JSON, a folder of Pascal VOC, YOLO's data.yaml or folder, or a CSV (keras-retinanet, OpenImages, columns with a header)"

// dataOrRunFlag names a dataset, or a run.
func dataOrRunFlag(required bool) cli.Flag {
	return &cli.StringFlag{Name: "data", Usage: "dataset `PATH`: " + whereData + "; or the folder of a run: its datasets, with the classes that it learns", Required: required}
}

// dataFlag names a dataset.
func dataFlag(required bool) cli.Flag {
	return &cli.StringFlag{Name: "data", Usage: "dataset `PATH`: " + whereData, Required: required}
}

// sourceFlags are the settings of a dataset that its path does not determine.
func sourceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "images", Usage: "`DIR` of the images", DefaultText: "known to VOC and YOLO; looked for beside a COCO file or a CSV"},
		&cli.StringFlag{Name: "format", Usage: "`NAME` of the dataset's format: " + strings.Join(convert.Formats(), ", "), DefaultText: "derived from the path"},
		&cli.StringFlag{Name: "split", Usage: "part to read: `NAME` of a list in VOC's ImageSets/Main, a key of data.yaml, a file of ids beside OpenImages' CSV, a value in a CSV's column split, the folder or file of a part in a folder with several", DefaultText: "all; of separate parts train, with eval val; the verbs of data list them; of a run what it measures on"},
		&cli.StringFlag{Name: "class-list", Usage: "CSV `FILE` of the classes: class,number, or OpenImages' LabelName,DisplayName"},
		&cli.StringFlag{Name: "difficult", Usage: "how to read VOC's difficult objects: `HOW` is crowd, keep or drop", DefaultText: "crowd"},
	}
}

// classesFlag and renameFlag select classes of a dataset.
func classesFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "classes", Usage: "`NAMES` of the classes to read, separated by commas; objects of others are left out, images stay", DefaultText: "all"}
}

func renameFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "rename", Usage: "read a class under another name, `OLD=NEW`, before -classes; again for more: classes that get one name become one"}
}

// trainClassesFlag and trainRenameFlag select the classes of a run.
func trainClassesFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "classes", Usage: "`NAMES` of the classes to learn, separated by commas (data.classes); objects of others are left out, and images stay as background", DefaultText: "all"}
}

func trainRenameFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "rename", Usage: "learn a class under another name, `OLD=NEW`, before -classes (data.rename); again for more: classes that get one name become one"}
}

// selected returns the classes that the flags select; classes is the name of the flag that has their names.
func selected(c *cli.Context, classes string) (convert.Selection, error) {
	s := convert.Selection{Rename: c.StringSlice("rename")}
	for _, r := range s.Rename {
		if _, _, err := convert.ParseRename(r); err != nil {
			return s, usage("%s: -rename: %v", c.Command.FullName(), err)
		}
	}
	for _, list := range c.StringSlice(classes) {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name == "" {
				return s, usage("%s: -%s %q: give names of classes, separated by commas", c.Command.FullName(), classes, list)
			}
			s.Keep = append(s.Keep, name)
		}
	}
	return s, nil
}

// source returns the dataset at a path with the settings of the flags; without a path the flags are an error.
func source(c *cli.Context, path string) (convert.Source, error) {
	sel, err := selected(c, "classes")
	if err != nil {
		return convert.Source{}, err
	}
	s := convert.Source{Select: sel, Path: path, Format: c.String("format"), Split: c.String("split"), Classes: c.String("class-list"), Images: c.String("images"),
		Difficult: convert.Difficult(c.String("difficult"))}
	if s.Format != "" && !slices.Contains(convert.Formats(), s.Format) {
		return s, usage("%s: -format %s; there are %s", c.Command.FullName(), s.Format, strings.Join(convert.Formats(), ", "))
	}
	if path == "" {
		return s, ofData(c, "images", "format", "split", "class-list", "difficult", "rename")
	}
	return s, nil
}

// ofData is the error of flags that need -data, which is not given.
func ofData(c *cli.Context, flags ...string) error {
	for _, name := range flags {
		if c.IsSet(name) {
			return usage("%s: -%s needs -data", c.Command.FullName(), name)
		}
	}
	return nil
}

// part returns the dataset at a path as one part; see convert.Source.One. It says which part that is where it chose among several.
func part(c *cli.Context, path string, use convert.Use) (convert.Source, error) {
	s, err := source(c, path)
	if err != nil {
		return s, err
	}
	return onePart(c, s, use)
}

func onePart(c *cli.Context, s convert.Source, use convert.Use) (convert.Source, error) {
	one, of, err := s.One(use)
	if len(of) > 0 {
		name := one.Split
		if name == "" {
			name = one.Path
		}
		fmt.Fprintf(c.App.ErrWriter, "%s has the parts %s: reading %s; -split names another\n", s.Path, strings.Join(of, ", "), name)
	}
	return one, err
}

// sourceOrRun is source, or, where -data is the folder of a run, the run's datasets with the classes that it learns: the one to train on, and
// the one to measure on if it has one.
func sourceOrRun(c *cli.Context) (of []convert.Source, isOfRun bool, err error) {
	path := c.String("data")
	s, err := source(c, path)
	if err != nil || !isRun(path) {
		return []convert.Source{s}, false, err
	}
	for _, name := range []string{"images", "format", "split", "class-list", "difficult", "classes", "rename"} {
		if c.IsSet(name) {
			return nil, true, usage("%s: %s is a run, which has its own dataset and classes: leave -%s out", c.Command.FullName(), path, name)
		}
	}
	cfg, err := config.Load(filepath.Join(path, train.ConfigFile), nil)
	if err != nil {
		return nil, true, err
	}
	for _, set := range []config.Set{cfg.Data.Train, cfg.Data.Val} {
		if set.Source != "" {
			of = append(of, data.Source(cfg.Data, set))
		}
	}
	if len(of) == 0 {
		return nil, true, fmt.Errorf("%s: the configuration of the run names no dataset", path)
	}
	return of, true, nil
}
