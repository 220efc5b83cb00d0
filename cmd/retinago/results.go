package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/coco"
	shown "retinago/internal/text"
)

func resultsCommand() *cli.Command {
	return &cli.Command{
		Name:  "results",
		Usage: "join the results of the parts of a detection",
		Subcommands: []*cli.Command{{
			Name:  "merge",
			Usage: "join the COCO results that detect -shard wrote",
			Description: "The files of all parts, by their names (found.0-of-4.json to found.3-of-4.json), become the file that one detection on all images\n" +
				"would have written, to the byte with -convolutions fixed. A part that is missing or given twice, and an image that two parts have, are errors.\n\n" +
				"   retinago detect runs/my photos/ -json found.json -shard 0/2\n" +
				"   retinago detect runs/my photos/ -json found.json -shard 1/2\n" +
				"   retinago results merge found.*-of-2.json -out found.json",
			Flags: []cli.Flag{
				&cli.StringSliceFlag{Name: "part", Usage: "`FILE` of a part; again for more", Required: true},
				&cli.StringFlag{Name: "out", Usage: "`FILE` for all", Required: true},
			},
			Action: mergeResults,
		}},
	}
}

// resultsPart is a file of a part.
type resultsPart struct {
	path         string
	stem, ext    string
	index, count int
}

// mergeResults joins the files of parts.
func mergeResults(c *cli.Context) error {
	parts, err := allParts(c.StringSlice("part"))
	if err != nil {
		return err
	}
	n := 0
	images := map[int64]string{} // the file of each
	err = coco.WriteResults(c.String("out"), func(yield func(coco.Detection, error) bool) {
		for _, p := range parts {
			dets, err := coco.LoadResults(p.path)
			if err != nil {
				yield(coco.Detection{}, err)
				return
			}
			for _, d := range dets {
				if other, ok := images[d.ImageID]; ok && other != p.path {
					err = fmt.Errorf("%s: image_id %d is in %s too: the files are not the parts of one detection", p.path, d.ImageID, other)
				}
				images[d.ImageID] = p.path
				if n++; !yield(d, err) {
					return
				}
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %s on %s, from %s\n", c.String("out"), shown.Count(n, "detection"), shown.Count(len(images), "image"), shown.Count(len(parts), "part"))
	return nil
}

// allParts returns the parts in their order. It is an error unless each is there once.
func allParts(paths []string) ([]resultsPart, error) {
	var all []resultsPart
	for _, path := range paths {
		p, err := partOf(path)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b resultsPart) int { return a.index - b.index })
	first := all[0]
	for i, p := range all {
		switch {
		case p.count != first.count || p.stem != first.stem || p.ext != first.ext:
			return nil, fmt.Errorf("%s is a part of another detection than %s: give the parts of one", p.path, first.path)
		case i > 0 && p.index == all[i-1].index:
			return nil, fmt.Errorf("part %d of %d is given twice: %s and %s", p.index, p.count, all[i-1].path, p.path)
		}
	}
	var missing []string
	for i := range first.count {
		if !slices.ContainsFunc(all, func(p resultsPart) bool { return p.index == i }) {
			missing = append(missing, strconv.Itoa(i))
		}
	}
	if len(missing) > 0 {
		const most = 20
		more := ""
		if len(missing) > most {
			more = fmt.Sprintf(" and %d more", len(missing)-most)
			missing = missing[:most]
		}
		return nil, fmt.Errorf("of the %d parts of %s%s, missing: %s%s; run detect -shard for them, and give their files", first.count, first.stem, first.ext, strings.Join(missing, ", "), more)
	}
	return all, nil
}

// partOf reads the name of a part's file.
func partOf(path string) (resultsPart, error) {
	ext := filepath.Ext(path)
	rest := strings.TrimSuffix(path, ext)
	dot := strings.LastIndexByte(rest, '.')
	m := ofShard.FindStringSubmatch(rest[dot+1:])
	if dot < 0 || m == nil {
		return resultsPart{}, fmt.Errorf("%s is not named as the file of a part: detect -shard I/N -json found.json writes found.I-of-N.json", path)
	}
	s, err := parseShard(m[1] + "/" + m[2])
	if err != nil {
		return resultsPart{}, fmt.Errorf("%s: there is no part %s of %s", path, m[1], m[2])
	}
	return resultsPart{path: path, stem: filepath.Base(rest[:dot]), ext: ext, index: s.Index, count: s.Count}, nil
}
