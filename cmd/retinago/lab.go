package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/backbone"
	"retinago/detector"
	"retinago/infer"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/kinds"
	"retinago/internal/lab"
	"retinago/internal/lab/report"
	"retinago/internal/media/register"
)

// labCommands are the experiments of bench.
func labCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name:  "losses",
			Usage: "does focal loss help on my data, with which gamma and alpha, and why: train and measure every loss",
			Description: "Trains the config once per loss and seed, with everything else equal, and writes report.html, plots, results.json and\n" +
				"results.md to -out. Ctrl-C saves; the same command goes on, and trains nothing twice. -losses help lists the names:\n" +
				"ce-noprior, ce, ce-a.25 to ce-a.99 (balanced by alpha), fl-g0 to fl-g5 (focal, each gamma with the paper's best alpha),\n" +
				"flstar-*, ohem-*, ohem13-*, and one for each other loss.\n\n" +
				"   retinago bench losses -config configs/bench/shapes.yaml -seeds 5 -out runs/losses\n" +
				"   retinago bench losses -config my.yaml -losses 'ce-a*,fl-g*' -alphas .25,.5,.75 -out runs/losses\n" +
				"   retinago bench losses -config my.yaml -for 'ce-noprior:train.lr=.0001'",
			Flags: append(sweepFlags(),
				&cli.StringFlag{Name: "losses", Usage: "`LIST` of names or patterns with commas; help lists them", DefaultText: "all"},
				&cli.StringFlag{Name: "alphas", Usage: "`LIST` of alphas: each gamma is tried with all of them at the first seed, and goes on with the best", DefaultText: "the paper's for each gamma"},
			),
			Action: func(c *cli.Context) error {
				alphas, err := numbersWithin(c.String("alphas"), 0, 1)
				if err != nil {
					return usage("bench losses: -alphas %v", err)
				}
				return sweep(c, experiment{kind: lab.LossExperiment, title: "Which loss", variants: lab.Losses(), list: c.String("losses"), alphas: alphas})
			},
		},
		{
			Name:  "anchors",
			Usage: "how many anchors, and which of them learn: train and measure densities and thresholds",
			Description: "As bench losses, with densities of anchors (scales x ratios: 1x1 to 4x3), thresholds of the assignment (iou-.5-.4: positive\n" +
				"from .5, background below .4) and atss.\n\n" +
				"   retinago bench anchors -config configs/bench/shapes.yaml -seeds 3 -out runs/anchors",
			Flags: append(sweepFlags(), &cli.StringFlag{Name: "variants", Usage: "`LIST` of names or patterns with commas; help lists them", DefaultText: "all"}),
			Action: func(c *cli.Context) error {
				return sweep(c, experiment{kind: lab.AnchorExperiment, title: "Which anchors", variants: lab.Density(), list: c.String("variants")})
			},
		},
		{
			Name:  "scales",
			Usage: "accuracy against time: train and measure input sizes and backbones",
			Description: "As bench losses, with backbones at several short sides; the long side keeps its proportion. The report has the convex frontier.\n\n" +
				"   retinago bench scales -config configs/bench/shapes.yaml -sides 96,128,160 -backbones resnet18,resnet34 -out runs/scales",
			Flags: append(sweepFlags(),
				&cli.StringFlag{Name: "sides", Usage: "`LIST` of short sides in pixels", DefaultText: "2/3, 5/6, 1, 7/6 and 4/3 of the config's, as the paper's 400 to 800"},
				&cli.StringFlag{Name: "backbones", Usage: "`LIST` of backbones: " + strings.Join(kinds.Names(backbone.Kinds), ", "), DefaultText: "the config's"}),
			Action: benchScales,
		},
		{
			Name:  "sweep",
			Usage: "which settings suit my data: train and measure every combination of values of any keys of the configuration",
			Description: "As bench losses, with a variant for each combination of the values of all -vary lists. Values are those of -set; a comma\n" +
				"within brackets, braces or quotes belongs to a value. A variant's name joins its values, as light+lr=.001. The first one has\n" +
				"the first value of every list, and is the baseline unless -against names another.\n\n" +
				"   retinago bench sweep -vary data.augment=none,light,strong -vary train.lr=.0005,.001 -config my.yaml -seeds 5 -out runs/sweep\n" +
				"   retinago bench sweep -vary 'data.augment=none,[light, {name: rotate, degrees: 5}]' -config my.yaml\n" +
				"   retinago bench sweep -vary loss.kind=focal,varifocal -config my.yaml -for 'varifocal:loss.alpha=.75' -against varifocal",
			Flags: append(sweepFlags(),
				&cli.StringSliceFlag{Name: "vary", Usage: "values of a key to compare, `key=value,value`; again for more keys", Required: true},
				&cli.StringFlag{Name: "against", Usage: "`VARIANT` that the others are compared with: a name, or a pattern that matches one", DefaultText: "the first"}),
			Action: benchSweep,
		},
		{
			Name:  "view",
			Usage: "where a model's loss and gradient lie, over the anchors of a dataset",
			Description: "Runs a model and measures the loss of its anchors with training's labels: the cumulative loss of figure 4 for gamma 0, .5, 1 and 2, easy\n" +
				"background and the gradient that it carries, p_t, levels, sizes. Writes report.html, plots and view.json to -out.\n\n" +
				"   retinago bench view -weights best.safetensors -data val.json -images val -out runs/view",
			Flags: append(sourceFlags(), dataFlag(true),
				&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
				&cli.StringFlag{Name: "out", Usage: "`DIR` for the report", Required: true},
				&cli.IntFlag{Name: "pictures", Usage: "at most so many", Value: 200},
				deviceFlag(),
				&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
				overwriteFlag(), mirrorFlag(), cacheFlag()),
			Action: benchView,
		},
	}
}

