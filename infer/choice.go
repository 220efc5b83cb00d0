package infer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"retinago/detector"
)

// Choice says what is looked for, and in how many ways. Its zero value takes every class at the common score, and looks once.
type Choice struct {
	Scores  map[string]float64 // least scores of classes by name, in place of the common one
	Classes []string           // that are kept; none keeps all

	Flip   bool      // looks at the mirrored picture too
	Scales []float64 // looks at the picture at these multiples of the canvas's sides; none is 1
	Merge  string    // what becomes of what several looks found: one of Merges, the first by default

	// Tile is the side in pixels of squares that a larger picture is looked at in, besides the whole; 0 does not.
	Tile int
	// Overlap is the share of a tile that the next one has too.
	Overlap float64
}

// Merges are the ways to make one of what was found of one object: fuse averages (nms.Fuse), nms keeps the best.
func Merges() []string { return []string{"fuse", "nms"} }

// Check tells whether the choice makes sense.
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
	if c.Tile < 0 || c.Tile > 0 && c.Tile < 32 {
		return fmt.Errorf("infer: tiles of %d pixels: give at least 32", c.Tile)
	}
	if !(c.Overlap >= 0 && c.Overlap <= .9) {
		return fmt.Errorf("infer: tiles that overlap by %g: give a share between 0 and .9", c.Overlap)
	}
	return nil
}

// choose makes a choice the predictor's.
func (p *Predictor) choose(c Choice) error {
	if err := c.Check(); err != nil {
		return err
	}
	p.look = look{scales: c.Scales, flip: c.Flip, tile: c.Tile, overlap: c.Overlap, fuse: c.Merge != "nms"}
	if len(c.Scores) == 0 && len(c.Classes) == 0 {
		return nil
	}
	categories := p.info.Categories
	class := func(name string) (int, error) {
		i := slices.IndexFunc(categories, func(k detector.Category) bool { return k.Name == name })
		if i < 0 {
			var names []string
			for _, k := range categories {
				names = append(names, k.Name)
			}
			return 0, fmt.Errorf("infer: the model knows no class %q; it knows %s", name, strings.Join(names, ", "))
		}
		return i, nil
	}
	scores := make([]float32, len(categories))
	for i := range scores {
		scores[i] = p.decode.Score
		if len(c.Classes) > 0 {
			scores[i] = 2 // not wanted
		}
	}
	for _, name := range c.Classes {
		i, err := class(name)
		if err != nil {
			return err
		}
		scores[i] = p.decode.Score
	}
	for _, name := range slices.Sorted(maps.Keys(c.Scores)) {
		i, err := class(name)
		if err != nil {
			return err
		}
		if scores[i] > 1 {
			return fmt.Errorf("infer: a score for class %s, which is not among those that are kept", name)
		}
		scores[i] = float32(c.Scores[name])
	}
	p.decode.Scores = scores
	return nil
}
