package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/internal/dataset/data"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	shown "retinago/internal/text"
)

func dataCommand() *cli.Command {
	return &cli.Command{
		Name:  "data",
		Usage: "make, check and describe datasets",
		Subcommands: append([]*cli.Command{
			{
				Name:  "shapes",
				Usage: "make a synthetic dataset of coloured shapes in COCO format",
				Description: "Writes DIR/train, DIR/val, DIR/train.json and DIR/val.json; equal seeds make equal data.\n\n" +
					"   retinago data shapes -out data/shapes\n" +
					"   retinago data shapes -out data/sparse -train 2000 -max-objects 2 -max-size 40 -seed 7",
				Flags:  shapesFlags(),
				Action: dataShapes,
			},
			{
				Name:  "check",
				Usage: "list the faults of a dataset, and repair them",
				Description: "Checks ids, boxes, areas and names, and that every picture is there, whole and of the size in the dataset;\n" +
					"for COCO's JSON with -images. -fix writes a repaired copy as COCO's JSON: clip keeps what can be kept, drop removes\n" +
					"every faulty item. The exit code is 1 while errors remain.\n\n" +
					"   retinago data check -data train.json -images train\n" +
					"   retinago data check -data VOC2012 -split train\n" +
					"   retinago data check -data train.json -images train -fix drop -out train_fixed.json",
				Flags: append(sourceFlags(), dataFlag(true),
					&cli.StringFlag{Name: "fix", Usage: "repair by `MODE` clip or drop"},
					&cli.StringFlag{Name: "out", Usage: "`FILE` for the repaired copy, COCO's JSON"},
				),
				Action: dataCheck,
			},
			{
				Name:        "stats",
				Usage:       "count pictures, boxes, classes and sizes",
				Description: "   retinago data stats -data train.json",
				Flags:       append(sourceFlags(), dataFlag(true)),
				Action: func(c *cli.Context) error {
					s, err := source(c, c.String("data"))
					if err != nil {
						return err
					}
					d, _, err := s.Open()
					if err != nil {
						return err
					}
					_, err = fmt.Fprint(c.App.Writer, d.Stats().String())
					return err
				},
			},
		}, editCommands()...),
	}
}

func dataCheck(c *cli.Context) error {
	fix := c.String("fix")
	if (fix == "") != (c.String("out") == "") {
		return usage("data check: -fix and -out go together: how to repair, and where the copy goes")
	}
	var mode coco.Mode
	if fix != "" {
		var err error
		if mode, err = coco.ParseMode(fix); err != nil {
			return usage("data check: %v", err)
		}
	}
	s, err := source(c, c.String("data"))
	if err != nil {
		return err
	}
	s.Whole = fix != "" // else nothing is written again
	d, images, err := s.Open()
	if err != nil {
		return err
	}
	w := bufio.NewWriter(c.App.Writer)
	defer w.Flush()
	count := map[coco.Severity]int{}
	for p := range d.Problems() {
		count[p.Severity]++
		fmt.Fprintln(w, p)
	}
	bad := badFiles(d, images, func(im coco.Image, err error) {
		fmt.Fprintf(w, "error: image %d (%s): %v\n", im.ID, shown.Printable(im.FileName), err)
		w.Flush() // the next one may take a while
	})
	faults, warnings, infos := count[coco.Error]+bad.count, count[coco.Warning], count[coco.Info]
	fmt.Fprintf(w, "%s: %d images, %d boxes: %d errors, %d warnings, %d notes\n", d.Path, len(d.Images), len(d.Annotations), faults, warnings, infos)
	if fix == "" {
		if faults > 0 {
			return fmt.Errorf("%s has %d errors; repair a copy with -fix clip or -fix drop and -out FILE", d.Path, faults)
		}
		return nil
	}
	fixed, report := bad.drop(d).Fix(mode)
	if err := fixed.Save(c.String("out")); err != nil {
		return err
	}
	if n := bad.count; n > 0 {
		fmt.Fprintf(w, "%d images without a readable picture dropped, with their boxes\n", n)
	}
	fmt.Fprint(w, report.String())
	fmt.Fprintf(w, "repaired copy: %s\n", c.String("out"))
	if faults, warnings, _ := coco.CountProblems(report.Left); faults+warnings > 0 {
		return fmt.Errorf("%s still has %d problems that cannot be repaired by machine", c.String("out"), faults+warnings)
	}
	return nil
}

