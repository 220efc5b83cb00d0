package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/convert"
	"retinago/data"
	"retinago/picture"
)

// editCommands make datasets of datasets.
func editCommands() []*cli.Command {
	json := &cli.StringFlag{Name: "data", Usage: "COCO instances `JSON`", Required: true}
	out := &cli.StringFlag{Name: "out", Usage: "`FILE` to write", Required: true}
	return []*cli.Command{
		{
			Name:  "convert",
			Usage: "read Pascal VOC, YOLO or CSV into COCO JSON, or write them",
			Description: "With -from, reads -source into the JSON -out; with -to, writes the JSON -data below the folder -out. Formats:\n" +
				"voc (a folder with Annotations and JPEGImages), yolo (a data.yaml), csv (keras-retinanet's path,x1,y1,x2,y2,class).\n\n" +
				"   retinago data convert -from voc -source VOC2012 -split train -out train.json\n" +
				"   retinago data convert -from yolo -source data.yaml -split val -out val.json\n" +
				"   retinago data convert -from csv -source train.csv -classes classes.csv -images photos -out train.json\n" +
				"   retinago data convert -to yolo -data train.json -split train -out yolo",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "from", Usage: "`FORMAT` to read: voc, yolo or csv"},
				&cli.StringFlag{Name: "to", Usage: "`FORMAT` to write: voc, yolo or csv"},
				&cli.StringFlag{Name: "source", Usage: "`PATH` of the dataset, for -from"},
				&cli.StringFlag{Name: "data", Usage: "COCO instances `JSON`, for -to"},
				&cli.StringFlag{Name: "split", Usage: "`NAME` of the part, such as train"},
				&cli.StringFlag{Name: "classes", Usage: "CSV `FILE` of class,number lines"},
				&cli.StringFlag{Name: "images", Usage: "`DIR` of the pictures that a CSV names"},
				&cli.StringFlag{Name: "difficult", Usage: "what becomes of VOC's difficult objects: crowd, keep or drop", Value: "crowd"},
				&cli.StringFlag{Name: "out", Usage: "`PATH` to write", Required: true},
			},
			Action: dataConvert,
		},
		{
			Name:  "split",
			Usage: "divide a dataset at random, class by class",
			Description: "Equal seeds make equal parts.\n\n" +
				"   retinago data split -data all.json -share .2 -out val.json -rest train.json",
			Flags: []cli.Flag{json, out,
				&cli.Float64Flag{Name: "share", Usage: "of the images that go to -out", Value: .2},
				&cli.StringFlag{Name: "rest", Usage: "`FILE` for the other images", Required: true},
				&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
			},
			Action: func(c *cli.Context) error {
				d, err := loadWhole(c.String("data"))
				if err != nil {
					return err
				}
				part, rest, err := convert.Split(d, c.Float64("share"), c.Uint64("seed"))
				if err != nil {
					return err
				}
				if err := save(c, rest, c.String("rest")); err != nil {
					return err
				}
				return save(c, part, c.String("out"))
			},
		},
		{
			Name:  "merge",
			Usage: "join datasets; categories of one name become one",
			Description: "Images and objects are numbered anew. File names must differ between the datasets.\n\n" +
				"   retinago data merge -data a.json -data b.json -out both.json",
			Flags: []cli.Flag{out, &cli.StringSliceFlag{Name: "data", Usage: "COCO instances `JSON`; give it for each", Required: true}},
			Action: func(c *cli.Context) error {
				var all []*coco.Dataset
				for _, path := range c.StringSlice("data") {
					d, err := loadWhole(path)
					if err != nil {
						return err
					}
					all = append(all, d)
				}
				d, err := convert.Merge(all...)
				if err != nil {
					return err
				}
				return save(c, d, c.String("out"))
			},
		},
		{
			Name:        "subset",
			Usage:       "keep some classes, or the first images",
			Description: "   retinago data subset -data instances_val2017.json -classes person,dog -most 100 -out small.json",
			Flags: []cli.Flag{json, out,
				&cli.StringFlag{Name: "classes", Usage: "`NAMES` to keep, separated by commas", DefaultText: "all"},
				&cli.IntFlag{Name: "most", Usage: "images", DefaultText: "all"},
				&cli.BoolFlag{Name: "empty", Usage: "keep images without such objects too"},
			},
			Action: func(c *cli.Context) error {
				d, err := loadWhole(c.String("data"))
				if err != nil {
					return err
				}
				var classes []string
				if s := c.String("classes"); s != "" {
					classes = strings.Split(s, ",")
				}
				s, err := convert.Subset(d, classes, c.Int("most"), c.Bool("empty"))
				if err != nil {
					return err
				}
				return save(c, s, c.String("out"))
			},
		},
		{
			Name:        "draw",
			Usage:       "draw pictures with their boxes onto one sheet",
			Description: "   retinago data draw -data train.json -images train -out sheet.jpg",
			Flags: []cli.Flag{json, out,
				&cli.StringFlag{Name: "images", Usage: "`DIR` of the pictures", Required: true},
				&cli.IntFlag{Name: "count", Usage: "pictures, drawn at random", Value: 12},
				&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
			},
			Action: dataDraw,
		},
	}
}

