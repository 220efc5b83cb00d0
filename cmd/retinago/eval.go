package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/lab/report"
	shown "retinago/internal/text"
	"retinago/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure COCO's twelve numbers, of a model or of a results file",
		Description: "Either a model on a dataset, or detections against ground truth (the metric alone). Classes of a model are matched\n" +
			"with the dataset's categories by name; what only one of them has is listed and not measured. -tile, -flip and -scales measure what\n" +
			"detect finds with these flags.\n\n" +
			"   retinago eval runs/masks\n" +
			"   retinago eval runs/masks -split test\n" +
			"   retinago eval -weights runs/masks/best.safetensors -data val.json -images val\n" +
			"   retinago eval -weights runs/masks/best.safetensors -data val.json -images val -classes -errors\n" +
			"   retinago eval -weights runs/masks/best.safetensors -data val.json -images val -report masks.html\n" +
			"   retinago eval -weights runs/cells/best.safetensors -data VOC2012 -split val\n" +
			"   retinago eval -weights runs/ships/best.safetensors -data val.json -images val -tile 1024 -overlap .25\n" +
			"   retinago eval -gt instances_val2017.json -dt results.json -json metrics.json",
		Flags: append(append(sourceFlags(), viewFlags()...), dataFlag(false),
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)"},
			&cli.StringSliceFlag{Name: "class", Usage: "`NAMES` of the dataset's classes to measure, separated by commas, or again for more", DefaultText: "all that the model knows"},
			&cli.StringSliceFlag{Name: "rename", Usage: "with -data: call a class of the dataset by the model's name for it, `OLD=NEW`; again for more: classes that get one name become one"},
			&cli.StringFlag{Name: "gt", Usage: "COCO instances `JSON` as ground truth"},
			&cli.StringFlag{Name: "dt", Usage: "COCO results `JSON` to be measured"},
			&cli.StringFlag{Name: "json", Usage: "write the numbers to `FILE`: stats at full precision, classes, precision arrays"},
			&cli.StringFlag{Name: "report", Usage: "write one HTML `FILE` with numbers, curves, scores to ask for, confusion and kinds of errors"},
			&cli.StringFlag{Name: "results", Usage: "write the model's detections to `FILE` in COCO's results format"},
			ignoreFlag(), skipHeadersFlag(),
			deviceFlag(), precisionFlag(),
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
			convolutionsFlag("fixed"),
			&cli.BoolFlag{Name: "fast-decode", Usage: "as detect's, whatever the checkpoint has"},
			&cli.BoolFlag{Name: "classes", Usage: "print a line per class too"},
			&cli.BoolFlag{Name: "errors", Usage: "print what goes wrong: kinds of errors, confusion matrix"},
			&cli.Float64Flag{Name: "errors-score", Usage: "least score of the detections that -errors and the report's confusion look at", Value: .3},
			mirrorFlag(), cacheFlag(),
		),
		Action: func(c *cli.Context) error {
			model := c.String("weights") != "" && (c.String("data") != "" || isRun(c.String("weights")))
			metric := c.String("gt") != "" && c.String("dt") != ""
			switch {
			case model && !metric && c.String("gt") == "" && c.String("dt") == "":
				return evalModel(c)
			case metric && c.String("weights") == "":
				return evalResults(c)
			}
			if w := c.String("weights"); w != "" && c.String("data") == "" {
				return usage("eval: %s is not the folder of a run, which has a %s: give one, or -data with the dataset to measure on", w, train.ConfigFile)
			}
			return usage("eval wants the folder of a run, or -weights and -data, or -gt and -dt")
		},
	}
}

func evalResults(c *cli.Context) error {
	if _, err := source(c, ""); err != nil {
		return err
	}
	for _, f := range viewFlags() {
		if name := f.Names()[0]; c.IsSet(name) {
			return usage("eval: -%s is of a model: give -weights and -data", name)
		}
	}
	sel, err := selected(c, "class")
	if err != nil {
		return err
	}
	gt, err := coco.Load(c.String("gt"))
	if err == nil {
		gt, err = sel.Of(gt)
	}
	if err != nil {
		return err
	}
	dt, err := coco.LoadResults(c.String("dt"))
	if err != nil {
		return err
	}
	return measure(c, gt, dt, nil)
}

