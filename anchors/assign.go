package anchors

import (
	"fmt"

	"retinago/box"
	"retinago/internal/kinds"
)

// Labels of anchors that learn no object.
const (
	Background = int32(-1) // learns that there is no object
	Ignore     = int32(-2) // has no loss
)

// Assigner decides which anchors learn which object.
type Assigner interface {
	// AssignLevels returns for each anchor its label (the class of its object, Background or Ignore) and the index of its
	// object in gt, -1 without one. Level l has the anchors starts[l] to starts[l+1]. crowd may be nil.
	AssignLevels(anchors []box.Box, starts []int, gt []box.Box, class []int32, crowd []bool) (labels, matched []int32)
}

var (
	_ Assigner = Matcher{}
	_ Assigner = ATSS{}
)

// Matcher decides which anchors learn which object, as torchvision's Matcher does, with two differences: an object
// that no anchor overlaps gets none (torchvision gives it every anchor whose IoU is the best one, 0), and crowd
// regions are known.
type Matcher struct {
	// Foreground is the least IoU of a positive anchor, Background the IoU below which it is background. Between the
	// two an anchor is ignored.
	Foreground, Background float32
	// AllowLowQuality also makes those anchors positive that some object has its highest IoU with, ties included,
	// however low that is. Such an anchor learns the object that it overlaps most itself, which may be another.
	AllowLowQuality bool
	// CrowdIoF is the share of an anchor inside a crowd region from which on it is ignored. 0 means 0.5; above 1 no
	// anchor is ignored.
	CrowdIoF float32
}

var matcherKind = Kind{
	Kind: kinds.Kind{Name: "iou", Text: "by overlap, with thresholds (Lin et al. 2017, section 4); `low_quality` gives each object the anchors that overlap it most",
		Params: []kinds.Param{
			{Key: "foreground", Default: .5, Max: 1, Above: true, Text: "least IoU of a positive anchor"},
			{Key: "background", Default: .4, Max: 1, Want: "0 to foreground", Text: "IoU below which an anchor is background"},
			crowdParam,
		}},
	New: func(p Params) Assigner {
		return Matcher{Foreground: p.Foreground, Background: p.Background, AllowLowQuality: p.LowQuality, CrowdIoF: p.CrowdIoF}
	},
}

// LeastIoF returns CrowdIoF or its default.
func (m Matcher) LeastIoF() float32 {
	if m.CrowdIoF == 0 {
		return .5
	}
	return m.CrowdIoF
}

// Assign returns for each anchor its label (the class of its object, Background or Ignore) and the index of its object
// in gt, -1 without one. Of two equal overlaps the first object wins. Objects without area are not matched. Crowd
// regions are never matched; anchors that are not positive and lie mostly inside one are ignored. crowd may be nil.
//
// IoU is computed in float32 in torchvision's order, so that ties are the same. Assign skips rows of
// anchors that an object does not meet: on a grid, it compares an object with the anchors around it only.
func (m Matcher) Assign(anchors, gt []box.Box, class []int32, crowd []bool) (labels, matched []int32) {
	if len(class) != len(gt) || crowd != nil && len(crowd) != len(gt) {
		panic(fmt.Sprintf("anchors: %d objects with %d classes and %d crowd flags", len(gt), len(class), len(crowd)))
	}
	labels = make([]int32, len(anchors))
	matched = make([]int32, len(anchors))
	best := make([]float32, len(anchors)) // highest IoU with an object; matched holds which
	rows := extents(anchors)
	for i := range matched {
		matched[i] = -1
	}
	var low []int32 // anchors that are some object's best
	for g, b := range gt {
		if class[g] < 0 {
			panic(fmt.Sprintf("anchors: object %d has class %d", g, class[g]))
		}
		if crowd != nil && crowd[g] || !(b.W() > 0 && b.H() > 0) {
			continue
		}
		low = m.object(anchors, rows, b, int32(g), best, matched, low)
	}
	for i, v := range best {
		switch {
		case v >= m.Foreground && matched[i] >= 0:
			labels[i] = class[matched[i]]
		case v < m.Background:
			labels[i] = Background
		default:
			labels[i] = Ignore
		}
	}
	for _, i := range low {
		labels[i] = class[matched[i]]
	}
	for g, b := range gt {
		if crowd != nil && crowd[g] {
			m.ignore(anchors, rows, b, labels)
		}
	}
	for i, l := range labels {
		if l < 0 {
			matched[i] = -1
		}
	}
	return labels, matched
}

// object compares one object with the anchors in its reach: it raises best and matched where the object overlaps more than
// those before, and appends the anchors that the object itself overlaps most to low.
func (m Matcher) object(anchors, rows []box.Box, b box.Box, g int32, best []float32, matched, low []int32) []int32 {
	area := b.W() * b.H()
	top, start := float32(0), len(low)
	for r := range rows {
		if apart(&rows[r], &b) {
			continue
		}
		for i := r * row; i < min(r*row+row, len(anchors)); i++ {
			// Most anchors end at one of these four comparisons.
			a := &anchors[i]
			if apart(a, &b) {
				continue
			}
			v := overlap(a, &b, area)
			if v > best[i] {
				best[i], matched[i] = v, g
			}
			if v >= top && v > 0 {
				if v > top {
					top, low = v, low[:start]
				}
				low = append(low, int32(i))
			}
		}
	}
	if !m.AllowLowQuality {
		return low[:start]
	}
	return low
}

// overlap returns the IoU of boxes that meet. The conversions keep every product rounded to float32 on processors where the
// compiler would fuse it with the sum.
func overlap(a, b *box.Box, area float32) float32 {
	w := min(a.X2, b.X2) - max(a.X1, b.X1)
	h := min(a.Y2, b.Y2) - max(a.Y1, b.Y1)
	inter := float32(w * h)
	return inter / (area + float32((a.X2-a.X1)*(a.Y2-a.Y1)) - inter)
}

// ignore labels the anchors that are not positive and lie in the crowd region.
func (m Matcher) ignore(anchors, rows []box.Box, region box.Box, labels []int32) {
	least := m.LeastIoF()
	for r := range rows {
		if apart(&rows[r], &region) {
			continue
		}
		for i := r * row; i < min(r*row+row, len(anchors)); i++ {
			if labels[i] != Background {
				continue
			}
			if inside := anchors[i].Intersect(region).Area(); inside > 0 && inside >= least*anchors[i].Area() {
				labels[i] = Ignore
			}
		}
	}
}
