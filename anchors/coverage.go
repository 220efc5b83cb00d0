package anchors

import (
	"fmt"
	"math"
	"strings"

	"retinago/box"
)

// Picture is one image's objects for Cover and Fit.
type Picture struct {
	W, H int // of the canvas in px, after resizing
	// Scale is px on the canvas per px of the original, in which COCO's size classes are defined; 0 means 1.
	Scale   float64
	Boxes   []box.Box // on the canvas; those without area do not count
	Classes []int32   // nil, or one per box
}

// Recall measures how well anchors overlap a group of objects.
type Recall struct {
	Objects int
	Mean    float64 // of the highest IoU of each object with an anchor
	At40    float64 // share of objects with an IoU of at least .4, torchvision's background threshold
	At50    float64 // of at least .5: they have positive anchors of good overlap
}

// Coverage holds the Recall of a dataset's objects.
type Coverage struct {
	All     Recall
	Sizes   [3]Recall // small, medium and large: areas in the original below 32^2, below 96^2, and above
	Classes []Recall  // by class
}

// sizeNames are COCO's.
var sizeNames = [3]string{"small", "medium", "large"}

// Cover measures how well the anchors overlap the objects of images. It takes about 1 us for each object.
func (c Config) Cover(pictures []Picture) Coverage {
	f := c.finder()
	var out Coverage
	for _, p := range pictures {
		scale := p.Scale
		if scale == 0 {
			scale = 1
		}
		for i, b := range p.Boxes {
			if !(b.W() > 0 && b.H() > 0) {
				continue
			}
			v := float64(f.best(b, p.W, p.H))
			out.All.add(v)
			area, size := float64(b.Area())/(scale*scale), 0
			for _, bound := range []float64{32 * 32, 96 * 96} {
				if area >= bound {
					size++
				}
			}
			out.Sizes[size].add(v)
			if p.Classes != nil {
				k := int(p.Classes[i])
				for len(out.Classes) <= k {
					out.Classes = append(out.Classes, Recall{})
				}
				out.Classes[k].add(v)
			}
		}
	}
	out.All.finish()
	for i := range out.Sizes {
		out.Sizes[i].finish()
	}
	for i := range out.Classes {
		out.Classes[i].finish()
	}
	return out
}

// Table returns the coverage as text, with a line for each class. A class without a name has its number.
func (c Coverage) Table(names []string) string {
	var b strings.Builder
	line := func(name string, r Recall) {
		if r.Objects == 0 {
			fmt.Fprintf(&b, "%-20s %8d %9s %9s %9s\n", name, 0, "-", "-", "-")
			return
		}
		fmt.Fprintf(&b, "%-20s %8d %9.3f %9.3f %9.3f\n", name, r.Objects, r.Mean, r.At40, r.At50)
	}
	fmt.Fprintf(&b, "%-20s %8s %9s %9s %9s\n", "objects", "count", "mean IoU", "IoU >= .4", "IoU >= .5")
	line("all", c.All)
	for i, r := range c.Sizes {
		line(sizeNames[i], r)
	}
	for i, r := range c.Classes {
		name := fmt.Sprint("class ", i)
		if i < len(names) {
			name = names[i]
		}
		line(name, r)
	}
	return b.String()
}

// add counts an object; finish turns sums into means.
func (r *Recall) add(iou float64) {
	r.Objects++
	r.Mean += iou
	if iou >= .4 {
		r.At40++
	}
	if iou >= .5 {
		r.At50++
	}
}

func (r *Recall) finish() {
	if n := float64(r.Objects); n > 0 {
		r.Mean, r.At40, r.At50 = r.Mean/n, r.At40/n, r.At50/n
	}
}

// finder finds an object's best anchor without a grid: anchors of one shape overlap a box the more, the nearer their
// centre is on each axis, so that only the nearest cell counts.
type finder struct {
	Config
	base [][]box.Box // by level
}

func (c Config) finder() finder {
	f := finder{Config: c}
	for l := range c.Strides {
		f.base = append(f.base, c.Base(l))
	}
	return f
}

// best returns the highest IoU of b with an anchor on a canvas of w x h px.
func (f finder) best(b box.Box, w, h int) float32 {
	var most float32
	area := b.W() * b.H()
	for l, s := range f.Strides {
		cells := [2]int{(h + s - 1) / s, (w + s - 1) / s}
		dy, dx := f.steps(l, h, w, cells)
		x, y := nearest(b.X1, b.X2, dx, cells[1]), nearest(b.Y1, b.Y2, dy, cells[0])
		for _, a := range f.base[l] {
			a = box.Box{X1: x + a.X1, Y1: y + a.Y1, X2: x + a.X2, Y2: y + a.Y2}
			if a.X2 > b.X1 && a.X1 < b.X2 && a.Y2 > b.Y1 && a.Y1 < b.Y2 {
				most = max(most, overlap(&a, &b, area))
			}
		}
	}
	return most
}

// nearest returns the position of the cell nearest to the middle of an interval, with so many cells at a distance of stride px.
func nearest(lo, hi float32, stride, cells int) float32 {
	k := math.Round(float64(lo+hi) / 2 / float64(stride))
	return float32(min(max(k, 0), float64(cells-1)) * float64(stride))
}
