package nms

import (
	"math"

	"retinago/box"
)

// Matrix lowers all scores of a class at once (Wang et al. 2020, "SOLOv2", eqs. 3-5): box j by the least, over better
// boxes i, of f(iou_ij)/f(the largest overlap of i with a better one), where f(x) is exp(-Sigma x^2), or 1-x without
// Sigma. Boxes whose score falls below Least go, and those that fall to 0.
type Matrix struct {
	Sigma float32
	Least float32
}

// Run returns at most max boxes by falling lowered score; max 0 is no limit.
func (m Matrix) Run(boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
	var out []Selected
	for _, g := range groups(boxes, scores, classes) {
		most := make([]float64, len(g)) // largest overlap with a better box
		for j, b := range g {
			decay := 1.
			for i := range j {
				iou := float64(boxes[g[i]].IoU(boxes[b]))
				most[j] = math.Max(most[j], iou)
				decay = math.Min(decay, m.ratio(iou, most[i]))
			}
			if s := scores[b] * float32(decay); s > 0 && s >= m.Least {
				out = append(out, Selected{int(b), boxes[b], s, classes[b]})
			}
		}
	}
	return best(out, max)
}

// ratio returns f(iou)/f(most); without Sigma it is 1 if most is 1.
func (m Matrix) ratio(iou, most float64) float64 {
	if m.Sigma > 0 {
		return math.Exp(float64(m.Sigma) * (most*most - iou*iou))
	}
	if most >= 1 {
		return 1
	}
	return (1 - iou) / (1 - most)
}
