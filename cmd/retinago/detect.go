package main

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	"retinago/infer"
	"retinago/nms"
	"retinago/picture"
)

func detectCommand() *cli.Command {
	return &cli.Command{
		Name:  "detect",
		Usage: "find objects on pictures",
		Description: "Sources are pictures, folders (with all below) and globs. Annotated copies go to -out under the same names, as JPEG.\n" +
			"With -json the detections are written in COCO's results format; image ids are those of -data where it is given, else\n" +
			"the pictures are numbered from 1 in the order of the summary.\n" +
			"A picture that cannot be read is reported by name and left out; the exit code is 3 then.\n\n" +
			"   retinago detect -weights best.safetensors -source street.jpg -out found\n" +
			"   retinago detect -weights retinanet_resnet50_fpn_coco -source street.jpg -out found\n" +
			"   retinago detect -weights best.safetensors -source photos 'more/*.png' -out found -score .4 -json found.json",
		Flags: append(sourceFlags(),
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
			&cli.StringSliceFlag{Name: "source", Usage: "`PATH`s of pictures, folders or globs", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`DIR` for annotated pictures"},
			&cli.StringFlag{Name: "json", Usage: "`FILE` for the detections"},
			&cli.StringFlag{Name: "data", Usage: "dataset `PATH` that knows the pictures by file name, for -json: " + whereData},
			&cli.Float64Flag{Name: "score", Usage: "least score to report", Value: .5},
			&cli.Float64Flag{Name: "nms", Usage: "IoU above which the lower score of a class goes", DefaultText: "of the checkpoint"},
			&cli.StringFlag{Name: "method", Usage: "how boxes of one object are thinned out: " + strings.Join(nms.Kinds(), ", "), DefaultText: "of the checkpoint"},
			deviceFlag(), tf32Flag(),
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores"},
			&cli.BoolFlag{Name: "fast-decode", Usage: "read JPEGs at 1/2, 1/4 or 1/8 where they are scaled down by as much (data.fast_decode); annotated copies stay whole"},
			&cli.BoolFlag{Name: "times", Usage: "print where the time went"},
			mirrorFlag(), cacheFlag(),
		),
		Action: detect,
	}
}

func detect(c *cli.Context) error {
	if c.String("out") == "" && c.String("json") == "" {
		return usage("detect wants -out for pictures, -json for detections, or both")
	}
	score := c.Float64("score")
	if score <= 0 || score >= 1 {
		return usage("detect: -score %g: give a number between 0 and 1", score)
	}
	files, err := infer.Files(c.StringSlice("source"))
	if err != nil {
		return err
	}
	ids, err := imageIDs(c, files)
	if err != nil {
		return err
	}
	if err := (nms.Method{Kind: c.String("method")}).Check(); err != nil {
		return usage("detect: -method: %v", err)
	}
	o := infer.Options{Device: c.String("device"), TF32: c.Bool("tf32"), Threads: c.Int("threads"), Score: &score, Method: c.String("method"), FastDecode: c.Bool("fast-decode")}
	if c.IsSet("nms") {
		v := c.Float64("nms")
		o.NMS = &v
	}
	path, err := checkpoint(c)
	if err != nil {
		return err
	}
	p, err := infer.Load(path, o)
	if err != nil {
		return err
	}
	defer p.Close()

	results, err := detectAll(c, p, files, ids)
	if err != nil {
		return err
	}
	if path := c.String("json"); path != "" {
		if err := coco.SaveResults(path, results.found); err != nil {
			return err
		}
	}
	took := time.Since(results.begin)
	fmt.Fprintf(c.App.Writer, "%d pictures, %d objects in %s\n", results.n, len(results.found), took.Round(time.Millisecond))
	if c.Bool("times") {
		results.print(c.App.Writer, took)
	}
	if results.broken > 0 {
		return partial("%d of %d pictures could not be read", results.broken, len(files))
	}
	return nil
}

// findings add up what was found and where the time went.
type findings struct {
	found     []coco.Detection
	n, broken int
	begin     time.Time
	times     infer.Times
}

// detectAll runs all files, reports each, and writes annotated copies below -out, if that is given. Where it is interrupted
// it says so and returns what is done.
func detectAll(c *cli.Context, p *infer.Predictor, files []infer.File, ids []int64) (*findings, error) {
	var o infer.StreamOptions
	if out := c.String("out"); out != "" {
		o.Then = func(r infer.Result, pic *picture.Picture) error {
			return infer.WriteAnnotated(filepath.Join(out, files[r.Index].Name), pic, r.Found)
		}
	}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	all := &findings{begin: time.Now()}
	for r, err := range p.Stream(c.Context, paths, o) {
		switch {
		case err != nil && c.Context.Err() != nil:
			fmt.Fprintf(c.App.ErrWriter, "interrupted after %d of %d pictures\n", all.n+all.broken, len(files))
			return all, nil
		case err != nil:
			return nil, err
		case r.Broken != nil:
			all.broken++
			fmt.Fprintf(c.App.ErrWriter, "skipped: %v\n", r.Broken)
			continue
		}
		all.add(r, ids[r.Index])
		fmt.Fprintf(c.App.Writer, "%s: %d objects%s\n", r.Path, len(r.Found), tally(r.Found))
	}
	return all, nil
}

func (f *findings) add(r infer.Result, id int64) {
	f.n++
	for _, d := range r.Found {
		f.found = append(f.found, coco.Detection{ImageID: id, CategoryID: d.Category.ID, Score: float64(d.Score),
			BBox: [4]float64{float64(d.Box.X1), float64(d.Box.Y1), float64(d.Box.W()), float64(d.Box.H())}})
	}
	f.times.Add(r.Times)
}

// print shows each stage's time and its share of the time that passed. Stages overlap: the shares add up to more than the
// whole where they do.
func (f *findings) print(w io.Writer, took time.Duration) {
	t := f.times
	for _, v := range []struct {
		what string
		t    time.Duration
	}{{"decode", t.Read}, {"prepare", t.Prepare}, {"network", t.Network}, {"boxes", t.Decode}, {"NMS", t.NMS}, {"draw and write", t.Write}} {
		fmt.Fprintf(w, "  %-15s %9.3f s %9.2f ms per picture %6.1f%%\n", v.what, v.t.Seconds(), 1e3*v.t.Seconds()/float64(max(f.n, 1)), 100*v.t.Seconds()/took.Seconds())
	}
	fmt.Fprintf(w, "  %-15s %9.3f s %9.2f pictures/s\n", "all, overlapped", took.Seconds(), float64(f.n)/took.Seconds())
}

// tally counts detections by class, in order of appearance.
func tally(found []infer.Detection) string {
	count := map[string]int{}
	var names []string
	for _, d := range found {
		if count[d.Category.Name] == 0 {
			names = append(names, d.Category.Name)
		}
		count[d.Category.Name]++
	}
	out := ""
	for i, n := range names {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		out += fmt.Sprintf("%s%d %s", sep, count[n], n)
	}
	return out
}

// imageIDs gives each file its id in a dataset, by file name, or its number from 1.
func imageIDs(c *cli.Context, files []infer.File) ([]int64, error) {
	ids := make([]int64, len(files))
	src, err := source(c, c.String("data"))
	if err != nil {
		return nil, err
	}
	if src.Path == "" {
		for i := range ids {
			ids[i] = int64(i + 1)
		}
		return ids, nil
	}
	d, _, err := src.Open()
	if err != nil {
		return nil, err
	}
	byName := map[string]int64{}
	for _, im := range d.Images {
		byName[im.FileName] = im.ID
		if base := filepath.Base(im.FileName); byName[base] == 0 {
			byName[base] = im.ID
		}
	}
	for i, f := range files {
		id, ok := byName[filepath.ToSlash(f.Name)]
		if !ok {
			id, ok = byName[filepath.Base(f.Path)]
		}
		if !ok {
			return nil, fmt.Errorf("%s: %s is not among its images: %w; leave -data out to number the pictures", d.Path, f.Path, fs.ErrNotExist)
		}
		ids[i] = id
	}
	return ids, nil
}
