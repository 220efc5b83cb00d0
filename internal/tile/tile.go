// Package tile cuts images into overlapping tiles. Detection in tiles and `data tile` have the same grid.
package tile

import "fmt"

// LeastSide is the least side of a tile in pixels.
const LeastSide = 32

// Grid describes square tiles that overlap.
type Grid struct {
	Side    int     // of a tile in pixels
	Overlap float64 // least share of a tile that the next one repeats, in [0, .9]
}

// Check returns an error for values out of their ranges.
func (g Grid) Check() error {
	if g.Side < LeastSide {
		return fmt.Errorf("tiles of %d pixels: give at least %d", g.Side, LeastSide)
	}
	if !(g.Overlap >= 0 && g.Overlap <= .9) {
		return fmt.Errorf("tiles that overlap by %g: give a share between 0 and .9", g.Overlap)
	}
	return nil
}

// Part is a rectangle of an image in pixels.
type Part struct{ X, Y, W, H int }

// Shared returns the least overlap of neighbouring tiles in pixels.
func (g Grid) Shared() int { return int(g.Overlap * float64(g.Side)) }

// Fits reports whether an image of w x h pixels is no larger than one tile.
func (g Grid) Fits(w, h int) bool { return w <= g.Side && h <= g.Side }

// Parts returns the tiles of an image of w x h pixels, row by row. All lie within the image and have one size: where the image is smaller
// than a tile, so are they.
func (g Grid) Parts(w, h int) []Part {
	tw, th := min(g.Side, w), min(g.Side, h)
	var out []Part
	for _, y := range starts(h, th, g.Shared()) {
		for _, x := range starts(w, tw, g.Shared()) {
			out = append(out, Part{x, y, tw, th})
		}
	}
	return out
}

// starts returns the first pixel of each tile along a side: the fewest tiles, evenly spread, that overlap by at least shared pixels.
func starts(side, tile, shared int) []int {
	if side <= tile {
		return []int{0}
	}
	step := max(tile-shared, 1)
	n := (side-tile+step-1)/step + 1
	out := make([]int, n)
	for i := range out {
		out[i] = i * (side - tile) / (n - 1)
	}
	return out
}
