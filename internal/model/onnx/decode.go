package onnx

import (
	"math"

	"retinago/anchors"
	"retinago/nn"
)

// outputs turns the heads' maps into what the options ask for.
func (e *exporter) outputs(logits, deltas []string, cells [][2]int) {
	g, k := e.graph, len(e.config.Model.Classes)
	n, _, _ := e.options.size()
	a := dim{n: 0}
	for _, hw := range cells {
		a.n += hw[0] * hw[1] * e.config.Model.Anchors.PerCell()
	}
	if e.options.Dynamic {
		a = dim{name: "anchors"}
	}
	var flat, boxes []string
	for l := range logits {
		flat = append(flat, e.classes(logits[l], k, cells[l]))
		d := e.rows(deltas[l], 4, cells[l])
		if e.options.Outputs != Raw {
			d = e.decode(d, deltas[l], l, cells[l])
		}
		boxes = append(boxes, d)
	}
	switch e.options.Outputs {
	case Detections:
		e.detections(flat, boxes, cells)
	case Boxes:
		g.output("boxes", e.original(g.Op("Concat", boxes, nn.Attr("axis", 1))), typeFloat, n, a, dim{n: 4})
		g.output("scores", g.Op("Sigmoid", []string{g.Op("Concat", flat, nn.Attr("axis", 1))}), typeFloat, n, a, dim{n: k})
	default:
		g.output("logits", g.Op("Concat", flat, nn.Attr("axis", 1)), typeFloat, n, a, dim{n: k})
		g.output("deltas", g.Op("Concat", boxes, nn.Attr("axis", 1)), typeFloat, n, a, dim{n: 4})
	}
}

// rows turns a map [N,A*per,h,w] into one row per anchor, [N,h*w*A,per].
func (e *exporter) rows(x string, per int, cells [2]int) string {
	g := e.graph
	x = g.Op("Transpose", []string{x}, nn.Attrs("perm", 0, 2, 3, 1))
	if e.options.Dynamic {
		return g.Op("Reshape", []string{x, g.Ints(0, -1, per)})
	}
	return g.Op("Reshape", []string{x, g.Ints(e.options.Batch, cells[0]*cells[1]*e.config.Model.Anchors.PerCell(), per)})
}

// classes is rows of k logits log p/(1-p), which a head with a background gives as a softmax.
func (e *exporter) classes(x string, k int, cells [2]int) string {
	g := e.graph
	if !e.config.Model.Background {
		return e.rows(x, k, cells)
	}
	p := g.Op("Slice", []string{g.Op("Softmax", []string{e.rows(x, k+1, cells)}, nn.Attr("axis", 2)), g.Ints(0), g.Ints(k), g.Ints(2)})
	p = e.Clip(p, 1e-37, 1-1.0/(1<<24)) // away from infinite logits
	return g.Op("Log", []string{g.Op("Div", []string{p, g.Op("Sub", []string{g.Floats("one", []float32{1}, 1), p})})})
}

// decode turns deltas [N,a,4] of a level into boxes on the canvas. head is the level's map, which has its size.
func (e *exporter) decode(deltas, head string, level int, cells [2]int) string {
	g := e.graph
	centre, size := e.anchors(head, level, cells)
	slice := func(x string, from, to int) string {
		return g.Op("Slice", []string{x, g.Ints(from), g.Ints(to), g.Ints(2)})
	}
	c := g.Op("Add", []string{g.Op("Mul", []string{slice(deltas, 0, 2), size}), centre})
	bounded := e.Clip(slice(deltas, 2, 4), -math.MaxFloat32, anchors.NewCoder().Clamp)
	half := g.Op("Mul", []string{g.Op("Mul", []string{g.Op("Exp", []string{bounded}), size}), g.Floats("half", []float32{.5}, 1)})
	low, high := g.Op("Sub", []string{c, half}), g.Op("Add", []string{c, half})
	x := func(corner string) string { return e.within(slice(corner, 0, 1), 3, e.options.W, e.placed.width) }
	y := func(corner string) string { return e.within(slice(corner, 1, 2), 2, e.options.H, e.placed.height) }
	return g.Op("Concat", []string{x(low), y(low), x(high), y(high)}, nn.Attr("axis", 2))
}

