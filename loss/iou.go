package loss

import (
	"fmt"
	"math"

	"retinago/internal/kinds"
)

// Box is a regression loss.
type Box interface {
	// Eval returns the sum of the losses of pred [n,4] against target [n,4], and writes its gradient by pred to grad
	// [n,4] unless that is nil.
	Eval(grad, pred, target []float32) float64
}

// The overlap losses take boxes as x1, y1, x2, y2 with x2 >= x1 and y2 >= y1.
type (
	// IoU is 1 - IoU, or -log(IoU) with Log (Yu et al. 2016, "UnitBox").
	IoU struct{ Log bool }
	// GIoU is 1 - IoU + (C-U)/C with the area C of the smallest box around both and their union U
	// (Rezatofighi et al. 2019, algorithm 1).
	GIoU struct{}
	// DIoU is 1 - IoU + d^2/c^2 with the distance d of the centres and the diagonal c of the box around both
	// (Zheng et al. 2020, eq. 7).
	DIoU struct{}
	// CIoU is DIoU + a v with v = 4/pi^2 (atan(w'/h') - atan(w/h))^2 and a = v/(1-IoU+v), which counts as a constant in
	// the gradient (Zheng et al. 2020, eqs. 10-12).
	CIoU struct{}
)

var (
	_ Box = IoU{}
	_ Box = GIoU{}
	_ Box = DIoU{}
	_ Box = CIoU{}
)

var overlapKinds = []BoxKind{
	{Kind: kinds.Kind{Name: "iou", Text: "of boxes, 1 - IoU"}, New: func(float64) Box { return IoU{} }},
	{Kind: kinds.Kind{Name: "logiou", Text: "of boxes, -log IoU (Yu et al. 2016)"}, New: func(float64) Box { return IoU{Log: true} }},
	{Kind: kinds.Kind{Name: "giou", Text: "of boxes, generalised IoU (Rezatofighi et al. 2019)"}, New: func(float64) Box { return GIoU{} }},
	{Kind: kinds.Kind{Name: "diou", Text: "of boxes, with the distance of centres (Zheng et al. 2020, eq. 7)"}, New: func(float64) Box { return DIoU{} }},
	{Kind: kinds.Kind{Name: "ciou", Text: "of boxes, with the aspect ratio too (Zheng et al. 2020, eqs. 10-12)"}, New: func(float64) Box { return CIoU{} }},
}

// eps keeps divisions defined for boxes without area, as torchvision.ops does.
const eps = 1e-7

// vec is a number with its derivatives by x1, y1, x2, y2 of the prediction.
type vec struct {
	v float64
	d [4]float64
}

func constant(v float64) vec { return vec{v: v} }

func (a vec) plus(b vec, f float64) vec { // a + f b
	a.v += f * b.v
	for i := range a.d {
		a.d[i] += f * b.d[i]
	}
	return a
}

func (a vec) times(b vec) vec {
	out := vec{v: a.v * b.v}
	for i := range out.d {
		out.d[i] = a.d[i]*b.v + a.v*b.d[i]
	}
	return out
}

func (a vec) over(b vec) vec {
	out := vec{v: a.v / b.v}
	for i := range out.d {
		out.d[i] = (a.d[i] - out.v*b.d[i]) / b.v
	}
	return out
}

func lesser(a, b vec) vec {
	if b.v < a.v {
		return b
	}
	return a
}

func greater(a, b vec) vec {
	if b.v > a.v {
		return b
	}
	return a
}

// pair holds the terms that all overlap losses share.
type pair struct {
	p, t         [4]vec // corners of prediction and target
	iou          vec
	union        vec
	outerW, outH vec // sides of the box around both
}