func sweepFlags() []cli.Flag {
	return append(configFlags(), deviceFlag(),
		&cli.IntFlag{Name: "seeds", Usage: "runs of each variant", Value: 3},
		&cli.StringFlag{Name: "out", Usage: "`DIR` of the sweep", DefaultText: "runs/VERB-CONFIG"},
		&cli.IntFlag{Name: "pictures", Usage: "of the validation set that the first model of each variant is inspected on; 0 is none", Value: 40},
		overwriteFlag(),
		&cli.StringSliceFlag{Name: "for", Usage: "one more setting for some variants, `NAME:key=value`; may be given often"},
	)
}

// experiment is what a verb of bench trains and measures.
type experiment struct {
	kind     lab.Experiment
	title    string // of the report
	variants []lab.Variant
	list     string // names or patterns of the variants to run; empty is all, help lists them
	alphas   []float64
	against  string // the variant that others are compared with; empty is the best alpha-balanced cross entropy
}

// sweep runs an experiment and writes what came of it.
func sweep(c *cli.Context, e experiment) error {
	if e.list == "help" {
		_, err := fmt.Fprint(c.App.Writer, lab.Help(e.variants))
		return err
	}
	outlive()
	out := c.String("out")
	if out == "" {
		out = filepath.Join("runs", string(e.kind)+"-"+configName(c))
	}
	owner, err := file.Lock(out, c.App.ErrWriter)
	if err != nil {
		return err
	}
	defer owner.Release()
	g := register.New(register.Options{Overwrite: c.Bool("overwrite")})
	if err := pageFree(g.Folder("-out", out), "results.json", "results.md"); err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	all, err := lab.Select(e.variants, e.list)
	if err == nil {
		all, err = lab.Adjust(all, c.StringSlice("for"))
	}
	if err != nil {
		return usage("bench %s: %v", e.kind, err)
	}
	if c.Int("seeds") < 1 || c.Int("pictures") < 0 {
		return usage("bench %s: -seeds %d, -pictures %d: give at least 1 seed, and no negative number of images", e.kind, c.Int("seeds"), c.Int("pictures"))
	}
	if err := file.RemoveUnfinished(out, "results.json", "results.md", "report.html"); err != nil {
		return err
	}
	s := lab.Sweep{Base: cfg, Variants: all, Seeds: c.Int("seeds"), Alphas: e.alphas, Against: e.against, Out: out, Locked: true, Pictures: c.Int("pictures"), Timed: e.kind == lab.ScaleExperiment, Device: c.String("device"), Log: c.App.ErrWriter}
	r, err := s.Run(c.Context)
	if err != nil {
		return err
	}
	if err := r.Save(filepath.Join(out, "results.json")); err != nil {
		return err
	}
	err = file.WriteBytes(filepath.Join(out, "results.md"), []byte(r.Markdown()))
	if err != nil {
		return err
	}
	if err := savePage(out, r.Page(e.kind, e.title)); err != nil {
		return err
	}
	fmt.Fprint(c.App.Writer, r.Markdown())
	if !r.Complete {
		fmt.Fprintf(c.App.ErrWriter, "interrupted: the same command goes on; what is finished is in %s\n", out)
		return nil
	}
	fmt.Fprintf(c.App.ErrWriter, "done: %s, results.json, results.md and plots beside it\n", filepath.Join(out, "report.html"))
	return nil
}

