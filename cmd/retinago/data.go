package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/dataset/doctor"
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
					"   retinago data shapes -out data/sparse -train 2000 -max-objects 2 -max-size 40 -seed 7\n" +
					"   retinago data shapes -out data/tail -imbalance 100\n" +
					"   retinago data shapes -out data/tiny -size 1024 -min-size 4 -max-size 12",
				Flags:  shapesFlags(),
				Action: dataShapes,
			},
			{
				Name:  "check",
				Usage: "list the faults of a dataset, and repair them",
				Description: "Checks ids, boxes, areas, names and labels, and that every image is there, whole and of the size in the dataset;\n" +
					"for COCO's JSON with -images. What it calls an error stops train and eval with the same words. -fix writes a repaired\n" +
					"copy as COCO's JSON: clip keeps what can be kept, drop removes every faulty item. The exit code is 1 while errors remain.\n\n" +
					"   retinago data check -data train.json -images train\n" +
					"   retinago data check -data VOC2012 -split train\n" +
					"   retinago data check runs/my\n" +
					"   retinago data check -data train.json -images train -fix drop -out train_fixed.json",
				Flags: append(sourceFlags(), dataOrRunFlag(true), classesFlag(), renameFlag(),
					&cli.StringFlag{Name: "fix", Usage: "repair by `MODE` clip or drop"},
					&cli.StringFlag{Name: "out", Usage: "`FILE` for the repaired copy, COCO's JSON"},
					overwriteFlag(),
					&cli.BoolFlag{Name: "skip-headers", Usage: "only look for the images: do not read or decode them"},
				),
				Action: dataCheck,
			},
			{
				Name:  "stats",
				Usage: "count images, boxes, classes and sizes",
				Description: "   retinago data stats -data train.json\n" +
					"   retinago data stats runs/my",
				Flags: append(sourceFlags(), dataOrRunFlag(true), classesFlag(), renameFlag()),
				Action: func(c *cli.Context) error {
					all, _, err := sourceOrRun(c)
					if err != nil {
						return err
					}
					s, err := onePart(c, all[0], convert.Described)
					if err != nil {
						return err
					}
					d, _, err := s.Open()
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(c.App.Writer, "%s\n%s", d.Path, d.Stats())
					return err
				},
			},
		}, editCommands()...),
	}
}

// ignoreFlag goes on where a finding would spoil training or an evaluation.
func ignoreFlag() cli.Flag {
	return &cli.BoolFlag{Name: "ignore-findings", Usage: "go on although the dataset has faults that would spoil the run; they are listed"}
}

// skipHeadersFlag leaves out the comparison of sizes.
func skipHeadersFlag() cli.Flag {
	return &cli.BoolFlag{Name: "skip-headers", Usage: "do not read the headers of the images, which compares their sizes with the dataset's"}
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
		if same(c.String("out"), c.String("data")) {
			return usage("data check: -out %s is the dataset itself: give the copy another name", c.String("out"))
		}
	}
	_, release, err := outputs(c, nil, []string{"out"})
	if err != nil {
		return err
	}
	defer release()
	parts, err := datasetParts(c)
	if err != nil {
		return err
	}
	if fix != "" && len(parts) > 1 {
		return usage("data check: -fix repairs one part of a dataset, and %s has two: give the file of one, or -split", c.String("data"))
	}
	w := bufio.NewWriter(c.App.Writer)
	defer w.Flush()
	var faults []error
	for _, s := range parts {
		err := checkPart(c, w, s, fix, mode)
		faults = append(faults, err)
	}
	if other := unchecked(c, parts); len(other) > 0 {
		fmt.Fprintf(w, "not checked: %s (give -split %s)\n", strings.Join(other, ", "), other[0])
	}
	return errors.Join(faults...)
}

// unchecked are the parts of -data that are not checked, where none is named.
func unchecked(c *cli.Context, parts []convert.Source) []string {
	path := c.String("data")
	if c.IsSet("split") || c.IsSet("fix") || isRun(path) {
		return nil
	}
	return convert.Source{Path: path, Format: c.String("format")}.Unread(parts)
}

// datasetParts are the datasets to check: those that a folder or file shows to belong together, or the one that the flags describe.
func datasetParts(c *cli.Context) ([]convert.Source, error) {
	all, ofRun, err := sourceOrRun(c)
	if err != nil || ofRun {
		return all, err
	}
	s := all[0]
	if s.Format != "" {
		return []convert.Source{s}, nil
	}
	train, val, err := convert.Discover(s)
	switch {
	case err != nil:
		one, _, other := s.One(convert.Measuring) // a dataset of a validation part alone
		if other != nil && isFolder(s.Path) {
			return nil, err
		}
		return []convert.Source{one}, nil // opening it reports what is wrong
	case val.Path == "" || s.Split != "":
		return []convert.Source{train}, nil
	}
	val.Select.Absent = true
	return []convert.Source{train, val}, nil
}

