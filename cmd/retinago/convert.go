package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/dataset/doctor"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	shown "retinago/internal/text"
)

// editCommands make datasets of datasets.
func editCommands() []*cli.Command {
	out := &cli.StringFlag{Name: "out", Usage: "`FILE` to write", Required: true}
	return []*cli.Command{
		{
			Name:  "convert",
			Usage: "write a dataset as COCO JSON, Pascal VOC, YOLO, keras-retinanet's or OpenImages' CSV",
			Description: "Every verb reads these formats in place; this is for other programs. coco writes the JSON -out, the others write below\n" +
				"the folder -out, where -name is the part's. Parts of one YOLO dataset go into one folder. Images are not copied.\n\n" +
				"   retinago data convert -data VOC2012 -split train -to coco -out train.json\n" +
				"   retinago data convert -data train.json -to yolo -name train -out yolo\n" +
				"   retinago data convert -data validation-annotations-bbox.csv -class-list class-descriptions-boxable.csv -images validation \\\n" +
				"      -to coco -out val.json",
			Flags: append(sourceFlags(), dataFlag(true), classesFlag(), renameFlag(),
				&cli.StringFlag{Name: "to", Usage: "`FORMAT` to write: " + strings.Join(convert.Formats(), ", "), Value: "coco"},
				&cli.StringFlag{Name: "name", Usage: "`NAME` of the part that is written, such as train", Value: "train"},
				&cli.StringFlag{Name: "out", Usage: "`PATH` to write", Required: true},
				overwriteFlag(),
			),
			Action: dataConvert,
		},
		{
			Name:  "split",
			Usage: "divide a dataset at random, class by class",
			Description: "Equal seeds make equal parts.\n\n" +
				"   retinago data split -data all.json -share .2 -out val.json -rest train.json",
			Flags: append(sourceFlags(), dataFlag(true), out, classesFlag(), renameFlag(),
				&cli.Float64Flag{Name: "share", Usage: "of the images that go to -out", Value: .2},
				&cli.StringFlag{Name: "rest", Usage: "`FILE` for the other images", Required: true},
				&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
			),
			Action: func(c *cli.Context) error {
				d, _, err := openWhole(c, c.String("data"))
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
			Description: "Images and objects are numbered anew. File names must differ between the datasets. Other flags hold for each of them.\n\n" +
				"   retinago data merge -data a.json -data b.json -out both.json",
			Flags: append(sourceFlags(), out, classesFlag(), renameFlag(), &cli.StringSliceFlag{Name: "data", Usage: "dataset `PATH`, given for each: " + whereData, Required: true}),
			Action: func(c *cli.Context) error {
				var all []*coco.Dataset
				for _, path := range c.StringSlice("data") {
					d, _, err := openWhole(c, path)
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
			Flags: append(sourceFlags(), dataFlag(true), out, renameFlag(),
				&cli.StringFlag{Name: "classes", Usage: "`NAMES` to keep, separated by commas", DefaultText: "all"},
				&cli.IntFlag{Name: "most", Usage: "images", DefaultText: "all"},
				&cli.BoolFlag{Name: "empty", Usage: "keep images without such objects too"},
			),
			Action: func(c *cli.Context) error {
				d, _, err := openWhole(c, c.String("data"))
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
		tileCommand(),
		{
			Name:  "draw",
			Usage: "draw images with their boxes onto one sheet, or batches as training makes them",
			Description: "-augment N draws the first N batches of a configuration's training as the network gets them, after its policies\n" +
				"(data.augment), one file each. Boxes of objects that no anchor learns have a note.\n\n" +
				"   retinago data draw -data train.json -images train -out sheet.jpg\n" +
				"   retinago data draw -data data.yaml -split train -out sheet.jpg\n" +
				"   retinago data draw -data runs/my -out sheet.jpg\n" +
				"   retinago data draw -config my.yaml -set data.augment=strong -augment 2 -out batches",
			Flags: append(append(sourceFlags(), dataOrRunFlag(false), classesFlag(), renameFlag(),
				&cli.StringFlag{Name: "out", Usage: "`PATH` to write: a .jpg or .png, with -augment a folder", Required: true},
				&cli.IntFlag{Name: "count", Usage: "images, drawn at random", Value: 12},
				&cli.IntFlag{Name: "size", Usage: "longer side of each image on the sheet in `PIXELS`; more shows small objects better", Value: 320},
				&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
				&cli.IntFlag{Name: "augment", Usage: "draw `N` batches of -config"},
				overwriteFlag(),
			), configFlags()...),
			Action: dataDraw,
		},
	}
}

// openWhole reads a dataset with everything that is to be written again.
func openWhole(c *cli.Context, path string) (d *coco.Dataset, images string, err error) {
	s, err := part(c, path, convert.Described)
	if err != nil {
		return nil, "", err
	}
	s.Whole = true
	d, images, err = s.Open()
	if err == nil {
		sayLeftOut(c, d)
	}
	return d, images, err
}

// sayLeftOut says what was assumed of a dataset, and how many of its items could not be read.
func sayLeftOut(c *cli.Context, d *coco.Dataset) {
	for _, p := range d.Notes {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s: %s; %s\n", d.Path, p.Seen, p.Advice)
	}
	if n := doctor.LeftOut(d); n > 0 {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s: left out: %s, which `data check` lists, such as: %s\n", d.Path, shown.Count(n, "item"), d.Dropped[0].Seen)
	}
}

func save(c *cli.Context, d *coco.Dataset, path string) error {
	if err := d.Save(path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s: %s, %s, %s\n", path, shown.Count(len(d.Images), "image"), shown.Count(len(d.Annotations), "box"), shown.Count(len(d.Categories), "category"))
	return err
}

func dataConvert(c *cli.Context) error {
	to, out, name := c.String("to"), c.String("out"), c.String("name")
	if !slices.Contains(convert.Formats(), to) {
		return usage("data convert: -to %s; there are %s", to, strings.Join(convert.Formats(), ", "))
	}
	if err := file.WellNamed(name); err != nil {
		return usage("data convert: -name %q: %v", name, err)
	}
	if to == "coco" && c.IsSet("name") {
		return usage("data convert: -name %s: coco writes the file -out alone", name)
	}
	folders, files := []string{"out"}, []string(nil)
	if to == "coco" {
		folders, files = files, folders
	}
	g, release, err := outputs(c, folders, files)
	if err != nil {
		return err
	}
	defer release()
	s, err := part(c, c.String("data"), convert.Described)
	if err != nil {
		return err
	}
	s.Whole = to == "coco" // the others have no place for more than boxes
	if found, err := s.WithImages(); err == nil && to != "coco" {
		s = found // only to name their folder: the images may be elsewhere
	}
	d, images, err := s.Open()
	if err != nil {
		return err
	}
	sayLeftOut(c, d)
	crowds := 0
	switch to {
	case "coco":
		if err := save(c, d, out); err != nil {
			return err
		}
		if images != "" {
			fmt.Fprintf(c.App.Writer, "images: %s\n", images)
		}
		return nil
	case "voc":
		err = convert.WriteVOC(d, out, name)
	case "yolo":
		crowds, err = convert.WriteYOLO(d, out, name, c.Bool("overwrite"))
	case "csv":
		var f []string
		if f, err = below(g.Folder("-out", out), name+".csv", "classes.csv"); err == nil {
			crowds, err = convert.WriteCSV(d, f[0], f[1])
		}
	case "openimages":
		var f []string
		if f, err = below(g.Folder("-out", out), name+"-annotations-bbox.csv", "class-descriptions-boxable.csv", name+"-images.csv"); err == nil {
			err = convert.WriteOpenImages(d, f[0], f[1], f[2])
		}
	}
	if err != nil {
		return err
	}
	if crowds > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%d crowd regions were left out: %s has no place for them\n", crowds, to)
	}
	if images == "" {
		images = "the images"
	} else {
		images = "those of " + images
	}
	advice := ""
	switch to {
	case "yolo":
		advice = fmt.Sprintf(": put %s into %s", images, filepath.Join(out, "images", name))
	case "voc":
		advice = fmt.Sprintf(": put %s into %s", images, filepath.Join(out, "JPEGImages"))
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %s; image files are not copied%s\n", out, shown.Count(len(d.Images), "image"), advice)
	return err
}

// below are the paths of files below a folder.
func below(dir *register.Folder, names ...string) ([]string, error) {
	paths := make([]string, len(names))
	for i, n := range names {
		var err error
		if paths[i], err = dir.Path(n, n, 0); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func dataDraw(c *cli.Context) error {
	if c.IsSet("augment") {
		return drawBatches(c)
	}
	if c.IsSet("config") || c.IsSet("set") || c.String("data") == "" {
		return usage("data draw: give a dataset, -data PATH, or a configuration with the number of batches to draw, -config FILE -augment N")
	}
	_, release, err := outputs(c, nil, []string{"out"})
	if err != nil {
		return err
	}
	defer release()
	var write func(*picture.Picture) error
	switch out := c.String("out"); strings.ToLower(filepath.Ext(out)) {
	case ".jpg", ".jpeg":
		write = func(p *picture.Picture) error { return p.WriteJPEG(out, 92) }
	case ".png":
		write = func(p *picture.Picture) error { return p.WritePNG(out) }
	default:
		return usage("data draw: -out %s: give a name that ends in .jpg or .png", out)
	}
	all, _, err := sourceOrRun(c)
	if err != nil {
		return err
	}
	s, err := onePart(c, all[0], convert.Described)
	if err != nil {
		return err
	}
	d, err := data.Open(s)
	if err != nil {
		return err
	}
	n, size := min(c.Int("count"), d.Len()), c.Int("size")
	if n < 1 {
		return usage("data draw: -count %d: give at least 1", c.Int("count"))
	}
	if size < leastCell || size > mostCell {
		return usage("data draw: -size %d: give %d to %d", size, leastCell, mostCell)
	}
	if high := (n+columns-1)/columns*(size+gap) - gap; high > mostHigh {
		return usage("data draw: -count %d, -size %d: the sheet may be %d pixels high, more than the %d of a JPEG: give less of one", n, size, high, mostHigh)
	}
	sheet := sheet{cell: size}
	broken := 0
	for _, i := range rand.New(rand.NewPCG(c.Uint64("seed"), 0)).Perm(d.Len())[:n] {
		p, err := annotated(d, i, size)
		if err != nil {
			fmt.Fprintf(c.App.ErrWriter, "skipped: %v\n", err)
			broken++
			continue
		}
		sheet.add(p)
	}
	if broken == n {
		return fmt.Errorf("data draw: none of %d images of %s could be read: give their folder with -images", n, c.String("data"))
	}
	if dir := filepath.Dir(c.String("out")); dir != "." {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := write(sheet.picture()); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %s\n", c.String("out"), shown.Count(n-broken, "image"))
	if broken > 0 {
		return partial("%s could not be read", shown.Count(broken, "image"))
	}
	return nil
}
