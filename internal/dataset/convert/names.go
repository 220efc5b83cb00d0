package convert

import (
	"strings"

	"retinago/coco"
	"retinago/internal/file"
)

// outputs are the names of the files that are written for the images of a dataset, in their order, by what name makes of an
// image's file name. It refuses those that no file can have, and two that are the same, before anything is written.
func outputs(d *coco.Dataset, name func(fileName string) string) ([]string, error) {
	names := make([]string, len(d.Images))
	first := map[string]int{}
	var f faults
	for i, im := range d.Images {
		n := name(im.FileName)
		names[i] = n
		if other, twice := first[n]; twice {
			f.add("%s: images %d (%q) and %d (%q) would both be written to %q: rename one", d.Path, d.Images[other].ID, d.Images[other].FileName, im.ID, im.FileName, n)
			continue
		}
		first[n] = i
		switch err := file.WellNamed(n); {
		case im.FileName == "":
			f.add("%s: image %d has no file name: correct it, or drop the image with `data check -fix drop`", d.Path, im.ID)
		case strings.ContainsAny(im.FileName, "\n\r"):
			f.add("%s: image %d: its file name %.80q has an end of a line: correct it", d.Path, im.ID, im.FileName)
		case err != nil:
			f.add("%s: image %d: its file name %.80q: %w", d.Path, im.ID, im.FileName, err)
		}
	}
	return names, f.err()
}