// pageFree is the error of writing a page, and other files beside it, in a folder that has files of others under their names.
func pageFree(to *register.Folder, names ...string) error {
	for _, name := range append(names, "report.html") {
		if err := to.Check(name, 0); err != nil {
			return err
		}
	}
	return nil
}

// savePage writes a page and its plots. Plots of an earlier page, which may have had others, go, and so do parts of those that a
// kill left.
func savePage(out string, p report.Page) error {
	for _, old := range []string{"[0-9][0-9]*-*.svg", "[0-9][0-9]*-*.png", ".[0-9][0-9]*-*.tmp"} {
		old, err := filepath.Glob(filepath.Join(out, "plots", old))
		if err != nil {
			return err
		}
		for _, f := range old {
			if !file.Mine(f) && filepath.Ext(f) != ".tmp" {
				continue // a file of others
			}
			if err := file.Remove(f); err != nil {
				return err
			}
		}
	}
	if err := p.Export(filepath.Join(out, "plots")); err != nil {
		return err
	}
	return p.Save(filepath.Join(out, "report.html"))
}

func benchSweep(c *cli.Context) error {
	variants, err := lab.Grid(c.StringSlice("vary"))
	if err != nil {
		return usage("bench sweep: -vary %v", err)
	}
	for _, set := range c.StringSlice("set") {
		key, _, _ := strings.Cut(set, "=")
		if slices.ContainsFunc(variants[0].Sets, func(s string) bool { return strings.HasPrefix(s, strings.TrimSpace(key)+"=") }) {
			return usage("bench sweep: -set %s and -vary set the same key: leave out one", set)
		}
	}
	against := variants[0].Name
	if pattern := c.String("against"); pattern != "" {
		match, err := lab.Select(variants, pattern)
		if err != nil {
			return usage("bench sweep: -against: %v", err)
		}
		if len(match) > 1 {
			return usage("bench sweep: -against %s matches %d variants, such as %s and %s: name one", pattern, len(match), match[0].Name, match[1].Name)
		}
		against = match[0].Name
	}
	return sweep(c, experiment{kind: lab.GridExperiment, title: "Which settings", variants: variants, against: against})
}

func benchScales(c *cli.Context) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	side := cfg.Data.TestSide()
	given, err := numbersWithin(c.String("sides"), 16, 16384)
	if err != nil {
		return usage("bench scales: -sides %v", err)
	}
	var sides []int
	for _, v := range given {
		sides = append(sides, int(v))
	}
	if given == nil {
		for _, sixth := range []int{4, 5, 6, 7, 8} {
			sides = append(sides, (side*sixth+3)/6)
		}
	}
	backbones := []string{cfg.Model.Backbone}
	if s := c.String("backbones"); s != "" {
		backbones = strings.Split(strings.ReplaceAll(s, " ", ""), ",")
	}
	return sweep(c, experiment{kind: lab.ScaleExperiment, title: "Accuracy and time", variants: lab.Scales(backbones, sides, side, cfg.Data.MaxSide)})
}

func benchView(c *cli.Context) (err error) {
	if c.Int("pictures") < 1 {
		return usage("bench view: -pictures %d: give at least 1", c.Int("pictures"))
	}
	g, release, err := outputs(c, []string{"out"}, nil)
	if err != nil {
		return err
	}
	defer release()
	if err := pageFree(g.Folder("-out", c.String("out")), "view.json"); err != nil {
		return err
	}
	src, err := part(c, c.String("data"), convert.Training)
	if err != nil {
		return err
	}
	d, err := data.Open(src)
	if err != nil {
		return err
	}
	e, err := openDevice(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	path, err := checkpoint(c)
	if err != nil {
		return err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	var have []string
	for _, k := range d.Categories() {
		have = append(have, k.Name)
	}
	if known := info.Config.Model.Classes; !slices.Equal(have, known) {
		return fmt.Errorf("%s knows the classes %s, %s has %s: the loss needs the same names in the same order", path, infer.Brief(known), d.Path(), infer.Brief(have))
	}
	v, err := lab.Inspect(c.Context, m, info.Config, d, c.Int("pictures"))
	if err != nil {
		return err
	}
	out := c.String("out")
	if err := v.Save(filepath.Join(out, "view.json")); err != nil {
		return err
	}
	if err := savePage(out, v.Page("Where the loss lies", fmt.Sprintf("Model %s on %s.", path, d.Path()))); err != nil {
		return err
	}
	_, err = fmt.Fprint(c.App.Writer, v.String())
	return err
}
