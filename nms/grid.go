package nms

import (
	"math"

	"retinago/box"
)

// plane holds the threshold and the axes that all classes of one call share.
type plane struct {
	iou   float32
	reach float64 // of a candidate's side, see newPlane
	x, y  axis    // cover the boxes' centres
}

// newPlane computes the largest distance between the centres of two boxes at which one can suppress the other. With intervals of lengths w and v whose centres are d
// apart, IoU > t needs d < (w+v)(1-t)/(2(1+t)) and v < w/t, so d < w(1-t)/(2t); and boxes overlap on each axis at
// least as much as in the plane. A little is added for rounding.
func newPlane(boxes []box.Box, iou float32) *plane {
	t := float64(iou)
	p := &plane{iou: iou, reach: max((1-t)/(2*max(t, 1e-9)), 0) + 1e-3}
	if len(boxes) > few {
		p.x, p.y = axes(boxes)
	}
	return p
}

const (
	few  = 64  // boxes up to which comparing with all of them is fastest
	most = 256 // cells on a side of the largest grid
)

// selection holds the selected boxes of one class. If there are more than few, a grid indexes them by their centres, and a candidate is
// compared only with the boxes near enough to suppress it. The grid grows so that a cell has about one box.
type selection struct {
	plane *plane
	boxes []box.Box
	next  []int32 // per box, the number of the box before it in its cell, counted from 1; 0 ends
	first []int32 // [side, side], the number of a cell's last box, 0 without; none up to few boxes
	side  int
}

func (p *plane) newSelection() *selection { return &selection{plane: p} }

// admit selects a box unless a selected box overlaps it by more than the threshold. It reports whether it did.
func (s *selection) admit(b box.Box) bool {
	if s.suppress(b) {
		return false
	}
	s.boxes, s.next = append(s.boxes, b), append(s.next, 0)
	n := len(s.boxes)
	switch {
	case n <= few:
	case n > s.side*s.side && s.side < most:
		s.side = max(2*s.side, 16)
		s.first = make([]int32, s.side*s.side)
		for i := range s.boxes {
			s.file(i)
		}
	default:
		s.file(n - 1)
	}
	return true
}

func (s *selection) file(i int) {
	b := s.boxes[i]
	c := s.plane.y.cell(center(b.Y1, b.Y2), s.side)*s.side + s.plane.x.cell(center(b.X1, b.X2), s.side)
	s.next[i], s.first[c] = s.first[c], int32(i+1)
}

// suppress reports whether a selected box overlaps b by more than the threshold.
func (s *selection) suppress(b box.Box) bool {
	area := float32(b.W() * b.H())
	if s.first != nil {
		p := s.plane
		x1, x2 := p.x.cells(center(b.X1, b.X2), p.reach*float64(b.W()), s.side)
		y1, y2 := p.y.cells(center(b.Y1, b.Y2), p.reach*float64(b.H()), s.side)
		if (x2-x1+1)*(y2-y1+1) < len(s.boxes) {
			for y := y1; y <= y2; y++ {
				for _, n := range s.first[y*s.side+x1 : y*s.side+max(x1, x2+1)] {
					for ; n != 0; n = s.next[n-1] {
						if above(&s.boxes[n-1], &b, area, p.iou) {
							return true
						}
					}
				}
			}
			return false
		}
	}
	for i := range s.boxes {
		if above(&s.boxes[i], &b, area, s.plane.iou) {
			return true
		}
	}
	return false
}

// above reports whether the IoU of two boxes is above a threshold; area is b's. The conversions keep the products rounded to
// float32, as torchvision has them. 0/0 is not above anything.
func above(a, b *box.Box, area, iou float32) bool {
	x1, y1, x2, y2 := b.X1, b.Y1, b.X2, b.Y2
	if a.X1 > x1 {
		x1 = a.X1
	}
	if a.X2 < x2 {
		x2 = a.X2
	}
	if a.Y1 > y1 {
		y1 = a.Y1
	}
	if a.Y2 < y2 {
		y2 = a.Y2
	}
	w, h := x2-x1, y2-y1
	if !(w > 0 && h > 0) {
		return false
	}
	inter := float32(w * h)
	return inter/(float32((a.X2-a.X1)*(a.Y2-a.Y1))+area-inter) > iou
}

func center(lo, hi float32) float64 { return (float64(lo) + float64(hi)) / 2 }

// axis is a range that a grid divides into cells of equal length; what lies outside belongs to the first or last.
type axis struct{ from, perUnit float64 }

// axes returns axes that cover the boxes' centres.
func axes(boxes []box.Box) (x, y axis) {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, b := range boxes {
		for i, c := range [2]float64{center(b.X1, b.X2), center(b.Y1, b.Y2)} {
			if !math.IsInf(c, 0) && c == c {
				lo[i], hi[i] = min(lo[i], c), max(hi[i], c)
			}
		}
	}
	divide := func(lo, hi float64) axis {
		if !(hi > lo) {
			return axis{}
		}
		return axis{lo, 1 / (hi - lo)}
	}
	return divide(lo[0], hi[0]), divide(lo[1], hi[1])
}

// cell returns the cell of a coordinate; it is monotone in c.
func (a axis) cell(c float64, side int) int {
	v := (c - a.from) * a.perUnit * float64(side)
	switch {
	case !(v > 0): // also NaN
		return 0
	case v >= float64(side):
		return side - 1
	}
	return int(v)
}

// cells returns the first and the last cell within d of c.
func (a axis) cells(c, d float64, side int) (int, int) { return a.cell(c-d, side), a.cell(c+d, side) }
