package onnx

import (
	"math"

	"retinago/anchors"
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
		g.output("boxes", g.op("Concat", boxes, attribute{"axis", 1}), typeFloat, n, a, dim{n: 4})
		g.output("scores", g.op("Sigmoid", []string{g.op("Concat", flat, attribute{"axis", 1})}), typeFloat, n, a, dim{n: k})
	default:
		g.output("logits", g.op("Concat", flat, attribute{"axis", 1}), typeFloat, n, a, dim{n: k})
		g.output("deltas", g.op("Concat", boxes, attribute{"axis", 1}), typeFloat, n, a, dim{n: 4})
	}
}

// rows turns a map [N,A*per,h,w] into one row per anchor, [N,h*w*A,per].
func (e *exporter) rows(x string, per int, cells [2]int) string {
	g := e.graph
	x = g.op("Transpose", []string{x}, ints("perm", 0, 2, 3, 1))
	if e.options.Dynamic {
		return g.op("Reshape", []string{x, g.ints(0, -1, per)})
	}
	return g.op("Reshape", []string{x, g.ints(e.options.Batch, cells[0]*cells[1]*e.config.Model.Anchors.PerCell(), per)})
}

// classes is rows of k logits log p/(1-p), which a head with a background gives as a softmax.
func (e *exporter) classes(x string, k int, cells [2]int) string {
	g := e.graph
	if !e.config.Model.Background {
		return e.rows(x, k, cells)
	}
	p := g.op("Slice", []string{g.op("Softmax", []string{e.rows(x, k+1, cells)}, attribute{"axis", 2}), g.ints(0), g.ints(k), g.ints(2)})
	p = e.clip(p, 1e-37, 1-1.0/(1<<24)) // away from infinite logits
	return g.op("Log", []string{g.op("Div", []string{p, g.op("Sub", []string{g.floats("one", []float32{1}, 1), p})})})
}

// decode turns deltas [N,a,4] of a level into boxes on the canvas. head is the level's map, which has its size.
func (e *exporter) decode(deltas, head string, level int, cells [2]int) string {
	g := e.graph
	centre, size := e.anchors(head, level, cells)
	slice := func(x string, from, to int) string {
		return g.op("Slice", []string{x, g.ints(from), g.ints(to), g.ints(2)})
	}
	c := g.op("Add", []string{g.op("Mul", []string{slice(deltas, 0, 2), size}), centre})
	bounded := e.clip(slice(deltas, 2, 4), -math.MaxFloat32, anchors.NewCoder().Clamp)
	half := g.op("Mul", []string{g.op("Mul", []string{g.op("Exp", []string{bounded}), size}), g.floats("half", []float32{.5}, 1)})
	low, high := g.op("Sub", []string{c, half}), g.op("Add", []string{c, half})
	x := func(corner string) string { return e.within(slice(corner, 0, 1), 3, e.options.W) }
	y := func(corner string) string { return e.within(slice(corner, 1, 2), 2, e.options.H) }
	return g.op("Concat", []string{x(low), y(low), x(high), y(high)}, attribute{"axis", 2})
}

// clip bounds x.
func (e *exporter) clip(x string, low, high float32) string {
	if e.opset() < opset {
		return e.graph.op("Clip", []string{x}, attribute{"min", low}, attribute{"max", high})
	}
	return e.graph.op("Clip", []string{x, e.graph.floats("low", []float32{low}), e.graph.floats("high", []float32{high})})
}

