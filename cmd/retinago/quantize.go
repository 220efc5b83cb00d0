package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	sources "retinago/internal/media/source"
	"retinago/internal/model/quant"
	shown "retinago/internal/text"
)

func quantizeCommand() *cli.Command {
	return &cli.Command{
		Name:  "quantize",
		Usage: "make an int8 checkpoint of a float one, without training",
		Description: "Runs the model on images like those that it will see, finds the range of every activation, and writes weights in 8 bits\n" +
			"with these ranges. detect and eval take the checkpoint as any other. -range chooses how ranges are found:\n" +
			"   entropy     clip where the distribution changes least (Kullback and Leibler's divergence)\n" +
			"   percentile  clip all but -percentile of the values on either side\n" +
			"   minmax      clip nothing\n" +
			"The images are those of a folder, or of a dataset (-data).\n\n" +
			"   retinago quantize -weights best.safetensors -images photos -out best_int8.safetensors\n" +
			"   retinago quantize -weights best.safetensors -data train.json -images train -out best_int8.safetensors -count 100\n" +
			"   retinago quantize -weights best.safetensors -images photos -out small.safetensors -float first",
		Flags: append(sourceFlags(), dataFlag(false),
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write", Required: true},
			&cli.IntFlag{Name: "count", Usage: "images to look at, at most", Value: 200},
			&cli.StringFlag{Name: "range", Usage: "`HOW` ranges are found: " + strings.Join(quant.Kinds(), ", "), Value: "entropy", DefaultText: "entropy; percentile where -percentile is given"},
			&cli.Float64Flag{Name: "percentile", Usage: "of the values on either side that are not clipped", Value: 99.999},
			&cli.StringFlag{Name: "float", Usage: "convolutions that stay float, separated by commas: first, last, beginnings of names (see summary), or none", Value: "first,last"},
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
			overwriteFlag(), mirrorFlag(), cacheFlag(),
		),
		Action: quantize,
	}
}

func quantize(c *cli.Context) error {
	o := quant.Options{Method: quant.Method{Kind: c.String("range"), Percentile: c.Float64("percentile")}}
	if f := c.String("float"); f != "none" {
		o.Float = strings.Split(f, ",")
	}
	if c.IsSet("percentile") && !c.IsSet("range") {
		o.Method.Kind = "percentile"
	}
	if err := o.Method.Check(); err != nil {
		return usage("quantize: %v", err)
	}
	if c.IsSet("percentile") && o.Method.Kind != "percentile" {
		return usage("quantize: -percentile is for -range percentile")
	}
	if c.Int("count") < 1 {
		return usage("quantize: -count %d: give at least 1", c.Int("count"))
	}
	out := c.String("out")
	if err := besideFloat(out, c.String("weights")); err != nil {
		return err
	}
	_, release, err := outputs(c, nil, []string{"out"})
	if err != nil {
		return err
	}
	defer release()
	files, err := calibrationFiles(c)
	if err != nil {
		return err
	}
	e, err := cpu.New(cpu.Options{Threads: c.Int("threads")})
	if err != nil {
		return err
	}
	defer e.Close()
	path, err := checkpoint(c)
	if err != nil {
		return err
	}
	from, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := besideFloat(out, path); err != nil {
		return err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Int8() != nil {
		return fmt.Errorf("%s is int8 already: quantize the float checkpoint that it was made of", path)
	}
	begin := time.Now()
	broken, err := infer.Quantize(c.Context, m, info.Config.Data, files, c.Int("count"), o, meter(c.App.ErrWriter))
	for path, err := range broken {
		fmt.Fprintf(c.App.ErrWriter, "skipped: %s: %v\n", path, err)
	}
	if err != nil {
		return err
	}
	info.Metrics = nil // they are the float model's
	if err := m.Save(out, info); err != nil {
		return err
	}
	if err := printInt8(c.App.Writer, m); err != nil {
		return err
	}
	to, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "written: %s in %s, %.1f MB of %.1f MB; measure it with: retinago eval -weights %s -data PATH\n", out, time.Since(begin).Round(time.Millisecond),
		float64(to.Size())/1e6, float64(from.Size())/1e6, out)
	if len(broken) > 0 {
		return partial("%s could not be read; others were taken in their place", shown.Count(len(broken), "image"))
	}
	return nil
}

// besideFloat is the error of writing over the float checkpoint.
func besideFloat(out, path string) error {
	from, err := os.Stat(path)
	if err != nil {
		return nil // reading it reports what is wrong
	}
	if st, err := os.Stat(out); err == nil && os.SameFile(st, from) {
		return usage("quantize: -out is the float checkpoint itself, which is still needed: give another file")
	}
	return nil
}

// calibrationFiles are the images of the dataset, or of the folder.
func calibrationFiles(c *cli.Context) ([]string, error) {
	var files []string
	if c.String("data") == "" {
		if c.String("images") == "" {
			return nil, usage("quantize wants -images, a folder of images, or -data, a dataset")
		}
		for _, f := range []string{"format", "split", "class-list", "difficult"} {
			if c.IsSet(f) {
				return nil, usage("quantize: -%s is of -data", f)
			}
		}
		return sources.Pictures([]string{c.String("images")})
	}
	s, err := part(c, c.String("data"), convert.Training)
	if err != nil {
		return nil, err
	}
	d, err := data.Open(s)
	if err != nil {
		return nil, err
	}
	for i := range d.Len() {
		files = append(files, d.File(i))
	}
	return files, nil
}

// printInt8 prints what of a model is int8.
func printInt8(w io.Writer, m *detector.Model) error {
	names, err := m.Convolutions()
	if err != nil {
		return err
	}
	s := m.Int8()
	float := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return s.Weights[n] != nil })
	_, err = fmt.Fprintf(w, "int8: %d of %d convolutions; ranges by %s on %s; float: %s\n", len(names)-len(float), len(names), s.Method, shown.Count(s.Images, "image"), strings.Join(float, " "))
	return err
}
