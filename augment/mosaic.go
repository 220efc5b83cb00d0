package augment

import (
	"math"

	"retinago/box"
	"retinago/internal/kinds"
)

var mosaicKinds = []Kind{
	{Kind: kinds.Kind{Name: "mosaic", Text: "four images in cells of the canvas, which they fill (Bochkovskiy et al. 2020)", Params: mosaicParams(.5)},
		Combines: true, Early: true, apply: func(d *draw) { mosaic(d, 2) }},
	{Kind: kinds.Kind{Name: "mosaic9", Text: "nine images in cells of the canvas, which they fill", Params: mosaicParams(.2)},
		Combines: true, Early: true, apply: func(d *draw) { mosaic(d, 3) }},
}

func mosaicParams(p float64) []kinds.Param {
	return []kinds.Param{probability(p), {Key: "zoom", Default: 1.5, Min: 1, Max: 4, Text: "largest factor beyond the scale at which an image fills its cell"}}
}

// unevenness is how far the lines between cells are drawn from where they would make equal cells, in cells.
const unevenness = .4

// mosaic lays the scene and further images into n x n cells, in random order.
func mosaic(d *draw, n int) {
	w, h := float64(d.canvas.W), float64(d.canvas.H)
	xs, ys := lines(d, n, w), lines(d, n, h)
	out := &plan{canvas: d.canvas, w: w, h: h, sx: 1, sy: 1}
	for k, cell := range d.Perm(n * n) {
		tile := d.plan
		if k > 0 {
			tile = d.further(k)
		}
		zoom, right, down := d.between(1, d.get("zoom")), d.Float64(), d.Float64()
		if tile == nil {
			continue
		}
		col, row := cell%n, cell/n
		tile.fillCell(xs[col], ys[row], xs[col+1], ys[row+1], zoom, right, down)
		out.add(tile)
	}
	*d.plan = *out
}

// lines draws the borders of n cells along a side, in whole px.
func lines(d *draw, n int, side float64) []float64 {
	out := make([]float64, n+1)
	for i := range out {
		out[i] = float64(i)
		if i > 0 && i < n {
			out[i] += d.between(-unevenness, unevenness)
		}
		out[i] = math.Round(out[i] * side / float64(n))
	}
	return out
}

// fillCell scales the frame so that it fills a cell, times zoom, and cuts it to the cell: right and down in [0,1] say what is left out.
func (p *plan) fillCell(x1, y1, x2, y2, zoom, right, down float64) {
	s := zoom * max((x2-x1)/p.w, (y2-y1)/p.h)
	x, y := x1-right*(p.w*s-(x2-x1)), y1-down*(p.h*s-(y2-y1))
	p.move(Scale(s, s).Then(Translate(x, y)), float64(p.canvas.W), float64(p.canvas.H))
	p.cut(box.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)})
}
