package coco

import (
	"cmp"
	"slices"
)

// iou is intersection over union of boxes [x, y, w, h] as bbIou of cocoapi's maskApi.c computes it; over the
// detection's own area when g is a crowd. The conversions forbid fused multiply-adds.
func iou(d, g *[4]float64, crowd bool) float64 {
	w := min(d[2]+d[0], g[2]+g[0]) - max(d[0], g[0])
	if w <= 0 {
		return 0
	}
	h := min(d[3]+d[1], g[3]+g[1]) - max(d[1], g[1])
	if h <= 0 {
		return 0
	}
	i := w * h
	u := float64(d[2] * d[3])
	if !crowd {
		u = u + float64(g[2]*g[3]) - i
	}
	return i / u
}

// matcher holds one goroutine's scratch.
type matcher struct {
	e       *evaluation
	ious    []float64 // [rank, object]
	order   []int32   // objects, those that count before the ignored ones
	ignore  []bool    // per object, for the current area
	matched []bool    // per object, at the current threshold
}

func newMatcher(e *evaluation) *matcher { return &matcher{e: e} }

// match fills the outcomes of one pair for all areas and thresholds: pycocotools' computeIoU and evaluateImg.
func (m *matcher) match(at int) {
	p := &m.e.pairs[at]
	dt, anns := m.e.dt, m.e.gt.Annotations
	p.order = slices.Clone(p.dt)
	slices.SortStableFunc(p.order, func(a, b int32) int { return cmp.Compare(dt[b].Score, dt[a].Score) })
	p.order = p.order[:min(len(p.order), m.e.params.MaxDets[2])]

	m.ious = m.ious[:0]
	for _, d := range p.order {
		for _, g := range p.gt {
			m.ious = append(m.ious, iou(&dt[d].BBox, &anns[g].BBox, anns[g].IsCrowd))
		}
	}
	n := len(p.order)
	out := m.e.outcomes[p.ranges.from:p.ranges.to]
	for a, r := range areaRanges {
		m.arrange(p, r)
		for _, skip := range m.ignore {
			if !skip {
				p.counts[a]++
			}
		}
		for _, t := range m.e.params.IoUs {
			m.threshold(p, t, r, out[:n])
			out = out[n:]
		}
	}
}

// arrange marks the objects that do not count in an area and puts them last, each group in its order.
func (m *matcher) arrange(p *pair, area [2]float64) {
	m.ignore, m.order = m.ignore[:0], m.order[:0]
	for _, g := range p.gt {
		a := &m.e.gt.Annotations[g]
		m.ignore = append(m.ignore, a.IsCrowd || a.Area < area[0] || a.Area > area[1])
	}
	for _, last := range []bool{false, true} {
		for i, skip := range m.ignore {
			if skip == last {
				m.order = append(m.order, int32(i))
			}
		}
	}
}

// threshold matches every detection, the best score first, with the object of largest IoU that is still free (a
// crowd always is); one that counts goes before an ignored one. Of equal IoUs the last object wins.
func (m *matcher) threshold(p *pair, t float64, area [2]float64, out []outcome) {
	m.matched = append(m.matched[:0], make([]bool, len(p.gt))...)
	anns := m.e.gt.Annotations
	for rank, d := range p.order {
		ious := m.ious[rank*len(p.gt) : (rank+1)*len(p.gt)]
		best, found := min(t, 1-1e-10), int32(-1)
		for _, g := range m.order {
			if m.matched[g] && !anns[p.gt[g]].IsCrowd {
				continue
			}
			if found >= 0 && !m.ignore[found] && m.ignore[g] {
				break
			}
			if ious[g] < best {
				continue
			}
			best, found = ious[g], g // an IoU that is not a number (0/0, inf/inf) is not below: a match, as in pycocotools
		}
		hit, skip := false, false
		if found >= 0 {
			m.matched[found] = true
			skip = m.ignore[found]
			hit = anns[p.gt[found]].ID != 0 // pycocotools stores the id as the mark of a match
		}
		if !hit {
			box := &m.e.dt[d].BBox
			size := box[2] * box[3]
			skip = skip || size < area[0] || size > area[1]
		}
		switch {
		case skip:
			out[rank] = ignored
		case hit:
			out[rank] = truePositive
		default:
			out[rank] = falsePositive
		}
	}
}
