package nms

import "retinago/box"

// Greedy returns the indices of the boxes that stay, by falling score. It takes the best box, drops all that overlap
// it by more than iou, and goes on with the best of the rest.
//
// Time is N for sorting and at most N times the boxes that stay, far fewer where they are spread out.
func Greedy(boxes []box.Box, scores []float32, iou float32) []int {
	order := byScore(boxes, scores)
	s := newPlane(boxes, iou).newSelection()
	var out []int
	for _, i := range order {
		if s.admit(boxes[i]) {
			out = append(out, int(i))
		}
	}
	return out
}
