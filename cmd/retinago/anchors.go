package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"retinago/anchors"
	"retinago/box"
	"retinago/coco"
	"retinago/config"
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
	src, err := source(c, c.String("data"))
	if err != nil {
		return err
	}
	if src.Path == "" {
		src = data.Source(cfg.Data, cfg.Data.Train)
	}
	if src.Path == "" {
		return usage("anchors fit wants -data, or a -config with data.train.source")
	}
	d, _, err := src.Open()
	if err != nil {
		return err
	}
	pictures, names, err := sizes(d, cfg.Data)
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

// sizes lists the objects of a dataset for package anchors, with the names of their classes.
func sizes(d *coco.Dataset, c config.Data) ([]anchors.Picture, []string, error) {
	x, err := d.Index()
	if err != nil {
		return nil, nil, err
	}
	var out []anchors.Picture
	for i, im := range d.Images {
		if im.Width < 1 || im.Height < 1 {
			return nil, nil, fmt.Errorf("%s: image %d (%s) is %dx%d pixels: give its width and height", d.Path, im.ID, im.FileName, im.Width, im.Height)
		}
		s := data.Resized(data.Size{W: im.Width, H: im.Height}, c.TestSide(), c.MaxSide)
		sx, sy := float32(s.W)/float32(im.Width), float32(s.H)/float32(im.Height)
		p := anchors.Picture{W: s.W, H: s.H, Scale: float64(sx)}
		for _, k := range x.Annotations[i] {
			a := d.Annotations[k]
			if a.IsCrowd {
				continue
			}
			p.Boxes = append(p.Boxes, box.FromXYWH(float32(a.BBox[0]), float32(a.BBox[1]), float32(a.BBox[2]), float32(a.BBox[3])).Scale(sx, sy))
			p.Classes = append(p.Classes, int32(x.ClassOf[a.CategoryID]))
		}
		out = append(out, p)
	}
	return out, x.Names, nil
}
