package nms

import (
	"fmt"

	"retinago/box"
)

// ClassWise is Greedy within each class. It returns the indices of at most max boxes of all classes together, by
// falling score; max 0 is no limit. It stops once it has them.
func ClassWise(boxes []box.Box, scores []float32, classes []int32, iou float32, max int) []int {
	if len(boxes) != len(classes) {
		panic(fmt.Sprintf("nms: %d boxes with %d classes", len(boxes), len(classes)))
	}
	order := byScore(boxes, scores)
	byClass := map[int32]*kept{}
	var out []int
	for _, i := range order {
		k := byClass[classes[i]]
		if k == nil {
			k = newKept(boxes, iou)
			byClass[classes[i]] = k
		}
		if k.suppress(boxes[i]) {
			continue
		}
		k.add(boxes[i])
		out = append(out, int(i))
		if len(out) == max {
			break
		}
	}
	return out
}