// checkPart lists the findings of one dataset, and repairs a copy of it.
func checkPart(c *cli.Context, w *bufio.Writer, s convert.Source, fix string, mode coco.Mode) error {
	s.Whole = fix != "" // else nothing is written again
	headers := &doctor.Headers{Log: c.App.ErrWriter, Cache: doctor.CacheFolder()}
	s.Sizer = headers
	d, images, err := s.Open()
	if err != nil {
		return err
	}
	o := doctor.Options{Images: images, Run: true}
	if !c.Bool("skip-headers") {
		o.Headers = headers
	}
	count, faulty, err := listFindings(c.Context, w, d, o)
	if err != nil {
		return err
	}
	if fix == "" {
		switch n := count[coco.Error]; {
		case n == 1 && faulty.NoPictures():
			return fmt.Errorf("%s has 1 errors: its image files are elsewhere; give their folder with -images", d.Path)
		case n > 0:
			return fmt.Errorf("%s has %s; repair a copy with -fix clip or -fix drop and -out FILE", d.Path, shown.Count(n, "error"))
		}
		return nil
	}
	fixed, report, err := faulty.Repair(d, images, mode)
	if err != nil {
		return err
	}
	if err := fixed.Save(c.String("out")); err != nil {
		return err
	}
	fmt.Fprint(w, report.String())
	fmt.Fprintf(w, "repaired copy: %s\n", c.String("out"))
	if images != "" {
		fmt.Fprintf(w, "images: %s\n", images)
	}
	if faults, warnings, _ := coco.CountProblems(report.Left); faults+warnings > 0 {
		return fmt.Errorf("%s still has %d problems that cannot be repaired by machine", c.String("out"), faults+warnings)
	}
	return nil
}

// same reports whether two paths are of one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// listFindings prints all that is wrong with a dataset, and counts it by its severity.
func listFindings(ctx context.Context, w *bufio.Writer, d *coco.Dataset, o doctor.Options) (count map[coco.Severity]int, faulty doctor.Faulty, err error) {
	count, faulty = map[coco.Severity]int{}, doctor.Faulty{}
	for p, err := range doctor.Check(ctx, d, o, faulty) {
		if err != nil {
			return nil, nil, err
		}
		count[p.Severity]++
		fmt.Fprintln(w, p)
		if len(faulty) > 0 {
			w.Flush() // the next image may take a while
		}
	}
	fmt.Fprintf(w, "%s: %s, %s: %s, %s, %s\n", d.Path, shown.Count(len(d.Images), "image"), shown.Count(len(d.Annotations), "box"),
		shown.Count(count[coco.Error], "error"), shown.Count(count[coco.Warning], "warning"), shown.Count(count[coco.Info], "note"))
	return count, faulty, nil
}

func shapesFlags() []cli.Flag {
	d := data.ShapesOptions{}.Defaults()
	return []cli.Flag{
		&cli.StringFlag{Name: "out", Usage: "`DIR` for the dataset", Required: true},
		&cli.IntFlag{Name: "train", Usage: "images to train on", Value: d.Train},
		&cli.IntFlag{Name: "val", Usage: "images to evaluate on", Value: d.Val},
		&cli.IntFlag{Name: "size", Usage: "long side in pixels", Value: d.Size},
		&cli.IntFlag{Name: "min-objects", Usage: "least shapes on an image that is not empty", Value: d.MinObjects},
		&cli.IntFlag{Name: "max-objects", Usage: "most shapes on an image", Value: d.MaxObjects},
		&cli.Float64Flag{Name: "min-size", Usage: "least size of a shape in pixels", DefaultText: fmt.Sprintf("%g, or -max-size if that is less", d.MinSize)},
		&cli.Float64Flag{Name: "max-size", Usage: "greatest size of a shape in pixels", DefaultText: fmt.Sprintf("%g, less with a -size below %d", d.MaxSize, d.Size)},
		&cli.Float64Flag{Name: "empty", Usage: "share of images without shapes", Value: d.Empty},
		&cli.Float64Flag{Name: "imbalance", Usage: "shapes of the most frequent class, circle, over those of the rarest, star, on images to train on; those to evaluate on have all alike", Value: d.Imbalance},
		&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
		overwriteFlag(),
	}
}

func dataShapes(c *cli.Context) error {
	o := data.ShapesOptions{
		Train: c.Int("train"), Val: c.Int("val"), Size: c.Int("size"), MinObjects: c.Int("min-objects"), MaxObjects: c.Int("max-objects"),
		MinSize: c.Float64("min-size"), MaxSize: c.Float64("max-size"), Empty: c.Float64("empty"), Imbalance: c.Float64("imbalance"), Seed: c.Uint64("seed"),
	}
	// A zero that was given does not stand for the default.
	if o.Train == 0 || o.Val == 0 || o.Size == 0 || o.MinObjects == 0 || o.MaxObjects == 0 || c.IsSet("min-size") && o.MinSize == 0 || c.IsSet("max-size") && o.MaxSize == 0 {
		return usage("data shapes: numbers of images and shapes, and sizes, must be above 0")
	}
	if o.Empty == 0 {
		o.Empty = -1
	}
	if o.Imbalance == 0 {
		return usage("data shapes: -imbalance 0: give 1 or more, the shapes of the most frequent class over those of the rarest")
	}
	o = o.Defaults() // sizes of shapes follow that of the images
	if err := o.Check(); err != nil {
		return usage("data shapes: %v", err)
	}
	g, release, err := outputs(c, []string{"out"}, nil)
	if err != nil {
		return err
	}
	defer release()
	if err := freeOfOthers(g.Folder("-out", c.String("out")), o); err != nil {
		return err
	}
	if err := data.Shapes(c.String("out"), o); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: train.json with train, val.json with val\n", c.String("out"))
	return err
}
