package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/model/interop"
	"retinago/internal/model/weights"
	shown "retinago/internal/text"
)

func weightsCommand() *cli.Command {
	return &cli.Command{
		Name:  "weights",
		Usage: "read checkpoints of other projects, write them for others, look into them",
		Subcommands: []*cli.Command{
			{
				Name:  "import",
				Usage: "turn another project's detector into a checkpoint",
				Description: "Reads torchvision's RetinaNets (retinanet_resnet50_fpn, _v2, and others of its making), detectron2's (its model\n" +
					"zoo's .pkl, or a .pth that it saved) and mmdetection's. A classifier of torchvision becomes a file for\n" +
					"train.init_weights.\n" +
					"Differences between projects are derived from names and shapes, printed, and saved with the weights. Nothing in a file is executed.\n\n" +
					"   retinago weights import retinanet_resnet50_fpn_coco-eeacb38b.pth -out retinanet_coco.safetensors\n" +
					"   retinago weights import mine.pth -classes background,cat,dog -out mine.safetensors",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "file", Usage: "checkpoint `FILE` of another project; the name alone does as well", Required: true},
					&cli.StringFlag{Name: "out", Usage: "safetensors `FILE` to write", Required: true},
					&cli.StringFlag{Name: "from", Usage: "`PROJECT` that wrote it: " + strings.Join(interop.Projects(), ", "), DefaultText: "recognised by the file"},
					&cli.StringFlag{Name: "classes", Usage: "`NAMES` in the order of the logits, separated by commas; \"background\" first drops the first logit", DefaultText: "the file's"},
					&cli.StringFlag{Name: "ids", Usage: "category ids of the classes, separated by commas, as the dataset has them", DefaultText: "the file's, or from 1"},
					&cli.StringFlag{Name: "key", Usage: "`KEY` of the file's outer dictionary whose tensors are taken, such as model_ema", DefaultText: "the network's, before a moving average's"},
					&cli.BoolFlag{Name: "stride-in-3x3", Usage: "detectron2 trained it with STRIDE_IN_1X1 False"},
					&cli.Float64Flag{Name: "eps", Usage: "what the file's norms add to variances", DefaultText: "recognised by the file"},
					&cli.StringSliceFlag{Name: "set", Usage: "override one key of the checkpoint's config besides model.*, as in -set data.short_sides=[640]; may be given often"},
				},
				Action: weightsImport,
			},
			fetchCommand(),
			exportCommand(),
			{
				Name:  "inspect",
				Usage: "list what a file of weights holds",
				Description: "Reads safetensors, PyTorch's .pth in both forms and pickled arrays (.pkl). Nothing in a file is run. Where the file has\n" +
					"checksums, as retinago's have, every tensor is compared with its own.\n\n" +
					"   retinago weights inspect model.pth",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "file", Usage: "`FILE` of weights", Required: true}},
				Action: weightsInspect,
			},
		},
	}
}

func weightsImport(c *cli.Context) error {
	o := interop.Options{StrideIn3x3: c.Bool("stride-in-3x3"), From: c.String("from")}
	if o.From != "" && !slices.Contains(interop.Projects(), o.From) {
		return usage("weights import: -from %s: there are %s", o.From, strings.Join(interop.Projects(), ", "))
	}
	if names := c.String("classes"); names != "" {
		o.Classes = strings.Split(names, ",")
		if o.Classes[0] == "background" {
			o.Classes = o.Classes[1:]
		}
	}
	if c.IsSet("eps") {
		eps := c.Float64("eps")
		o.Eps = &eps
	}
	if text := c.String("ids"); text != "" {
		for _, field := range strings.Split(text, ",") {
			id, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
			if err != nil {
				return usage("weights import: -ids %s: %q is no whole number", text, field)
			}
			o.IDs = append(o.IDs, id)
		}
	}
	return importFile(c.App.Writer, c.String("file"), c.String("out"), c.String("key"), o, c.StringSlice("set"))
}

// importFile writes a detector of another project as a checkpoint with some keys set, a classifier as safetensors.
func importFile(w io.Writer, path, out, key string, o interop.Options, sets []string) error {
	s, err := weights.OpenKey(path, key)
	if err != nil {
		return err
	}
	defer s.Close()
	if o.From == "" && interop.Classifier(s) {
		if len(sets) > 0 {
			return usage("weights import: -set is for detectors, %s is a classifier", path)
		}
		if err := interop.Copy(s, out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s: a classifier\nwritten: %s; start from it with: retinago train -set train.init_weights=%s ...\n", path, out, out)
		return err
	}
	m, err := interop.Import(s, o)
	if err != nil {
		return err
	}
	if err := setBeyondModel(&m.Config, sets); err != nil {
		return err
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	if err := m.Save(out, e); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %s's RetinaNet with %s\n", path, m.Source, shown.Count(len(m.Categories), "class"))
	for _, n := range append(s.Notes(), m.Notes...) {
		fmt.Fprintf(w, "  %s\n", plainName(n))
	}
	_, err = fmt.Fprintf(w, "written: %s; detect with: retinago detect -weights %s -source IMAGES -out DIR\n", out, out)
	return err
}

func weightsInspect(c *cli.Context) error {
	path, err := modelOf(c.String("file"))
	if err != nil {
		return err
	}
	s, err := weights.OpenAny(path)
	if err != nil {
		return err
	}
	defer s.Close()
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	w := c.App.Writer
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	total, int8s := 0, 0
	for _, n := range s.Names() {
		dtype, shape, _ := s.Info(n)
		size := 1
		for _, d := range shape {
			size *= d
		}
		total += size
		if dtype == "I8" {
			int8s++
		}
		fmt.Fprintf(t, "%s\t%s\t%v\t%d\n", plainName(n), plainName(dtype), shape, size)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %s, %d tensors, %d elements, %d bytes\n", path, s.Format(), len(s.Names()), total, st.Size())
	for _, n := range s.Notes() {
		fmt.Fprintf(w, "  %s\n", plainName(n))
	}
	if f, ok := s.(*weights.File); ok && f.Summed() {
		if err := f.Verify(); err != nil {
			return err
		}
		fmt.Fprintf(w, "  checksums: every tensor is as it was written\n")
	}
	if int8s > 0 {
		fmt.Fprintf(w, "  int8: %d tensors are of 8-bit weights\n", int8s)
	}
	if info, err := detector.ReadInfo(path); err == nil && info.Scores != nil {
		var list []string
		for i, v := range infer.ClassScores(info) {
			list = append(list, fmt.Sprintf("%s %.3g", plainName(info.Categories[i].Name), v))
		}
		fmt.Fprintf(w, "  lowest scores to report, of the best F1 of the validation set: %s\n", strings.Join(list, ", "))
	}
	if project, err := interop.Recognise(s); err == nil {
		fmt.Fprintf(w, "  a detector of %s's form\n", project)
	}
	return nil
}

// plainName is a name of a file's for a terminal: quoted where it has characters that do not print.
func plainName(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
