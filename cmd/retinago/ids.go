package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/text/unicode/norm"

	"retinago/coco"
	"retinago/infer"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/locate"
)

// errUnknownImage is the cause of an error for an image that has no image id, or several. It ends a detection.
var errUnknownImage = errors.New("leave -data out to number the images")

// imageIDs returns the function from a result to its image id: the id in -data's dataset, or the number from 1.
func imageIDs(c *cli.Context) (func(infer.Result) (int64, error), error) {
	src, err := part(c, c.String("data"), convert.Training)
	if err != nil {
		return nil, err
	}
	if src.Path == "" {
		return func(r infer.Result) (int64, error) { return int64(r.Index + 1), nil }, nil
	}
	src.Pictures = true
	d, images, err := src.Open()
	if err != nil {
		return nil, err
	}
	known := newImages(d, images)
	return func(r infer.Result) (int64, error) { return known.id(r.Path) }, nil
}

// imageNames are the images of a dataset by the names of their files.
type imageNames struct {
	path   string           // of the dataset
	files  map[string][]int // by absolute path, where the folder of the images is known
	bases  map[string][]int // by the last part of the name
	folded map[string][]int // by the last part without case and Unicode form
	images []coco.Image
}

func newImages(d *coco.Dataset, folder string) *imageNames {
	n := &imageNames{path: d.Path, files: map[string][]int{}, bases: map[string][]int{}, folded: map[string][]int{}, images: d.Images}
	for i, im := range d.Images {
		if folder != "" {
			if file, err := filepath.Abs(locate.Path(folder, im.FileName)); err == nil {
				n.files[file] = append(n.files[file], i)
			}
		}
		base := path.Base(slashed(im.FileName))
		n.bases[base] = append(n.bases[base], i)
		n.folded[folded(base)] = append(n.folded[folded(base)], i)
	}
	return n
}

// slashed is a name with slashes between its parts, whatever system it comes from.
func slashed(name string) string { return path.Clean(strings.ReplaceAll(name, `\`, "/")) }

func folded(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// id returns the id of the image in a file: the one whose file it is; else the one whose name agrees with the longest end of the path, in
// whole parts, and of several such the one that agrees with its whole name. Where several are left it is an error that names them.
func (n *imageNames) id(file string) (int64, error) {
	whole, err := filepath.Abs(file)
	if err != nil {
		whole = file
	}
	candidates := n.files[filepath.Clean(whole)]
	if len(candidates) == 0 {
		whole = filepath.ToSlash(whole)
		candidates = n.closest(whole, n.bases[path.Base(whole)], func(s string) string { return s })
	}
	if len(candidates) == 0 {
		candidates = n.closest(whole, n.folded[folded(path.Base(whole))], folded)
	}
	switch len(candidates) {
	case 0:
		return 0, fmt.Errorf("%s: %s is not among its images: %w; %w", n.path, file, fs.ErrNotExist, errUnknownImage)
	case 1:
		return n.images[candidates[0]].ID, nil
	}
	const most = 5
	var names []string
	for _, i := range candidates[:min(len(candidates), most)] {
		names = append(names, fmt.Sprintf("%s (id %d)", n.images[i].FileName, n.images[i].ID))
	}
	if len(candidates) > most {
		names = append(names, fmt.Sprintf("and %d more", len(candidates)-most))
	}
	return 0, fmt.Errorf("%s: %s may be each of its images %s: give the folder of the images with -images, or %w", n.path, file, strings.Join(names, ", "), errUnknownImage)
}

// closest returns those of some images whose names agree best with a path.
func (n *imageNames) closest(file string, among []int, form func(string) string) (best []int) {
	parts := strings.Split(form(file), "/")
	longest, entire := 0, false
	for _, i := range among {
		of := strings.Split(strings.TrimPrefix(form(slashed(n.images[i].FileName)), "/"), "/")
		same := 0
		for same < min(len(of), len(parts)) && of[len(of)-1-same] == parts[len(parts)-1-same] {
			same++
		}
		all := same == len(of)
		switch {
		case same > longest || same == longest && all && !entire:
			longest, entire, best = same, all, []int{i}
		case same == longest && all == entire:
			best = append(best, i)
		}
	}
	return best
}