// Clip bounds x.
func (e *exporter) Clip(x string, low, high float32) string {
	if e.Opset() < opset {
		return e.Op("Clip", []string{x}, nn.Attr("min", low), nn.Attr("max", high))
	}
	return e.Op("Clip", []string{x, e.Floats("low", []float32{low}), e.Floats("high", []float32{high})})
}

// within bounds coordinates to a side of the canvas, or to that of the image on it, which has a name with preprocessing.
func (e *exporter) within(x string, axis, side int, picture string) string {
	if !e.options.Dynamic && picture == "" {
		return e.Clip(x, 0, float32(side))
	}
	if picture == "" {
		picture = e.cast(e.Op("Gather", []string{e.Op("Shape", []string{e.canvas}), e.scalar(axis)}), typeFloat)
	}
	return e.Op("Clip", []string{x, e.Floats("low", []float32{0}), picture})
}

// anchors gives centres and sizes of a level's anchors, [1,a,2] each.
func (e *exporter) anchors(head string, level int, cells [2]int) (centre, size string) {
	g, c := e.graph, e.config.Model.Anchors
	if !e.options.Dynamic {
		one := c
		one.Strides, one.Sizes = c.Strides[level:level+1], c.Sizes[level:level+1]
		var cs, ss []float32
		for _, b := range one.Grid(e.options.H, e.options.W, [][2]int{cells}) {
			w, h := b.W(), b.H()
			cs, ss = append(cs, b.X1+w/2, b.Y1+h/2), append(ss, w, h)
		}
		return g.Floats("centres", cs, 1, len(cs)/2, 2), g.Floats("sizes", ss, 1, len(ss)/2, 2)
	}
	var ss []float32
	for _, b := range c.Base(level) {
		ss = append(ss, b.W(), b.H())
	}
	per := c.PerCell()
	shape := g.Op("Shape", []string{head})
	at := func(i int) string { return g.Op("Gather", []string{shape, g.Ints(i)}) } // [1]
	full := g.Op("Concat", []string{at(2), at(3), g.Ints(per, 1)}, nn.Attr("axis", 0))
	// positions runs along one axis of the map: x in [1,w,1,1], y in [h,1,1,1].
	positions := func(axis int, to ...int) string {
		count := g.Op("Gather", []string{shape, g.scalar(axis)})
		step := g.scalar(c.Strides[level])
		if c.CanvasStrides {
			step = g.Op("Div", []string{g.Op("Gather", []string{g.Op("Shape", []string{e.canvas}), g.scalar(axis)}), count})
		}
		r := g.Op("Cast", []string{g.Op("Mul", []string{g.Op("Range", []string{g.scalar(0), count, g.scalar(1)}), step})}, nn.Attr("to", typeFloat))
		return g.Op("Expand", []string{g.Op("Reshape", []string{r, g.Ints(to...)}), full})
	}
	cells4 := g.Op("Concat", []string{positions(3, 1, -1, 1, 1), positions(2, -1, 1, 1, 1)}, nn.Attr("axis", 3))
	pairs := g.Op("Concat", []string{at(2), at(3), g.Ints(per, 2)}, nn.Attr("axis", 0))
	sizes := g.Op("Expand", []string{g.Floats("sizes", ss, 1, 1, per, 2), pairs})
	list := g.Ints(1, -1, 2)
	return g.Op("Reshape", []string{cells4, list}), g.Op("Reshape", []string{sizes, list})
}

