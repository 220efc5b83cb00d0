package infer

import (
	"math"
	"slices"

	"retinago/box"
	"retinago/detector"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/tile"
	"retinago/nms"
)

// view is an image or a part of it, as the network gets it.
type view struct {
	x, y  int     // of the part's corner
	tile  bool    // it is a part, as large as its Input's size
	scale float64 // of the canvas's sides; 0 is 1
	flip  bool
}

// side returns the length of a canvas's side in this view.
func (v view) side(px int) int {
	if v.scale == 0 {
		return px
	}
	return max(int(math.Round(float64(px)*v.scale)), 1)
}

// plan holds the choice of views for every image.
type plan struct {
	scales  []float64
	flip    bool
	tile    int
	overlap float64
	fuse    bool
}

// single reports whether every image has one view, the whole image.
func (l plan) single() bool { return len(l.scales) == 0 && !l.flip && l.tile == 0 }

// grid returns the tiles of the plan.
func (l plan) grid() tile.Grid { return tile.Grid{Side: l.tile, Overlap: l.overlap} }

// parts returns the whole image and, if it is larger than a tile, its tiles.
func (l plan) parts(s data.Size) []tile.Part {
	out := []tile.Part{{W: s.W, H: s.H}}
	if g := l.grid(); l.tile > 0 && !g.Fits(s.W, s.H) {
		out = append(out, g.Parts(s.W, s.H)...)
	}
	return out
}

// views returns the views of one part.
func (l plan) views(p tile.Part, tiled bool) []view {
	scales := l.scales
	if len(scales) == 0 {
		scales = []float64{0}
	}
	var out []view
	for _, s := range scales {
		out = append(out, view{x: p.X, y: p.Y, tile: tiled, scale: s})
		if l.flip {
			out = append(out, view{x: p.X, y: p.Y, tile: tiled, scale: s, flip: true})
		}
	}
	return out
}

// inputs holds all views of one image and the request for it.
type inputs struct {
	request
	all  []*Input
	size data.Size // of the image
}

func (in *inputs) release() {
	for _, v := range in.all {
		v.Release()
	}
	in.all = nil
}

// views prepares every view of an image. size is the size of the image that detections are for.
func (p *Predictor) views(r request, pic *picture.Picture, size data.Size, threads int) (*inputs, error) {
	out := &inputs{request: r, size: size}
	if r.plan.single() {
		in, err := p.prepare(r, pic, size, threads)
		if err != nil {
			return nil, err
		}
		out.all = []*Input{in}
		return out, nil
	}
	if pic.W != size.W || pic.H != size.H || pic.W < 1 || pic.H < 1 {
		return nil, errEmpty
	}
	for i, at := range r.plan.parts(size) {
		of := pic
		if i > 0 {
			of = pic.Crop(at.X, at.Y, at.W, at.H)
		}
		for _, v := range r.plan.views(at, i > 0) {
			out.all = append(out.all, p.input(r, of, data.Size{W: at.W, H: at.H}, v, threads))
		}
		if i > 0 {
			of.Release()
		}
	}
	return out, nil
}

// merge merges the detections of all views into one list. It drops detections that a tile's border cuts, if they are no larger than the
// overlap: the next tile has the whole object.
func (in *inputs) merge(found [][]Detection, categories []detector.Category) []Detection {
	if len(in.all) == 1 {
		return found[0]
	}
	var boxes []box.Box
	var scores []float32
	var classes []int32
	for i, v := range in.all {
		for _, d := range found[i] {
			if v.view.tile && in.plan.cut(v, in.size, d.Box) {
				continue
			}
			boxes, scores, classes = append(boxes, d.Box), append(scores, d.Score), append(classes, int32(d.Class))
		}
	}
	var selected []nms.Selected
	if in.plan.fuse {
		selected = nms.Fuse{IoU: in.decode.NMS, Models: len(in.plan.views(tile.Part{}, false))}.Run(boxes, scores, classes, 0)
	} else {
		m := in.decode.NMSMethod()
		if !slices.Contains([]string{"agnostic", "diou"}, m.Kind) {
			m.Kind = "greedy" // the other methods lowered scores in each view already
		}
		selected = m.Run(boxes, scores, classes, 0)
	}
	var out []Detection
	for _, k := range selected {
		if !in.decode.Keeps(k.Class, k.Score) {
			continue
		}
		if out = append(out, Detection{Box: k.Box, Class: int(k.Class), Category: categories[k.Class], Score: k.Score}); len(out) == in.decode.MaxDets {
			break
		}
	}
	return out
}

// cut reports whether a tile's border cuts a box that fits into the overlap with the next tile: the box ends within a hundredth of the
// tile from the border, and the image continues beyond it.
func (l plan) cut(in *Input, size data.Size, b box.Box) bool {
	near, shared := float32(l.tile)/100, float32(l.grid().Shared())
	x1, y1 := float32(in.view.x), float32(in.view.y)
	x2, y2 := x1+float32(in.size.W), y1+float32(in.size.H)
	across := x1 > 0 && b.X1 < x1+near || x2 < float32(size.W) && b.X2 > x2-near
	down := y1 > 0 && b.Y1 < y1+near || y2 < float32(size.H) && b.Y2 > y2-near
	return across && b.W() < shared || down && b.H() < shared
}
