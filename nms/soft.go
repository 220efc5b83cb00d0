package nms

import (
	"math"

	"retinago/box"
)

// Soft lowers the scores of boxes that overlap a better one of their class, instead of dropping them (Bodla et al.
// 2017, "Soft-NMS"). With Sigma the factor is exp(-iou^2/Sigma) (eq. 3), without it 1-iou where iou is above IoU
// (eq. 2). Boxes whose score falls below Least go, and those that fall to 0. Time is quadratic in the boxes of a class.
type Soft struct {
	IoU   float32
	Sigma float32
	Least float32
}

// Run returns at most max boxes by falling lowered score; max 0 is no limit.
func (s Soft) Run(boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
	var out []Selected
	for _, g := range groups(boxes, scores, classes) {
		rest := make([]Selected, len(g))
		for n, i := range g {
			rest[n] = Selected{int(i), boxes[i], scores[i], classes[i]}
		}
		for len(rest) > 0 {
			top := 0
			for n, k := range rest {
				if k.Score > rest[top].Score || k.Score == rest[top].Score && k.Index < rest[top].Index {
					top = n
				}
			}
			k := rest[top]
			rest[top] = rest[len(rest)-1]
			rest = rest[:len(rest)-1]
			out = append(out, k)
			left := rest[:0]
			for _, o := range rest {
				o.Score *= s.factor(k.Box.IoU(o.Box))
				if o.Score > 0 && o.Score >= s.Least {
					left = append(left, o)
				}
			}
			rest = left
		}
	}
	return best(out, max)
}

func (s Soft) factor(iou float32) float32 {
	switch {
	case s.Sigma > 0:
		return float32(math.Exp(-float64(iou) * float64(iou) / float64(s.Sigma)))
	case iou > s.IoU:
		return 1 - iou
	}
	return 1
}
