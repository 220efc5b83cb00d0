package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/kinds"
	sources "retinago/internal/media/source"
	"retinago/nms"
	"retinago/track"
)

func detectCommand() *cli.Command {
	return &cli.Command{
		Name:  "detect",
		Usage: "find objects on images and in videos",
		Description: "Sources are images, videos, folders (with all below), globs, - (names on standard input, one a line), cam:N, and addresses of\n" +
			"images and streams (rtsp://, http://, https://); several, or with commas between. Annotated copies go to -out: images as JPEG, videos as mp4.\n" +
			"With -json the detections are written in COCO's results format; image ids are those of -data where it is given, else\n" +
			"images and frames are numbered from 1 in their order. -jsonl and -csv are written while detection runs.\n" +
			"-shard divides the files among jobs; results merge joins their -json.\n" +
			"No source and no file of others is replaced; -overwrite allows the latter. What lies in -out is no source.\n" +
			"An image or frame that cannot be read is reported by name and left out. A stream that breaks is opened again, and a live one drops\n" +
			"frames rather than lag. Ctrl-C ends with what is done.\n\n" +
			"Exit codes: 0 all is done, 1 error, 2 wrong usage, 3 done but some inputs could not be read or files not be written, 4 none could be read.\n\n" +
			"   retinago detect -weights best.safetensors -source street.jpg -out found\n" +
			"   retinago detect -weights retinanet_resnet50_fpn_coco -source street.mp4 -out found -track -line 0,400,1280,400\n" +
			"   retinago detect -weights best.safetensors -source photos 'more/*.png' -out found -score .4 -json found.json\n" +
			"   retinago detect -weights best.safetensors -source rtsp://10.0.0.3/live cam:0 -jsonl -",
		Flags: append(append(sourceFlags(), viewFlags()...),
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
			&cli.StringSliceFlag{Name: "source", Usage: "`WHAT` to detect on: files, folders, globs, -, cam:N, addresses", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`DIR` for annotated images and videos"},
			&cli.StringFlag{Name: "json", Usage: "`FILE` for the detections as COCO's results"},
			&cli.StringFlag{Name: "jsonl", Usage: "`FILE` for a line of JSON per image or frame; - is standard output"},
			&cli.StringFlag{Name: "csv", Usage: "`FILE` for a row per detection; - is standard output"},
			&cli.StringFlag{Name: "yolo", Usage: "`DIR` for a YOLO text file per image or frame"},
			&cli.StringFlag{Name: "crops", Usage: "`DIR` for cut out objects, by class"},
			&cli.BoolFlag{Name: "view", Usage: "show images in a window; q ends"},
			&cli.StringFlag{Name: "summary", Usage: "`FILE` for the summary as JSON; - is standard output"},
			&cli.StringFlag{Name: "data", Usage: "dataset `PATH` that knows the images by file name, for -json: " + whereData},
			&cli.StringSliceFlag{Name: "score", Usage: "lowest score to report; also `CLASS=SCORE`", DefaultText: defaultScore},
			&cli.StringSliceFlag{Name: "class", Usage: "`NAMES` of classes to keep, with commas between, or again for more", DefaultText: "all"},
			&cli.Float64Flag{Name: "nms", Usage: "IoU above which boxes are of one object", DefaultText: "of the checkpoint"},
			&cli.StringFlag{Name: "method", Usage: "method of non-maximum suppression: " + strings.Join(kinds.Names(nms.Kinds), ", "), DefaultText: "of the checkpoint"},
			&cli.Float64Flag{Name: "sigma", Usage: "width of a method's Gaussian", DefaultText: ".5 for soft-gaussian, 2 for matrix-gaussian"},
			&cli.IntFlag{Name: "max", Usage: "most detections per image", DefaultText: "of the checkpoint"},
			&cli.BoolFlag{Name: "track", Usage: "number the objects over the frames of a video, or the images of a folder in the order of their names (ByteTrack)"},
			&cli.StringSliceFlag{Name: "line", Usage: "count tracks that cross a line: `x1,y1,x2,y2` in pixels; again for more"},
			&cli.StringSliceFlag{Name: "zone", Usage: "count tracks in and out of a polygon: `x1,y1,x2,y2,x3,y3,...`; again for more"},
			&cli.BoolFlag{Name: "smooth", Usage: "replace boxes of tracks by those of the Kalman filter, which move evenly"},
			shardFlag(), deviceFlag(), precisionFlag(),
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
			convolutionsFlag("measured"),
			&cli.IntFlag{Name: "workers", Usage: "that read, and as many that draw and write", DefaultText: "one for four cores"},
			&cli.IntFlag{Name: "batch", Usage: "images of one canvas that go through the network together", Value: 1},
			&cli.IntFlag{Name: "retries", Usage: "how often in a row a stream that broke is opened again; 0 for never", Value: 8},
			&cli.BoolFlag{Name: "fast-decode", Usage: "read JPEGs at 1/2, 1/4 or 1/8 where they are scaled down by as much (data.fast_decode); annotated copies stay whole"},
			&cli.BoolFlag{Name: "quiet", Usage: "print no line per image, and no times"},
			&cli.BoolFlag{Name: "verbose", Usage: "print the time of every image and frame"},
			&cli.BoolFlag{Name: "times", Usage: "print where the time went, with -quiet too"},
			overwriteFlag(), mirrorFlag(), cacheFlag(),
		),
		Action: detect,
	}
}

func detect(c *cli.Context) error {
	o, err := detectOptions(c)
	if err != nil {
		return err
	}
	part, err := shard(c, os.Getenv)
	if err != nil {
		return err
	}
	if part.Count > 0 {
		if err := partNames(c, part); err != nil {
			return err
		}
	}
	g, release, err := outputs(c, []string{"out", "yolo", "crops"}, []string{"json", "jsonl", "csv", "summary"})
	if err != nil {
		return err
	}
	defer release()
	to := newPlaces(c, g)
	notice := func(text string) { fmt.Fprintln(c.App.ErrWriter, text) }
	retries := c.Int("retries")
	if retries == 0 {
		retries = -1 // where 0 stands for the default
	}
	leave := to.leave(notice)
	if part.Count > 0 {
		leave = noParts(c, leave)
	}
	of := sources.Options{Stdin: c.App.Reader, Retries: retries, Notice: notice, FirstPage: c.String("data") != "", Leave: leave}
	set, err := sources.Open(c.StringSlice("source"), of)
	if err != nil {
		return err
	}
	if part.Count > 1 {
		if err := divisible(c, set); err != nil {
			return err
		}
		of.Shard = part
		if set, err = sources.Open(c.StringSlice("source"), of); err != nil {
			return err
		}
	}
	ids, err := imageIDs(c)
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
	o.adopt(info)
	p, err := infer.Load(path, o.predictor)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := useConvolutions(c, p.Model().Engine(), cpu.Measured); err != nil {
		return err
	}
	if err := to.check(set); err != nil {
		return err
	}
	return newDetection(c, o, p, set, to).run(ids)
}

// options are the settings of a command line.
type options struct {
	predictor infer.Options
	score     float32            // common; detections without a track are reported from it on
	given     bool               // -score has the common score
	own       map[string]float32 // the model's scores by class, where they are used in place of the common one
	scores    string             // which scores are used where -score does not say, as text
	track     *track.Options
	places    []track.Place // of -line, then of -zone
}

// leastTracked is the score from which detections can continue a track.
const leastTracked = .1

// detectOptions reads them, and refuses what makes no sense before anything is loaded.
func detectOptions(c *cli.Context) (options, error) {
	var o options
	some := false
	for _, f := range []string{"out", "json", "jsonl", "csv", "yolo", "crops", "view", "summary"} {
		some = some || c.IsSet(f)
	}
	if !some {
		return o, usage("detect needs -out for images and videos, -json for detections, or one of -jsonl, -csv, -yolo, -crops, -view, -summary")
	}
	if n := standardOutputs(c); n > 1 {
		return o, usage("detect: %d files are standard output", n)
	}
	score, given, scores, err := parseScores(c.StringSlice("score"))
	if err != nil {
		return o, err
	}
	if err := (nms.Method{Kind: c.String("method")}).Check(); err != nil {
		return o, usage("detect: -method: %v", err)
	}
	for _, f := range []string{"threads", "workers", "batch", "max"} {
		if c.IsSet(f) && c.Int(f) < 1 {
			return o, usage("detect: -%s %d: give a number above 0", f, c.Int(f))
		}
	}
	if n := c.Int("retries"); n < 0 {
		return o, usage("detect: -retries %d: give 0 or more", n)
	}
	for _, f := range []string{"nms", "sigma"} {
		if v := c.Float64(f); c.IsSet(f) && !(v > 0 && v <= 100) {
			return o, usage("detect: -%s %g: give a number above 0", f, v)
		}
	}
	for _, f := range []string{"smooth", "line", "zone"} {
		if c.IsSet(f) && !c.Bool("track") {
			return o, usage("detect: -%s is of tracks: give -track too", f)
		}
	}
	o.score, o.given = float32(score), given
	o.predictor = infer.Options{Device: c.String("device"), Precision: c.String("precision"), Threads: c.Int("threads"), Score: &score, Method: c.String("method"), Sigma: c.Float64("sigma"), MaxDets: c.Int("max"), Highest: true,
		FastDecode: c.Bool("fast-decode")}
	if o.predictor.Choice, err = views(c); err != nil {
		return o, err
	}
	o.predictor.Choice.Scores, o.predictor.Choice.Classes = scores, c.StringSlice("class")
	if c.IsSet("nms") {
		v := c.Float64("nms")
		o.predictor.NMS = &v
	}
	if c.Bool("track") {
		least := min(score, leastTracked)
		o.predictor.Score = &least
		o.track = &track.Options{High: float32(score), Low: float32(least), Smooth: c.Bool("smooth")}
	}
	for _, kind := range []struct {
		flag string
		at   func(string, []float64) (track.Place, error)
	}{{"line", track.LineAt}, {"zone", track.ZoneAt}} {
		for i, v := range c.StringSlice(kind.flag) {
			at, err := numbers(v)
			var place track.Place
			if err == nil {
				place, err = kind.at(fmt.Sprintf("%s %d", kind.flag, i+1), at)
			}
			if err != nil {
				return o, usage("detect: -%s %s: %v", kind.flag, v, err)
			}
			o.places = append(o.places, place)
		}
	}
	return o, nil
}

// defaultScore is the default of -score as text.
const defaultScore = "by class, of the best F1 of the validation set; 0.5 where the checkpoint has none"

// adopt takes a model's own scores where the command line has no common score.
func (o *options) adopt(info detector.Info) {
	if o.given {
		return
	}
	scores := infer.ClassScores(info)
	if scores == nil {
		o.scores = fmt.Sprintf("%.3g, for the checkpoint has none of its own", o.score)
		return
	}
	o.own = map[string]float32{}
	for i, k := range info.Categories {
		o.own[k.Name] = scores[i]
	}
	used := maps.Clone(o.own)
	for name := range o.predictor.Choice.Scores {
		delete(used, name)
	}
	if classes := o.predictor.Choice.Classes; len(classes) > 0 {
		var kept []string
		for _, list := range classes {
			kept = append(kept, infer.SplitClasses(list, func(name string) bool { return o.own[name] > 0 })...)
		}
		maps.DeleteFunc(used, func(name string, _ float32) bool { return !slices.Contains(kept, name) })
	}
	if all := slices.Sorted(maps.Values(used)); len(all) > 0 {
		o.scores = fmt.Sprintf("the best F1 of the validation set, %.3g", all[0])
		if last := all[len(all)-1]; last != all[0] {
			o.scores += fmt.Sprintf(" to %.3g", last)
		}
	}
	if o.track == nil {
		o.predictor.Score = nil
		return
	}
	least := min(leastTracked, float64(slices.Min(scores)))
	o.predictor.Score = &least
}

// standardOutputs is how many files are standard output.
func standardOutputs(c *cli.Context) int {
	n := 0
	for _, f := range []string{"jsonl", "csv", "summary"} {
		if c.String(f) == "-" {
			n++
		}
	}
	return n
}

// parseScores reads ".4", "cat=.3", and lists of them with commas between. given says whether the common score is among them.
func parseScores(texts []string) (score float64, given bool, byClass map[string]float64, err error) {
	score, byClass = infer.CommonScore, map[string]float64{}
	for _, part := range strings.Split(strings.Join(texts, ","), ",") {
		if part == "" {
			continue
		}
		name, text := "", part
		if i := strings.LastIndex(part, "="); i >= 0 {
			name, text = part[:i], part[i+1:]
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v > 0 && v < 1) {
			return 0, false, nil, usage("detect: -score %s: give a number between 0 and 1, or CLASS=NUMBER", part)
		}
		if name == "" {
			score, given = v, true
		} else {
			byClass[name] = v
		}
	}
	return score, given, byClass, nil
}