func evalModel(c *cli.Context) error {
	choice, err := evalViews(c)
	if err != nil {
		return err
	}
	d, err := evalData(c)
	if err != nil {
		return err
	}
	path, err := checkpoint(c)
	if err != nil {
		return err
	}
	info, err := detector.ReadInfo(path)
	if err != nil {
		return err
	}
	p, err := infer.Load(path, infer.Options{Device: c.String("device"), Precision: c.String("precision"), Threads: c.Int("threads"),
		Score: &info.Config.Infer.Score, FastDecode: c.Bool("fast-decode"), Choice: choice})
	if err != nil {
		return err
	}
	defer p.Close()
	if err := useConvolutions(c, p.Model().Engine(), cpu.Fixed); err != nil {
		return err
	}
	classes, err := infer.MatchClasses(info.Config.Model.Classes, d.Categories())
	if err != nil {
		return fmt.Errorf("%s on %s: %w", path, d.Path(), err)
	}
	if classes.Renamed() && !c.Bool("ignore-findings") {
		return fmt.Errorf("%s knows %s, and %s has %s instead: are they the same under other names? Give the dataset's the model's names, as with -rename %q, or measure the other classes alone with -ignore-findings",
			path, infer.Brief(classes.ModelOnly), d.Path(), infer.Brief(classes.DatasetOnly), classes.DatasetOnly[0]+"="+classes.ModelOnly[0])
	}
	notice := *classes
	if c.IsSet("class") { // the others were not asked for
		notice.ModelOnly = nil
	}
	fmt.Fprint(c.App.ErrWriter, &notice)
	begin := time.Now()
	var ev *infer.Evaluation
	if choice.Views() {
		ev, err = p.Evaluate(c.Context, d, meter(c.App.ErrWriter))
	} else {
		ev, err = infer.Evaluate(c.Context, p.Model(), p.Info().Config, d, meter(c.App.ErrWriter))
	}
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if path := c.String("results"); path != "" {
		if err := coco.SaveResults(path, ev.Detections); err != nil {
			return err
		}
	}
	if err := measure(c, classes.Measured(d.COCO()), ev.Detections, ev.Broken); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s in %s: network %s, boxes and NMS %s", shown.Count(d.Len(), "image"), took.Round(time.Millisecond), ev.Network.Round(time.Millisecond),
		ev.Decode.Round(time.Millisecond))
	if !choice.Views() {
		fmt.Fprintf(c.App.Writer, ", waiting for images %s", ev.Wait.Round(time.Millisecond))
	}
	fmt.Fprintln(c.App.Writer)
	if len(ev.Broken) > 0 {
		for path, err := range ev.Broken {
			fmt.Fprintf(c.App.ErrWriter, "%s: %v\n", path, err)
		}
		return partial("%s could not be read; their objects count as missed", shown.Count(len(ev.Broken), "image"))
	}
	return nil
}

// evalViews returns the views that a model is measured in.
func evalViews(c *cli.Context) (infer.Choice, error) {
	v, err := views(c)
	switch {
	case err != nil:
		return v, err
	case c.IsSet("overlap") && v.Tile == 0:
		return v, usage("eval: -overlap is of tiles: give -tile too")
	case c.IsSet("merge") && !v.Views():
		return v, usage("eval: -merge is of several views: give -tile, -flip or -scales too")
	}
	return v, nil
}

// evalData opens the dataset of -data, or the one that a run measures on, with the classes of -class.
func evalData(c *cli.Context) (*data.Dataset, error) {
	sel, err := selected(c, "class")
	if err != nil {
		return nil, err
	}
	d, err := evalWhole(c)
	if err != nil {
		return nil, err
	}
	return d.Select(convert.Selection{Keep: sel.Keep})
}