// detections takes the best of every level, then NMS, then the best of all, as package detector does for one image. Where the checkpoint has
// scores of its classes, the best are those farthest above the score of their class: detect leaves out what is below before it counts.
func (e *exporter) detections(logits, boxes []string, cells [][2]int) {
	g, k := e.graph, len(e.config.Model.Classes)
	in := e.config.Infer
	axis := nn.Attr("axis", 0)
	var bs, ss, ls []string
	for l := range logits {
		row := g.Op("Reshape", []string{logits[l], g.Ints(-1)})
		var count string // an initializer that no operation reads would be a warning of ONNX Runtime
		if e.options.Dynamic {
			count = g.Op("Min", []string{g.Op("Shape", []string{row}), g.Ints(in.TopK)})
		} else {
			count = g.Ints(min(in.TopK, cells[l][0]*cells[l][1]*e.config.Model.Anchors.PerCell()*k))
		}
		ranked := row
		if e.scores != nil {
			margin := g.Op("Sub", []string{logits[l], g.Floats("least_logits", logitsOf(e.scores), k)})
			ranked = g.Op("Reshape", []string{margin, g.Ints(-1)})
		}
		top := g.ops("TopK", []string{ranked, count}, 2)
		values := top[0]
		if e.scores != nil {
			values = g.Op("Gather", []string{row, top[1]}, axis)
		}
		classes := g.Ints(k)
		bs = append(bs, g.Op("Gather", []string{g.Op("Reshape", []string{boxes[l], g.Ints(-1, 4)}), g.Op("Div", []string{top[1], classes})}, nn.Attr("axis", 0)))
		ss = append(ss, g.Op("Sigmoid", []string{values}))
		ls = append(ls, g.Op("Mod", []string{top[1], classes}))
	}
	b, s, l := g.Op("Concat", bs, axis), g.Op("Concat", ss, axis), g.Op("Concat", ls, axis)

	// One row of scores per class, 0 at boxes of others, lets the operation compare boxes of a class only.
	perClass := g.Op("Reshape", []string{s, g.Ints(1, 1, -1)})
	if in.Method != "agnostic" {
		var ids []int
		for i := range k {
			ids = append(ids, i)
		}
		column := g.Op("Reshape", []string{g.Ints(ids...), g.Ints(-1, 1)})
		own := g.Op("Equal", []string{g.Op("Reshape", []string{l, g.Ints(1, -1)}), column})
		row := g.Op("Where", []string{own, g.Op("Reshape", []string{s, g.Ints(1, -1)}), g.Floats("none", []float32{0}, 1)})
		perClass = g.Op("Unsqueeze", []string{row, g.Ints(0)})
	}
	kept := g.Op("NonMaxSuppression", []string{g.Op("Unsqueeze", []string{b, g.Ints(0)}), perClass, g.Ints(in.MaxDetections),
		g.Floats("iou", []float32{float32(in.NMS)}, 1), g.Floats("score", []float32{float32(e.least)}, 1)})
	index := g.Op("Reshape", []string{g.Op("Slice", []string{kept, g.Ints(2), g.Ints(3), g.Ints(1)}), g.Ints(-1)})
	scores := g.Op("Gather", []string{s, index}, axis)
	most := g.Op("Min", []string{g.Op("Shape", []string{scores}), g.Ints(in.MaxDetections)})
	if e.scores != nil {
		best := g.ops("TopK", []string{e.above(scores, g.Op("Gather", []string{l, index}, axis)), most}, 2)
		index, scores = g.Op("Gather", []string{index, best[1]}, axis), g.Op("Gather", []string{scores, best[1]}, axis)
	}
	best := g.ops("TopK", []string{scores, most}, 2)
	index = g.Op("Gather", []string{index, best[1]}, axis)
	found := dim{name: "detections"}
	b, s, l = e.visible(g.Op("Gather", []string{b, index}, axis), best[0], g.Op("Gather", []string{l, index}, axis))
	g.output("boxes", e.original(b), typeFloat, found, dim{n: 4})
	g.output("scores", s, typeFloat, found)
	g.output("labels", l, typeInt64, found)
}

// above returns how far scores [M] are above the checkpoint's of their classes, the labels [M].
func (e *exporter) above(scores, labels string) string {
	own := e.Op("Gather", []string{e.Floats("least_scores", e.scores, len(e.scores)), labels}, nn.Attr("axis", 0))
	return e.Op("Sub", []string{scores, own})
}

// logitsOf returns log p/(1-p).
func logitsOf(scores []float32) (out []float32) {
	for _, p := range scores {
		out = append(out, float32(math.Log(float64(p)/(1-float64(p)))))
	}
	return out
}
