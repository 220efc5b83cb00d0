package anchors

import (
	"fmt"
	"math"

	"retinago/box"
	"retinago/internal/kinds"
)

// ATSS is the adaptive assignment of Zhang et al. 2020, "Bridging the Gap Between Anchor-based and Anchor-free
// Detection", algorithm 1: an object takes, of the anchors nearest to its centre, those whose IoU is at least the mean
// plus the standard deviation of all the nearest, and whose centre lies inside of it.
type ATSS struct {
	// TopK is the cells per level whose anchors are candidates; 0 means the paper's 9.
	TopK int
	// PerCell is the anchors at each cell.
	PerCell int
	// CrowdIoF is Matcher's.
	CrowdIoF float32
}

var atssKind = Kind{
	Kind: kinds.Kind{Name: "atss", Text: "with thresholds found for each object (Zhang et al. 2020)",
		Params: []kinds.Param{{Key: "top_k", Default: 9, Min: 1, Max: 1000, Text: "cells per level whose anchors are candidates"}, crowdParam}},
	New: func(p Params) Assigner { return ATSS{TopK: p.TopK, PerCell: p.PerCell, CrowdIoF: p.CrowdIoF} },
}

// inner is how far inside of an object, in px, an anchor's centre must lie.
const inner = .01

// AssignLevels returns for each anchor its label and the index of its object in gt, as Matcher.Assign does. Level l has
// the anchors starts[l] to starts[l+1]. An anchor that several objects select learns the one it overlaps most, of equal
// overlaps the first. All other anchors are background, or ignored inside a crowd region.
func (a ATSS) AssignLevels(anchors []box.Box, starts []int, gt []box.Box, class []int32, crowd []bool) (labels, matched []int32) {
	if len(class) != len(gt) || crowd != nil && len(crowd) != len(gt) {
		panic(fmt.Sprintf("anchors: %d objects with %d classes and %d crowd flags", len(gt), len(class), len(crowd)))
	}
	labels, matched = make([]int32, len(anchors)), make([]int32, len(anchors))
	for i := range labels {
		labels[i], matched[i] = Background, -1
	}
	best := make([]float32, len(anchors))
	levels := make([]level, len(starts)-1)
	for l := range levels {
		levels[l] = newLevel(anchors[starts[l]:starts[l+1]], starts[l])
	}
	for g, b := range gt {
		if crowd != nil && crowd[g] || !(b.W() > 0 && b.H() > 0) {
			continue
		}
		candidates := a.candidates(levels, b)
		least := threshold(anchors, candidates, b)
		for _, i := range candidates {
			v := anchors[i].IoU(b)
			if float64(v) < least || !centred(anchors[i], b) || v <= best[i] {
				continue
			}
			best[i], labels[i], matched[i] = v, class[g], int32(g)
		}
	}
	var rows []box.Box
	for g, b := range gt {
		if crowd != nil && crowd[g] {
			if rows == nil {
				rows = extents(anchors)
			}
			Matcher{CrowdIoF: a.CrowdIoF}.ignore(anchors, rows, b, labels)
		}
	}
	return labels, matched
}

// Nearest returns the number of candidates of each level: TopK*PerCell, with their defaults.
func (a ATSS) Nearest() int {
	k := a.TopK
	if k == 0 {
		k = 9
	}
	return k * max(a.PerCell, 1)
}

// LeastIoF returns CrowdIoF or its default.
func (a ATSS) LeastIoF() float32 { return Matcher{CrowdIoF: a.CrowdIoF}.LeastIoF() }

// candidates returns the anchors of each level whose centres are nearest to the object's, Nearest of each, in order of distance and then
// of index.
func (a ATSS) candidates(levels []level, b box.Box) []int {
	x, y := center(b)
	var out []int
	for l := range levels {
		out = levels[l].nearest(out, x, y, a.Nearest())
	}
	return out
}

// threshold returns the mean plus the (unbiased) standard deviation of the candidates' overlaps.
func threshold(anchors []box.Box, candidates []int, b box.Box) float64 {
	n := float64(len(candidates))
	var sum, squares float64
	for _, i := range candidates {
		sum += float64(anchors[i].IoU(b))
	}
	for _, i := range candidates {
		d := float64(anchors[i].IoU(b)) - sum/n
		squares += d * d
	}
	return sum/n + math.Sqrt(squares/max(n-1, 1))
}

// centred reports whether an anchor's centre lies inside an object.
func centred(a, b box.Box) bool {
	x, y := center(a)
	return min(x-float64(b.X1), y-float64(b.Y1), float64(b.X2)-x, float64(b.Y2)-y) > inner
}

func center(b box.Box) (x, y float64) {
	return (float64(b.X1) + float64(b.X2)) / 2, (float64(b.Y1) + float64(b.Y2)) / 2
}

// AssignLevels calls Assign: a Matcher does not need the levels.
func (m Matcher) AssignLevels(anchors []box.Box, _ []int, gt []box.Box, class []int32, crowd []bool) (labels, matched []int32) {
	return m.Assign(anchors, gt, class, crowd)
}
