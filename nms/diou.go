package nms

import "retinago/box"

// DIoU is ClassWise with IoU - d^2/c^2 in place of IoU, where d is the distance of the centres and c the diagonal of
// the box around both (Zheng et al. 2020, "Distance-IoU Loss", eq. 5).
func DIoU(boxes []box.Box, scores []float32, classes []int32, threshold float32, max int) []int {
	var out []Selected
	for _, g := range groups(boxes, scores, classes) {
		var selected []int32
		for _, i := range g {
			if !suppressed(boxes, selected, i, threshold) {
				selected = append(selected, i)
				out = append(out, Selected{Index: int(i), Score: scores[i]})
			}
		}
	}
	var indices []int
	for _, k := range best(out, max) {
		indices = append(indices, k.Index)
	}
	return indices
}

func suppressed(boxes []box.Box, selected []int32, i int32, threshold float32) bool {
	for _, k := range selected {
		if iou := boxes[i].IoU(boxes[k]); iou > threshold && iou-apart(boxes[i], boxes[k]) > threshold {
			return true
		}
	}
	return false
}

// apart is d^2/c^2.
func apart(a, b box.Box) float32 {
	w, h := max(a.X2, b.X2)-min(a.X1, b.X1), max(a.Y2, b.Y2)-min(a.Y1, b.Y1)
	c := w*w + h*h
	if c == 0 {
		return 0
	}
	dx, dy := (a.X1+a.X2-b.X1-b.X2)/2, (a.Y1+a.Y2-b.Y1-b.Y2)/2
	return (dx*dx + dy*dy) / c
}