// evalWhole opens the dataset with all classes.
func evalWhole(c *cli.Context) (*data.Dataset, error) {
	folder := c.String("weights")
	run := data.Run{Log: c.App.ErrWriter, Ignore: c.Bool("ignore-findings"), SkipHeaders: c.Bool("skip-headers")}
	if c.String("data") != "" {
		s, err := part(c, c.String("data"), convert.Measuring)
		if err != nil {
			return nil, err
		}
		return data.OpenFor(c.Context, s, run)
	}
	if err := ofData(c, "images", "format", "class-list", "difficult", "rename"); err != nil {
		return nil, err
	}
	cfg, err := config.Load(filepath.Join(folder, train.ConfigFile), nil)
	if err != nil {
		return nil, err
	}
	if c.IsSet("split") {
		s, err := partOfRun(cfg.Data, c.String("split"))
		if err != nil {
			return nil, err
		}
		return data.OpenFor(c.Context, s, run)
	}
	if cfg.Data.Val.Source != "" {
		return data.OpenFor(c.Context, data.Source(cfg.Data, cfg.Data.Val), run)
	}
	if cfg.Data.ValShare == 0 {
		return nil, fmt.Errorf("%s: the run has no validation set: give the dataset to measure on with -data", folder)
	}
	all, err := data.OpenFor(c.Context, data.Source(cfg.Data, cfg.Data.Train), run)
	if err != nil {
		return nil, err
	}
	_, val, err := all.HoldOut(cfg.Data.ValShare, cfg.Data.ValSeed)
	return val, err
}

// partOfRun is the named part of the dataset that a run measures on, or of the one that it trains on if it has no other.
func partOfRun(c config.Data, name string) (convert.Source, error) {
	set := c.Val
	if set.Source == "" {
		set = c.Train
	}
	s, err := data.Source(c, set).Part(name)
	s.Select.Absent = true // a part may lack classes
	return s, err
}

// measure prints and writes what the flags ask for. Broken images, by path, are named in the report.
func measure(c *cli.Context, gt *coco.Dataset, dt []coco.Detection, broken map[string]error) error {
	r, err := coco.Evaluate(gt, dt, coco.Params{})
	if err != nil {
		return err
	}
	if r.Unknown > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%d detections are of categories that the ground truth does not have; they do not count\n", r.Unknown)
	}
	if slices.ContainsFunc(gt.Annotations, func(a coco.Annotation) bool { return a.ID == 0 }) {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s has an annotation whose id is 0. As in pycocotools, a detection that fits it counts as wrong; `data check -fix clip` numbers from 1\n", gt.Path)
	}
	fmt.Fprint(c.App.Writer, r.String())
	if c.Bool("classes") {
		fmt.Fprint(c.App.Writer, r.Table())
	}
	var wrong *coco.Errors
	if c.Bool("errors") || c.String("report") != "" {
		if wrong, err = coco.Analyse(gt, dt, coco.ErrorParams{Score: c.Float64("errors-score")}); err != nil {
			return err
		}
	}
	if c.Bool("errors") {
		fmt.Fprint(c.App.Writer, wrong)
	}
	if path := c.String("json"); path != "" {
		if err := r.Save(path); err != nil {
			return err
		}
	}
	if path := c.String("report"); path != "" {
		scores, err := coco.ByScore(gt, dt, coco.Params{})
		if err != nil {
			return err
		}
		e := report.Evaluation{Title: "Evaluation", Lead: measured(c, gt), Result: r, Scores: scores, Errors: wrong, Broken: broken}
		return e.Page().Save(path)
	}
	return nil
}

// measured describes what was measured on what.
func measured(c *cli.Context, gt *coco.Dataset) string {
	what := fmt.Sprintf("Detections %s against %s", c.String("dt"), gt.Path)
	if weights := c.String("weights"); weights != "" {
		what = fmt.Sprintf("Model %s on %s", weights, gt.Path)
		for _, f := range viewFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				what += fmt.Sprintf(", -%s %v", name, c.Value(name))
			}
		}
	}
	if images := c.String("images"); images != "" {
		what += ", images in " + images
	}
	return fmt.Sprintf("%s: %s, %s.", what, shown.Count(len(gt.Images), "image"), shown.Count(len(gt.Annotations), "object"))
}
