package main

import (
	"errors"
	"fmt"
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
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores"},
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
	o := infer.Options{Threads: c.Int("threads"), Score: &score, Method: c.String("method")}
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

	var results []coco.Detection
	var times stages
	broken := 0
	begin := time.Now()
	for i, f := range files {
		if c.Context.Err() != nil {
			fmt.Fprintf(c.App.ErrWriter, "interrupted after %d of %d pictures\n", i, len(files))
			break
		}
		found, err := times.picture(p, f, c.String("out"))
		var bad badPicture
		if errors.As(err, &bad) {
			broken++
			fmt.Fprintf(c.App.ErrWriter, "skipped: %v\n", err)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(c.App.Writer, "%s: %d objects%s\n", f.Path, len(found), tally(found))
		for _, d := range found {
			results = append(results, coco.Detection{ImageID: ids[i], CategoryID: d.Category.ID, Score: float64(d.Score),
				BBox: [4]float64{float64(d.Box.X1), float64(d.Box.Y1), float64(d.Box.W()), float64(d.Box.H())}})
		}
	}
	if path := c.String("json"); path != "" {
		if err := coco.SaveResults(path, results); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.App.Writer, "%d pictures, %d objects in %s\n", times.n, len(results), time.Since(begin).Round(time.Millisecond))
	if c.Bool("times") {
		times.print(c)
	}
	if broken > 0 {
		return partial("%d of %d pictures could not be read", broken, len(files))
	}
	return nil
}

// badPicture is a picture that cannot be read.
type badPicture struct{ error }

// stages adds up where the time went.
type stages struct {
	n                  int
	read, draw         time.Duration
	prepare, net       time.Duration
	decodeBoxes, doNMS time.Duration
}

// picture runs one file and writes its annotated copy below out, if that is given.
func (s *stages) picture(p *infer.Predictor, f infer.File, out string) ([]infer.Detection, error) {
	begin := time.Now()
	pic, err := picture.Decode(f.Path)
	if err != nil {
		return nil, badPicture{err}
	}
	s.read += time.Since(begin)
	found, t, err := p.PredictTimed(pic)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	s.n++
	s.prepare, s.net, s.decodeBoxes, s.doNMS = s.prepare+t.Prepare, s.net+t.Network, s.decodeBoxes+t.Decode, s.doNMS+t.NMS
	if out == "" {
		return found, nil
	}
	begin = time.Now()
	err = infer.WriteAnnotated(filepath.Join(out, f.Name), pic, found)
	s.draw += time.Since(begin)
	return found, err
}

func (s *stages) print(c *cli.Context) {
	for _, v := range []struct {
		what string
		t    time.Duration
	}{{"decode", s.read}, {"prepare", s.prepare}, {"network", s.net}, {"boxes", s.decodeBoxes}, {"NMS", s.doNMS}, {"draw and write", s.draw}} {
		fmt.Fprintf(c.App.Writer, "  %-15s %8.2f ms per picture\n", v.what, 1e3*v.t.Seconds()/float64(max(s.n, 1)))
	}
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
