package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
)

func anchorsCommand() *cli.Command {
	return &cli.Command{
		Name:  "anchors",
		Usage: "show anchors, measure how they cover a dataset, fit them to it",
		Subcommands: []*cli.Command{
			{
				Name:        "show",
				Usage:       "print the anchors of a configuration",
				Description: "   retinago anchors show -config configs/facemask_r18.yaml",
				Flags:       configFlags(),
				Action:      anchorsShow,
			},
			{
				Name:  "fit",
				Usage: "measure how anchors cover a dataset and fit them",
				Description: "Objects are measured at the size that the network sees. Recall is the share of objects with an anchor of IoU .5 or more.\n\n" +
					"   retinago anchors fit -config configs/facemask_r18.yaml\n" +
					"   retinago anchors fit -data train.json -set data.short_sides=[512]\n" +
					"   retinago anchors fit -data VOC2012 -split train",
				Flags: append(append(configFlags(), &cli.StringFlag{Name: "data", Usage: "dataset `PATH`: " + whereData, DefaultText: "the config's data.train"}),
					sourceFlags()...),
				Action: anchorsFit,
			},
		},
	}
}

func anchorsShow(c *cli.Context) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	a := cfg.Model.Anchors
	t := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "level\tstride\tanchors at each cell, width x height in pixels\n")
	for l, stride := range a.Strides {
		fmt.Fprintf(t, "P%d\t%d\t", l+3, stride)
		for _, b := range a.Base(l) {
			fmt.Fprintf(t, "%.1fx%.1f ", b.W(), b.H())
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "%d anchors per cell\n", a.PerCell())
	return t.Flush()
}

func anchorsFit(c *cli.Context) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	src, err := part(c, c.String("data"), convert.Training)
	if err != nil {
		return err
	}
	if src.Path == "" {
		src = data.Source(cfg.Data, cfg.Data.Train)
	} else {
		src.Select = convert.Selection{Rename: cfg.Data.Rename, Keep: cfg.Data.Classes}
	}
	if src.Path == "" {
		return usage("anchors fit wants -data, or a -config with data.train.source")
	}
	d, _, err := src.Open()
	if err != nil {
		return err
	}
	pictures, names, err := data.Scaled(d, cfg.Data)
	if err != nil {
		return err
	}
	w := c.App.Writer
	fmt.Fprintf(w, "%s at %d to %d pixels, anchors of the configuration:\n%s", src.Path, cfg.Data.TestSide(), cfg.Data.MaxSide, cfg.Model.Anchors.Cover(pictures).Table(names))
	fitted, err := cfg.Model.Anchors.Fit(pictures)
	if err != nil {
		return fmt.Errorf("%s: %w", src.Path, err)
	}
	fmt.Fprintf(w, "\nfitted anchors:\n%s\n", fitted.Cover(pictures).Table(names))
	snippet, err := yaml.Marshal(map[string]any{"model": map[string]any{"anchors": fitted}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "to use them, put this into the configuration:\n%s", snippet)
	return err
}
