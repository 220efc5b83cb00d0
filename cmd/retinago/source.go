package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/internal/dataset/convert"
)

// whereData describes the values of -data.
const whereData = "COCO's JSON, a folder of Pascal VOC, YOLO's data.yaml or folder, or a CSV (keras-retinanet, OpenImages, columns with a header)"

// dataFlag names a dataset.
func dataFlag(required bool) cli.Flag {
	return &cli.StringFlag{Name: "data", Usage: "dataset `PATH`: " + whereData, Required: required}
}

// sourceFlags are the settings of a dataset that its path does not determine.
func sourceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "images", Usage: "`DIR` of the pictures", DefaultText: "known to VOC and YOLO; looked for beside a CSV"},
		&cli.StringFlag{Name: "format", Usage: "`NAME` of the dataset's format: " + strings.Join(convert.Formats(), ", "), DefaultText: "derived from the path"},
		&cli.StringFlag{Name: "split", Usage: "part to read: `NAME` of a list in VOC's ImageSets/Main, a key of data.yaml, a file of ids beside OpenImages' CSV, a value in a CSV's column split", DefaultText: "all"},
		&cli.StringFlag{Name: "class-list", Usage: "CSV `FILE` of the classes: class,number, or OpenImages' LabelName,DisplayName"},
		&cli.StringFlag{Name: "difficult", Usage: "how to read VOC's difficult objects: `HOW` is crowd, keep or drop", DefaultText: "crowd"},
	}
}

// source returns the dataset at a path with the settings of the flags; without a path the flags are an error.
func source(c *cli.Context, path string) (convert.Source, error) {
	s := convert.Source{Path: path, Format: c.String("format"), Split: c.String("split"), Classes: c.String("class-list"), Images: c.String("images"),
		Difficult: convert.Difficult(c.String("difficult"))}
	if s.Format != "" && !slices.Contains(convert.Formats(), s.Format) {
		return s, usage("%s: -format %s; there are %s", c.Command.FullName(), s.Format, strings.Join(convert.Formats(), ", "))
	}
	if path == "" && s != (convert.Source{}) {
		return s, usage("%s: -images, -format, -split, -class-list and -difficult need -data", c.Command.FullName())
	}
	return s, nil
}
