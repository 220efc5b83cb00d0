package main

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"retinago/infer"
)

// imageIDs returns the function from a result to its image id: the id in -data's dataset, by file name, or the number from 1.
func imageIDs(c *cli.Context) (func(infer.Result) (int64, error), error) {
	src, err := source(c, c.String("data"))
	if err != nil {
		return nil, err
	}
	if src.Path == "" {
		return func(r infer.Result) (int64, error) { return int64(r.Index + 1), nil }, nil
	}
	src.Pictures = true
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
	return func(r infer.Result) (int64, error) {
		id, ok := byName[filepath.ToSlash(r.Name)]
		if !ok {
			id, ok = byName[filepath.Base(r.Path)]
		}
		if !ok {
			return 0, fmt.Errorf("%s: %s is not among its images: %w; leave -data out to number the pictures", d.Path, r.Path, fs.ErrNotExist)
		}
		return id, nil
	}, nil
}
