package nms

import (
	"math"

	"retinago/box"
)

const (
	few  = 256 // boxes up to which comparing with all of them is fastest
	side = 64  // cells of the grid on each side
)

// kept are the boxes that stay, of one class. Once there are more than few, they are filed on a grid by their centres,
// and a candidate is compared only with those near enough to suppress it.
type kept struct {
	iou   float32
	reach float64 // of a candidate's side, see newKept
	all   []box.Box
	input []box.Box // every box of the call; the grid covers their centres
	grid  [][]box.Box
	x, y  axis
}

// newKept finds how far away a box can be and still suppress. With intervals of lengths w and v whose centres are d
// apart, IoU > t needs d < (w+v)(1-t)/(2(1+t)) and v < w/t, so d < w(1-t)/(2t); and boxes overlap on each axis at
// least as much as in the plane. A little is added for rounding.
func newKept(input []box.Box, iou float32) *kept {
	t := float64(iou)
	return &kept{iou: iou, input: input, reach: max((1-t)/(2*max(t, 1e-9)), 0) + 1e-3}
}

func (k *kept) add(b box.Box) {
	k.all = append(k.all, b)
	switch {
	case k.grid != nil:
		k.file(b)
	case len(k.all) > few:
		k.x, k.y = axes(k.input)
		k.grid = make([][]box.Box, side*side)
		for _, b := range k.all {
			k.file(b)
		}
	}
}

func (k *kept) file(b box.Box) {
	i := k.y.cell(center(b.Y1, b.Y2))*side + k.x.cell(center(b.X1, b.X2))
	k.grid[i] = append(k.grid[i], b)
}

// suppress says whether a box that stays overlaps b by more than the threshold.
func (k *kept) suppress(b box.Box) bool {
	if k.grid == nil {
		return k.any(k.all, b)
	}
	x1, x2 := k.x.cells(center(b.X1, b.X2), k.reach*float64(b.W()))
	y1, y2 := k.y.cells(center(b.Y1, b.Y2), k.reach*float64(b.H()))
	for y := y1; y <= y2; y++ {
		for x := x1; x <= x2; x++ {
			if k.any(k.grid[y*side+x], b) {
				return true
			}
		}
	}
	return false
}

func (k *kept) any(list []box.Box, b box.Box) bool {
	area := b.W() * b.H()
	for i := range list {
		a := &list[i]
		if a.X2 <= b.X1 || a.X1 >= b.X2 || a.Y2 <= b.Y1 || a.Y1 >= b.Y2 {
			continue
		}
		w, h := min(a.X2, b.X2)-max(a.X1, b.X1), min(a.Y2, b.Y2)-max(a.Y1, b.Y1)
		// The conversions keep the products rounded to float32, as torchvision has them. 0/0 is not above anything.
		inter := float32(max(w, 0) * max(h, 0))
		if inter/(float32(a.W()*a.H())+area-inter) > k.iou {
			return true
		}
	}
	return false
}

func center(lo, hi float32) float64 { return (float64(lo) + float64(hi)) / 2 }

// axis divides a range into side cells of equal length; what lies outside belongs to the first or last.
type axis struct{ from, perUnit float64 }

// axes cover the boxes' centres.
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
		return axis{lo, side / (hi - lo)}
	}
	return divide(lo[0], hi[0]), divide(lo[1], hi[1])
}

// cell is monotone in c.
func (a axis) cell(c float64) int {
	v := (c - a.from) * a.perUnit
	switch {
	case !(v > 0): // also what is not a number
		return 0
	case v >= side:
		return side - 1
	}
	return int(v)
}

// cells are the first and last cell within d of c.
func (a axis) cells(c, d float64) (int, int) { return a.cell(c - d), a.cell(c + d) }