// fileFaults are the images whose picture is missing, broken or of another size.
type fileFaults struct {
	bad   []bool // by image
	count int
}

// badFiles reports each fault to tell, and returns which images have one.
func badFiles(d *coco.Dataset, dir string, tell func(coco.Image, error)) fileFaults {
	f := fileFaults{bad: make([]bool, len(d.Images))}
	if dir == "" {
		return f
	}
	for i, im := range d.Images {
		if err := badFile(locate.Path(dir, im.FileName), im); err != nil {
			f.bad[i] = true
			f.count++
			tell(im, err)
		}
	}
	return f
}

// badFile reports what is wrong with an image's file.
func badFile(path string, im coco.Image) error {
	if err := file.Irregular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p, err := picture.Decode(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no file %s", shown.Printable(path))
	case err != nil:
		return err
	}
	defer p.Release()
	if (p.W != im.Width || p.H != im.Height) && im.Width > 0 && im.Height > 0 {
		return fmt.Errorf("the picture is %dx%d pixels upright, the dataset says %dx%d", p.W, p.H, im.Width, im.Height)
	}
	return nil
}

// drop returns the dataset without the faulty images and their annotations.
func (f fileFaults) drop(d *coco.Dataset) *coco.Dataset {
	if f.count == 0 {
		return d
	}
	out := *d
	gone := map[int64]bool{}
	out.Images = nil
	for i, im := range d.Images {
		if f.bad[i] {
			gone[im.ID] = true
		} else {
			out.Images = append(out.Images, im)
		}
	}
	out.Annotations = nil
	for _, a := range d.Annotations {
		if !gone[a.ImageID] {
			out.Annotations = append(out.Annotations, a)
		}
	}
	return &out
}

func shapesFlags() []cli.Flag {
	d := data.ShapesOptions{}.Defaults()
	return []cli.Flag{
		&cli.StringFlag{Name: "out", Usage: "`DIR` for the dataset", Required: true},
		&cli.IntFlag{Name: "train", Usage: "pictures to train on", Value: d.Train},
		&cli.IntFlag{Name: "val", Usage: "pictures to evaluate on", Value: d.Val},
		&cli.IntFlag{Name: "size", Usage: "long side in pixels", Value: d.Size},
		&cli.IntFlag{Name: "min-objects", Usage: "least shapes on a picture that is not empty", Value: d.MinObjects},
		&cli.IntFlag{Name: "max-objects", Usage: "most shapes on a picture", Value: d.MaxObjects},
		&cli.Float64Flag{Name: "min-size", Usage: "least size of a shape in pixels", Value: d.MinSize},
		&cli.Float64Flag{Name: "max-size", Usage: "greatest size of a shape in pixels", Value: d.MaxSize},
		&cli.Float64Flag{Name: "empty", Usage: "share of pictures without shapes", Value: d.Empty},
		&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
	}
}

func dataShapes(c *cli.Context) error {
	o := data.ShapesOptions{
		Train: c.Int("train"), Val: c.Int("val"), Size: c.Int("size"), MinObjects: c.Int("min-objects"), MaxObjects: c.Int("max-objects"),
		MinSize: c.Float64("min-size"), MaxSize: c.Float64("max-size"), Empty: c.Float64("empty"), Seed: c.Uint64("seed"),
	}
	// Here every value was given: a zero does not stand for the default.
	if o.Train == 0 || o.Val == 0 || o.Size == 0 || o.MinObjects == 0 || o.MaxObjects == 0 || o.MinSize == 0 || o.MaxSize == 0 {
		return usage("data shapes: numbers of pictures and shapes, and sizes, must be above 0")
	}
	if o.Empty == 0 {
		o.Empty = -1
	}
	release, err := hold(c, []string{"out"}, nil)
	if err != nil {
		return err
	}
	defer release()
	if err := data.Shapes(c.String("out"), o); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: train.json with train, val.json with val\n", c.String("out"))
	return err
}
