package nms

import (
	"fmt"
	"slices"

	"retinago/box"
)

// Greedy returns the indices of the boxes that stay, by falling score. It takes the best box, drops all that overlap
// it by more than iou, and goes on with the best of the rest.
//
// Time is N log N for sorting and at most N times the boxes that stay, far fewer where they are spread out.
func Greedy(boxes []box.Box, scores []float32, iou float32) []int {
	order := byScore(boxes, scores)
	k := newKept(boxes, iou)
	var out []int
	for _, i := range order {
		if !k.suppress(boxes[i]) {
			k.add(boxes[i])
			out = append(out, int(i))
		}
	}
	return out
}

// byScore returns the indices by falling score, equal ones by index, without those that are not numbers.
func byScore(boxes []box.Box, scores []float32) []int32 {
	if len(boxes) != len(scores) {
		panic(fmt.Sprintf("nms: %d boxes with %d scores", len(boxes), len(scores)))
	}
	order := make([]int32, 0, len(boxes))
	for i, b := range boxes {
		if scores[i] == scores[i] && b.X1 == b.X1 && b.Y1 == b.Y1 && b.X2 == b.X2 && b.Y2 == b.Y2 { // none is NaN
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch x, y := scores[a], scores[b]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return int(a - b)
	})
	return order
}