// within bounds coordinates to a side of the canvas.
func (e *exporter) within(x string, axis, side int) string {
	if !e.options.Dynamic {
		return e.clip(x, 0, float32(side))
	}
	s := e.graph.op("Gather", []string{e.graph.op("Shape", []string{input}), e.graph.scalar(axis)})
	return e.graph.op("Clip", []string{x, e.graph.floats("low", []float32{0}), e.graph.op("Cast", []string{s}, attribute{"to", typeFloat})})
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
		return g.floats("centres", cs, 1, len(cs)/2, 2), g.floats("sizes", ss, 1, len(ss)/2, 2)
	}
	var ss []float32
	for _, b := range c.Base(level) {
		ss = append(ss, b.W(), b.H())
	}
	per := c.PerCell()
	shape := g.op("Shape", []string{head})
	at := func(i int) string { return g.op("Gather", []string{shape, g.ints(i)}) } // [1]
	full := g.op("Concat", []string{at(2), at(3), g.ints(per, 1)}, attribute{"axis", 0})
	// positions runs along one axis of the map: x in [1,w,1,1], y in [h,1,1,1].
	positions := func(axis int, to ...int) string {
		count := g.op("Gather", []string{shape, g.scalar(axis)})
		step := g.scalar(c.Strides[level])
		if c.CanvasStrides {
			step = g.op("Div", []string{g.op("Gather", []string{g.op("Shape", []string{input}), g.scalar(axis)}), count})
		}
		r := g.op("Cast", []string{g.op("Mul", []string{g.op("Range", []string{g.scalar(0), count, g.scalar(1)}), step})}, attribute{"to", typeFloat})
		return g.op("Expand", []string{g.op("Reshape", []string{r, g.ints(to...)}), full})
	}
	cells4 := g.op("Concat", []string{positions(3, 1, -1, 1, 1), positions(2, -1, 1, 1, 1)}, attribute{"axis", 3})
	pairs := g.op("Concat", []string{at(2), at(3), g.ints(per, 2)}, attribute{"axis", 0})
	sizes := g.op("Expand", []string{g.floats("sizes", ss, 1, 1, per, 2), pairs})
	list := g.ints(1, -1, 2)
	return g.op("Reshape", []string{cells4, list}), g.op("Reshape", []string{sizes, list})
}

// detections takes the best of every level, then NMS, then the best of all, as package detector does for one picture.
func (e *exporter) detections(logits, boxes []string, cells [][2]int) {
	g, k := e.graph, len(e.config.Model.Classes)
	in := e.config.Infer
	var bs, ss, ls []string
	for l := range logits {
		row := g.op("Reshape", []string{logits[l], g.ints(-1)})
		count := g.ints(min(in.TopK, cells[l][0]*cells[l][1]*e.config.Model.Anchors.PerCell()*k))
		if e.options.Dynamic {
			count = g.op("Min", []string{g.op("Shape", []string{row}), g.ints(in.TopK)})
		}
		top := g.ops("TopK", []string{row, count}, 2)
		classes := g.ints(k)
		bs = append(bs, g.op("Gather", []string{g.op("Reshape", []string{boxes[l], g.ints(-1, 4)}), g.op("Div", []string{top[1], classes})}, attribute{"axis", 0}))
		ss = append(ss, g.op("Sigmoid", []string{top[0]}))
		ls = append(ls, g.op("Mod", []string{top[1], classes}))
	}
	axis := attribute{"axis", 0}
	b, s, l := g.op("Concat", bs, axis), g.op("Concat", ss, axis), g.op("Concat", ls, axis)

	// One row of scores per class, 0 at boxes of others, lets the operation compare boxes of a class only.
	perClass := g.op("Reshape", []string{s, g.ints(1, 1, -1)})
	if in.Method != "agnostic" {
		var ids []int
		for i := range k {
			ids = append(ids, i)
		}
		column := g.op("Reshape", []string{g.ints(ids...), g.ints(-1, 1)})
		own := g.op("Equal", []string{g.op("Reshape", []string{l, g.ints(1, -1)}), column})
		row := g.op("Where", []string{own, g.op("Reshape", []string{s, g.ints(1, -1)}), g.floats("none", []float32{0}, 1)})
		perClass = g.op("Unsqueeze", []string{row, g.ints(0)})
	}
	kept := g.op("NonMaxSuppression", []string{g.op("Unsqueeze", []string{b, g.ints(0)}), perClass, g.ints(in.MaxDetections),
		g.floats("iou", []float32{float32(in.NMS)}, 1), g.floats("score", []float32{float32(in.Score)}, 1)})
	index := g.op("Reshape", []string{g.op("Slice", []string{kept, g.ints(2), g.ints(3), g.ints(1)}), g.ints(-1)})
	scores := g.op("Gather", []string{s, index}, axis)
	most := g.op("Min", []string{g.op("Shape", []string{scores}), g.ints(in.MaxDetections)})
	best := g.ops("TopK", []string{scores, most}, 2)
	index = g.op("Gather", []string{index, best[1]}, axis)
	found := dim{name: "detections"}
	g.output("boxes", g.op("Gather", []string{b, index}, axis), typeFloat, found, dim{n: 4})
	g.output("scores", best[0], typeFloat, found)
	g.output("labels", g.op("Gather", []string{l, index}, axis), typeInt64, found)
}
