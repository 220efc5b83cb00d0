package infer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"retinago/detector"
	"retinago/internal/tile"
)

// Choice selects classes, and the views of an image in which objects are searched. Its zero value takes every class at the common
// score and one view, the whole image.
type Choice struct {
	Scores  map[string]float64 // lowest score to report of a class, by name, in place of the common one or the model's
	Classes []string           // classes to report, also several with commas between; empty is all

	Flip   bool      // also a view of the mirrored image
	Scales []float64 // a view for each of these multiples of the canvas's sides; empty is 1
	Merge  string    // how detections of several views are merged: one of Merges, the first by default

	// Tile is the side, in pixels, of square tiles that are views of their own besides the whole image; 0 makes no tiles.
	Tile int
	// Overlap is the share of a tile that the next tile repeats, in [0, .9].
	Overlap float64
}

// Merges returns the ways to merge detections of one object: fuse averages them (nms.Fuse), nms keeps the best.
func Merges() []string { return []string{"fuse", "nms"} }

// Views reports whether objects are searched in other views than the whole image.
func (c Choice) Views() bool { return len(c.Scales) > 0 || c.Flip || c.Tile > 0 }

// Check returns an error for values out of their ranges.
func (c Choice) Check() error {
	for name, v := range c.Scores {
		if !(v > 0 && v < 1) {
			return fmt.Errorf("infer: score %g of class %s: give a number between 0 and 1", v, name)
		}
	}
	for _, v := range c.Scales {
		if !(v >= .1 && v <= 4) {
			return fmt.Errorf("infer: scale %g: give multiples of the canvas between .1 and 4", v)
		}
	}
	if c.Merge != "" && !slices.Contains(Merges(), c.Merge) {
		return fmt.Errorf("infer: unknown way to merge %q; there are %s", c.Merge, strings.Join(Merges(), ", "))
	}
	if err := (tile.Grid{Side: cmp.Or(c.Tile, tile.LeastSide), Overlap: c.Overlap}).Check(); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	return nil
}

// CommonScore is the score threshold of a class for which an evaluated model has none of its own.
const CommonScore = .5

// ClassScores returns the lowest scores to report of a model's classes [K], where the caller gives none: those of the best F1 in its last
// evaluation, or CommonScore; nil of a model that has no scores.
func ClassScores(info detector.Info) []float32 {
	if len(info.Scores) == 0 {
		return nil
	}
	out := make([]float32, len(info.Scores))
	for i, v := range info.Scores {
		if out[i] = float32(v); v == 0 {
			out[i] = CommonScore
		}
	}
	return out
}

// choose applies a choice. own are the model's scores [K]; nil takes the common score of r.
func (r *request) choose(c Choice, categories []detector.Category, own []float32) error {
	if err := c.Check(); err != nil {
		return err
	}
	r.plan = plan{scales: c.Scales, flip: c.Flip, tile: c.Tile, overlap: c.Overlap, fuse: c.Merge != "nms"}
	if len(c.Scores) == 0 && len(c.Classes) == 0 {
		if slices.ContainsFunc(own, func(v float32) bool { return v != r.decode.Score }) {
			r.decode.Scores = own
		}
		return nil
	}
	score := func(class int) float32 {
		if own != nil {
			return own[class]
		}
		return r.decode.Score
	}
	class := func(name string) (int, error) {
		i := slices.IndexFunc(categories, func(k detector.Category) bool { return k.Name == name })
		if i < 0 {
			var names []string
			for _, k := range categories {
				names = append(names, k.Name)
			}
			return 0, fmt.Errorf("infer: the model has no class %q; it has %s", name, strings.Join(names, ", "))
		}
		return i, nil
	}
	scores := make([]float32, len(categories))
	for i := range scores {
		scores[i] = score(i)
		if len(c.Classes) > 0 {
			scores[i] = 2 // not wanted
		}
	}
	known := func(name string) bool {
		return slices.ContainsFunc(categories, func(k detector.Category) bool { return k.Name == name })
	}
	var wanted []string
	for _, list := range c.Classes {
		wanted = append(wanted, SplitClasses(list, known)...)
	}
	for _, name := range wanted {
		i, err := class(name)
		if err != nil {
			return err
		}
		scores[i] = score(i)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Scores)) {
		i, err := class(name)
		if err != nil {
			return err
		}
		if scores[i] > 1 {
			return fmt.Errorf("infer: a score for class %s, which is not among the classes to report", name)
		}
		scores[i] = float32(c.Scores[name])
	}
	r.decode.Scores = scores
	return nil
}

// SplitClasses splits a list of classes at commas. Names that are known may have commas of their own: the longest that fits is taken.
func SplitClasses(list string, known func(name string) bool) (names []string) {
	for parts := strings.Split(list, ","); len(parts) > 0; {
		n := len(parts)
		for ; n > 1 && !known(strings.TrimSpace(strings.Join(parts[:n], ","))); n-- {
		}
		if name := strings.TrimSpace(strings.Join(parts[:n], ",")); name != "" || len(parts) == 1 && len(names) == 0 {
			names = append(names, name)
		}
		parts = parts[n:]
	}
	return names
}