func newPair(p, t []float32) pair {
	var o pair
	for i := range 4 {
		o.p[i] = vec{v: float64(p[i])}
		o.p[i].d[i] = 1
		o.t[i] = constant(float64(t[i]))
	}
	w := lesser(o.p[2], o.t[2]).plus(greater(o.p[0], o.t[0]), -1)
	h := lesser(o.p[3], o.t[3]).plus(greater(o.p[1], o.t[1]), -1)
	inter := constant(0)
	if w.v > 0 && h.v > 0 {
		inter = w.times(h)
	}
	area := func(b [4]vec) vec { return b[2].plus(b[0], -1).times(b[3].plus(b[1], -1)) }
	o.union = area(o.p).plus(area(o.t), 1).plus(inter, -1)
	o.iou = inter.over(o.union.plus(constant(1), eps))
	o.outerW = greater(o.p[2], o.t[2]).plus(lesser(o.p[0], o.t[0]), -1)
	o.outH = greater(o.p[3], o.t[3]).plus(lesser(o.p[1], o.t[1]), -1)
	return o
}

// far returns d^2/c^2.
func (o pair) far() vec {
	diagonal := o.outerW.times(o.outerW).plus(o.outH.times(o.outH), 1).plus(constant(1), eps)
	sum := constant(0)
	for axis := range 2 {
		d := o.p[axis].plus(o.p[axis+2], 1).plus(o.t[axis], -1).plus(o.t[axis+2], -1)
		sum = sum.plus(d.times(d), .25)
	}
	return sum.over(diagonal)
}

// aspect returns v.
func (o pair) aspect() vec {
	angle := func(b [4]vec) vec {
		w, h := b[2].plus(b[0], -1), b[3].plus(b[1], -1)
		out := vec{v: math.Atan2(w.v, h.v)}
		if r := w.v*w.v + h.v*h.v; r > 0 {
			for i := range out.d {
				out.d[i] = (w.d[i]*h.v - w.v*h.d[i]) / r
			}
		}
		return out
	}
	d := angle(o.t).plus(angle(o.p), -1)
	v := d.times(d)
	return constant(0).plus(v, 4/(math.Pi*math.Pi))
}

// Eval sums the loss.
func (l IoU) Eval(grad, pred, target []float32) float64 {
	return boxes(grad, pred, target, func(o pair) vec {
		if !l.Log {
			return constant(1).plus(o.iou, -1)
		}
		x := o.iou.plus(constant(1), eps)
		out := vec{v: -math.Log(x.v)}
		for i := range out.d {
			out.d[i] = -x.d[i] / x.v
		}
		return out
	})
}

// Eval sums the loss.
func (GIoU) Eval(grad, pred, target []float32) float64 {
	return boxes(grad, pred, target, func(o pair) vec {
		outer := o.outerW.times(o.outH)
		return constant(1).plus(o.iou, -1).plus(outer.plus(o.union, -1).over(outer.plus(constant(1), eps)), 1)
	})
}

// Eval sums the loss.
func (DIoU) Eval(grad, pred, target []float32) float64 {
	return boxes(grad, pred, target, func(o pair) vec { return constant(1).plus(o.iou, -1).plus(o.far(), 1) })
}

// Eval sums the loss.
func (CIoU) Eval(grad, pred, target []float32) float64 {
	return boxes(grad, pred, target, func(o pair) vec {
		v := o.aspect()
		a := v.v / (1 - o.iou.v + v.v + eps)
		return constant(1).plus(o.iou, -1).plus(o.far(), 1).plus(v, a)
	})
}

// boxes sums a loss over pairs of boxes.
func boxes(grad, pred, target []float32, f func(pair) vec) float64 {
	if len(pred) != len(target) || len(pred)%4 != 0 || grad != nil && len(grad) != len(pred) {
		panic(fmt.Sprintf("loss: %d predicted and %d target coordinates, a gradient of %d", len(pred), len(target), len(grad)))
	}
	sum := 0.0
	for i := 0; i < len(pred); i += 4 {
		v := f(newPair(pred[i:i+4], target[i:i+4]))
		sum += v.v
		for k := range 4 {
			if grad != nil {
				grad[i+k] = float32(v.d[k])
			}
		}
	}
	return sum
}
