package anchors

import (
	"fmt"
	"math"

	"retinago/box"
)

// Config describes the anchors of every cell of every level. The lists Strides and Sizes have one element per level.
type Config struct {
	// Strides are the distances between cells in px, finest level first.
	Strides []int `yaml:"strides,flow"`
	// Sizes are the base sizes in px: the side of the square anchor at scale 1.
	Sizes []float64 `yaml:"sizes,flow"`
	// Scales multiply the sizes; the paper has 2^0, 2^(1/3), 2^(2/3).
	Scales []float64 `yaml:"scales,flow"`
	// Ratios are height/width at equal area.
	Ratios []float64 `yaml:"ratios,flow"`
	// IntegerSizes truncates size*scale and rounds the base anchors' corners, as torchvision does.
	IntegerSizes bool `yaml:"integer_sizes"`
	// CanvasStrides replaces the distances Strides by the sides of the canvas divided by the sides of the map, rounded down, as
	// torchvision does: the 7x11 cells of P7 on 800x1344 px are then 114 and 122 px apart instead of 128. Both are equal if 128
	// divides the sides of the canvas.
	CanvasStrides bool `yaml:"canvas_strides"`
}

// Default returns the anchors of the paper: P3-P7, 32 to 813 px, 9 per cell.
func Default() Config {
	return Config{
		Strides: []int{8, 16, 32, 64, 128},
		Sizes:   []float64{32, 64, 128, 256, 512},
		Scales:  []float64{1, math.Pow(2, 1./3), math.Pow(2, 2./3)},
		Ratios:  []float64{.5, 1, 2},
	}
}

// PerCell returns the number of anchors A at each cell.
func (c Config) PerCell() int { return len(c.Scales) * len(c.Ratios) }

// Base returns the PerCell anchors of a level around (0, 0). Arithmetic is float32 in torchvision's order of operations.
func (c Config) Base(level int) []box.Box {
	out := make([]box.Box, 0, c.PerCell())
	for _, r := range c.Ratios {
		hr := float32(math.Sqrt(float64(float32(r))))
		wr := 1 / hr
		for _, s := range c.Scales {
			size := c.Sizes[level] * s
			if c.IntegerSizes {
				size = truncate(size)
			}
			w, h := float32(wr*float32(size))/2, float32(hr*float32(size))/2
			if c.IntegerSizes {
				w, h = roundEven(w), roundEven(h)
			}
			out = append(out, box.Box{X1: -w, Y1: -h, X2: w, Y2: h})
		}
	}
	return out
}

// truncate drops the fraction, but takes a size*scale that misses an integer by rounding error for that integer:
// scales come from decimal text, where 2^(2/3) may be a digit short.
func truncate(v float64) float64 {
	if r := math.Round(v); math.Abs(v-r) < 1e-6*math.Abs(v) {
		return r
	}
	return math.Trunc(v)
}

func roundEven(v float32) float32 { return float32(math.RoundToEven(float64(v))) }

// steps returns the distances in px between the cells of a level along y and x, on a canvas of h x w px.
func (c Config) steps(level, h, w int, cells [2]int) (dy, dx int) {
	if c.CanvasStrides && cells[0] > 0 && cells[1] > 0 {
		return h / cells[0], w / cells[1]
	}
	return c.Strides[level], c.Strides[level]
}

// Cells returns the {height, width} of each level's feature map on a canvas of h x w px: what a stride leaves over has a cell, too.
func (c Config) Cells(h, w int) [][2]int {
	out := make([][2]int, len(c.Strides))
	for l, s := range c.Strides {
		out[l] = [2]int{(h + s - 1) / s, (w + s - 1) / s}
	}
	return out
}

// Starts returns the index of each level's first anchor, and after the last the number of all, for maps of so many cells.
func (c Config) Starts(cells [][2]int) []int {
	out := make([]int, len(cells)+1)
	for l, s := range cells {
		out[l+1] = out[l] + s[0]*s[1]*c.PerCell()
	}
	return out
}

// Grid returns all anchors of a canvas of h x w px for feature maps of hw[level] = {height, width} cells, len = sum of
// height*width*PerCell. See the package's comment for the order.
func (c Config) Grid(h, w int, hw [][2]int) []box.Box {
	if len(hw) != len(c.Strides) || len(hw) != len(c.Sizes) {
		panic(fmt.Sprintf("anchors: %d feature maps for %d strides and %d sizes", len(hw), len(c.Strides), len(c.Sizes)))
	}
	n := 0
	for _, s := range hw {
		n += s[0] * s[1] * c.PerCell()
	}
	out := make([]box.Box, 0, n)
	for l, s := range hw {
		base := c.Base(l)
		down, right := c.steps(l, h, w, s)
		for y := range s[0] {
			dy := float32(y * down)
			for x := range s[1] {
				dx := float32(x * right)
				for _, b := range base {
					out = append(out, box.Box{X1: dx + b.X1, Y1: dy + b.Y1, X2: dx + b.X2, Y2: dy + b.Y2})
				}
			}
		}
	}
	return out
}
