package onnx

import (
	"retinago/internal/media/picture"
	"retinago/nn"
)

// placed are values about where an image lies on its canvas, by name.
type placed struct {
	width, height string // float32, of the image on the canvas in px
	factors       string // float32 [4], from a box on the canvas to one in px of the image
}

// preprocess writes what comes before the network: images [N,h,w,3] of bytes in R, G, B become the canvas [N,3,H,W], with the sizes, the
// weights and the order of computation of picture.Input. It returns the canvas.
func (e *exporter) preprocess() string {
	n, _, _ := e.options.size()
	e.input(pictures, typeUint8, n, dim{name: "height"}, dim{name: "width"}, dim{n: 3})
	shape := e.Op("Shape", []string{pictures})
	h, w := e.Op("Gather", []string{shape, e.scalar(1)}), e.Op("Gather", []string{shape, e.scalar(2)})
	toH, toW := e.resized(h, w)
	v := e.scaled(pictures, 1, h, toH)
	v = e.scaled(v, 2, w, toW)
	d := e.config.Data
	scale, shift := picture.Input{Mean: d.Mean, Std: d.Std}.Factors()
	v = e.Op("Mul", []string{v, e.Floats("scale", scale[:], 3)})
	v = e.Op("Add", []string{v, e.Floats("shift", shift[:], 3)})
	pads := e.Op("Concat", []string{e.Ints(0, 0, 0, 0, 0), e.missing(toH, e.options.H), e.missing(toW, e.options.W), e.Ints(0)}, nn.Attr("axis", 0))
	v = e.Op("Transpose", []string{e.Op("Pad", []string{v, pads})}, nn.Attrs("perm", 0, 3, 1, 2))
	if !e.options.Dynamic {
		v = e.Op("Reshape", []string{v, e.Ints(e.options.Batch, 3, e.options.H, e.options.W)})
	}
	e.placed.height, e.placed.width = e.cast(toH, typeFloat), e.cast(toW, typeFloat)
	x := e.Op("Reshape", []string{e.Op("Div", []string{e.cast(w, typeFloat), e.placed.width}), e.Ints(1)})
	y := e.Op("Reshape", []string{e.Op("Div", []string{e.cast(h, typeFloat), e.placed.height}), e.Ints(1)})
	e.placed.factors = e.Op("Concat", []string{x, y, x, y}, nn.Attr("axis", 0))
	return v
}

func (e *exporter) cast(x string, to int) string {
	return e.Op("Cast", []string{x}, nn.Attr("to", to))
}

// resized returns the size of an image on its canvas, int64: data.Resized, and no larger than a fixed canvas.
func (e *exporter) resized(h, w string) (toH, toW string) {
	dh, dw := e.cast(h, typeDouble), e.cast(w, typeDouble)
	// The reciprocal is of float64, and rounded to the float32 that a division of float32 gives. Runtimes turn that division and the product
	// into one division, which rounds otherwise.
	to := func(want int, have string) string {
		inverse := e.cast(e.Op("Div", []string{e.double(1), have}), typeFloat)
		return e.Op("Mul", []string{inverse, e.Floats("side", []float32{float32(want)})})
	}
	d := e.config.Data
	scales := []string{to(d.TestSide(), e.Op("Min", []string{dh, dw})), to(d.MaxSide, e.Op("Max", []string{dh, dw}))}
	if !e.options.Dynamic {
		scales = append(scales, to(e.options.H, dh), to(e.options.W, dw))
	}
	scale := e.cast(e.Op("Min", scales), typeDouble)
	side := func(have string) string {
		v := e.Op("Floor", []string{e.Op("Mul", []string{have, scale})})
		return e.cast(e.Op("Max", []string{v, e.double(1)}), typeInt64)
	}
	return side(dh), side(dw)
}

// scaled interpolates along an axis of v, [N,h,w,3], from `from` to `to` px: bilinear with pixel centres at .5, without antialiasing. The
// positions are float64, the ratio of the sizes float32.
func (e *exporter) scaled(v string, axis int, from, to string) string {
	ratio := e.cast(e.Op("Div", []string{e.cast(from, typeFloat), e.cast(to, typeFloat)}), typeDouble)
	i := e.cast(e.Op("Range", []string{e.scalar(0), to, e.scalar(1)}), typeDouble)
	half := e.double(.5)
	x := e.Op("Sub", []string{e.Op("Mul", []string{e.Op("Add", []string{i, half}), ratio}), half})
	x = e.Op("Max", []string{x, e.double(0)})
	last := e.Op("Sub", []string{from, e.scalar(1)})
	a := e.Op("Min", []string{e.cast(x, typeInt64), last})
	b := e.Op("Min", []string{e.Op("Add", []string{a, e.scalar(1)}), last})
	t := e.cast(e.Op("Min", []string{e.Op("Sub", []string{x, e.cast(a, typeDouble)}), e.double(1)}), typeFloat)
	along := []int{-1, 1, 1} // the axes [h,w,3]
	if axis == 2 {
		along = along[:2]
	}
	t = e.Op("Reshape", []string{t, e.Ints(along...)})
	at := func(index string) string {
		taken := e.Op("Gather", []string{v, index}, nn.Attr("axis", axis))
		if v == pictures {
			return e.cast(taken, typeFloat)
		}
		return taken
	}
	p, q := at(a), at(b)
	return e.Op("Add", []string{p, e.Op("Mul", []string{t, e.Op("Sub", []string{q, p})})})
}

// missing returns how many px [1] a canvas has beyond the image along one side. A fixed canvas has the given px, a dynamic one the next
// multiple of data.canvas_multiple.
func (e *exporter) missing(side string, px int) string {
	var canvas string
	if e.options.Dynamic {
		m := e.scalar(e.config.Data.CanvasMultiple)
		up := e.Op("Add", []string{side, e.scalar(e.config.Data.CanvasMultiple - 1)})
		canvas = e.Op("Mul", []string{e.Op("Div", []string{up, m}), m})
	} else {
		canvas = e.scalar(px)
	}
	return e.Op("Reshape", []string{e.Op("Sub", []string{canvas, side}), e.Ints(1)})
}

// original turns boxes [...,4] on the canvas into boxes in px of the image, where the model has preprocessing.
func (e *exporter) original(boxes string) string {
	if !e.options.Preprocess {
		return boxes
	}
	return e.Op("Mul", []string{boxes, e.placed.factors})
}

// visible leaves out the detections whose boxes [D,4] have no area, since they lie beside the image, where the model has preprocessing. It
// returns what is left of boxes, scores [D] and labels [D].
func (e *exporter) visible(boxes, scores, labels string) (string, string, string) {
	if !e.options.Preprocess {
		return boxes, scores, labels
	}
	corner := func(from, to int) string {
		return e.Op("Slice", []string{boxes, e.Ints(from), e.Ints(to), e.Ints(1)})
	}
	least := e.Op("ReduceMin", []string{e.Op("Sub", []string{corner(2, 4), corner(0, 2)})}, nn.Attrs("axes", 1), nn.Attr("keepdims", 0))
	has := e.Op("Greater", []string{least, e.Floats("none", []float32{0})})
	index := e.Op("Reshape", []string{e.Op("NonZero", []string{has}), e.Ints(-1)})
	take := func(x string) string { return e.Op("Gather", []string{x, index}, nn.Attr("axis", 0)) }
	return take(boxes), take(scores), take(labels)
}