// loadWhole reads a dataset with everything that is to be written again.
func loadWhole(path string) (*coco.Dataset, error) {
	return coco.LoadWith(path, coco.LoadOptions{Segmentation: true, Extra: true})
}

func save(c *cli.Context, d *coco.Dataset, path string) error {
	if err := d.Save(path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s: %d images, %d boxes, %d categories\n", path, len(d.Images), len(d.Annotations), len(d.Categories))
	return err
}

func dataConvert(c *cli.Context) error {
	from, to := c.String("from"), c.String("to")
	switch {
	case from != "" && to == "" && c.String("source") != "":
		return convertFrom(c, from)
	case to != "" && from == "" && c.String("data") != "":
		return convertTo(c, to)
	}
	return usage("data convert wants either -from and -source, or -to and -data")
}

func convertFrom(c *cli.Context, format string) error {
	var d *coco.Dataset
	var err error
	images := c.String("images")
	switch format {
	case "voc":
		d, err = convert.VOC(c.String("source"), c.String("split"), convert.Difficult(c.String("difficult")))
		images = filepath.Join(c.String("source"), "JPEGImages")
	case "yolo":
		if c.String("split") == "" {
			return usage("data convert: yolo wants -split, such as train")
		}
		d, images, err = convert.YOLO(c.String("source"), c.String("split"))
	case "csv":
		d, err = convert.CSV(c.String("source"), c.String("classes"), images)
	default:
		return usage("data convert: -from %s; there are voc, yolo and csv", format)
	}
	if err != nil {
		return err
	}
	if err := save(c, d, c.String("out")); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "pictures: %s; look for faults with: retinago data check -data %s -images %s\n", images, c.String("out"), images)
	return err
}

func convertTo(c *cli.Context, format string) error {
	split := c.String("split")
	if split == "" {
		split = "train"
	}
	d, err := coco.Load(c.String("data"))
	if err != nil {
		return err
	}
	out, crowds := c.String("out"), 0
	switch format {
	case "voc":
		err = convert.WriteVOC(d, out, split)
	case "yolo":
		crowds, err = convert.WriteYOLO(d, out, split)
	case "csv":
		crowds, err = convert.WriteCSV(d, filepath.Join(out, split+".csv"), filepath.Join(out, "classes.csv"))
	default:
		return usage("data convert: -to %s; there are voc, yolo and csv", format)
	}
	if err != nil {
		return err
	}
	if crowds > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%d crowd regions were left out: %s has no place for them\n", crowds, format)
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %d images; pictures are not copied\n", out, len(d.Images))
	return err
}

// sheet measures in pixels.
const (
	cell    = 320
	columns = 4
	gap     = 6
)

func dataDraw(c *cli.Context) error {
	d, err := data.Open(c.String("data"), c.String("images"))
	if err != nil {
		return err
	}
	n := min(c.Int("count"), d.Len())
	if n < 1 {
		return usage("data draw: -count %d: give at least 1", c.Int("count"))
	}
	rows := (n + columns - 1) / columns
	wide := min(n, columns)
	sheet := picture.New(wide*(cell+gap)-gap, rows*(cell+gap)-gap)
	categories := d.Categories()
	broken := 0
	for k, i := range rand.New(rand.NewPCG(c.Uint64("seed"), 0)).Perm(d.Len())[:n] {
		p, err := picture.Decode(d.File(i))
		if err != nil {
			fmt.Fprintf(c.App.ErrWriter, "skipped: %v\n", err)
			broken++
			continue
		}
		s := data.Resized(data.Size{W: p.W, H: p.H}, cell, cell)
		small := p.Scaled(s.W, s.H)
		boxes, classes, crowd := d.Objects(i)
		sx, sy := float32(s.W)/float32(d.Image(i).Width), float32(s.H)/float32(d.Image(i).Height)
		var marks []picture.Mark
		for j, b := range boxes {
			label := categories[classes[j]].Name
			if crowd[j] {
				label += " (crowd)"
			}
			marks = append(marks, picture.Mark{Box: b.Scale(sx, sy), Label: label, Color: int(classes[j])})
		}
		if err := picture.Draw(small, marks); err != nil {
			return err
		}
		sheet.Paste(small, k%columns*(cell+gap), k/columns*(cell+gap))
	}
	if dir := filepath.Dir(c.String("out")); dir != "." {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := sheet.WriteJPEG(c.String("out"), 92); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %d pictures\n", c.String("out"), n-broken)
	if broken > 0 {
		return partial("%d pictures could not be read", broken)
	}
	return nil
}
