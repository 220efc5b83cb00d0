package nms

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"retinago/box"
)

// many is the least number of boxes for which classes run on several goroutines.
const many = 4096

// ClassWise is Greedy within each class. It returns the indices of at most max boxes of all classes together, by
// falling score; max 0 is no limit. With a limit it stops once it has max boxes; without one it may work on several classes at once.
func ClassWise(boxes []box.Box, scores []float32, classes []int32, iou float32, max int) []int {
	if len(boxes) != len(classes) {
		panic(fmt.Sprintf("nms: %d boxes with %d classes", len(boxes), len(classes)))
	}
	order, p := byScore(boxes, scores), newPlane(boxes, iou)
	if max == 0 && len(order) >= many {
		return p.classes(order, boxes, classes)
	}
	byClass := map[int32]*selection{}
	var out []int
	for _, i := range order {
		s := byClass[classes[i]]
		if s == nil {
			s = p.newSelection()
			byClass[classes[i]] = s
		}
		if s.admit(boxes[i]) {
			if out = append(out, int(i)); len(out) == max {
				break
			}
		}
	}
	return out
}

// classes is ClassWise without a limit, for boxes in their order.
func (p *plane) classes(order []int32, boxes []box.Box, classes []int32) []int {
	groups := split(order, classes)
	stays := make([]bool, len(boxes))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(groups)) {
		all.Go(func() {
			for {
				g := int(next.Add(1)) - 1
				if g >= len(groups) {
					return
				}
				s := p.newSelection()
				for _, i := range groups[g] {
					stays[i] = s.admit(boxes[i])
				}
			}
		})
	}
	all.Wait()
	var out []int
	for _, i := range order {
		if stays[i] {
			out = append(out, int(i))
		}
	}
	return out
}

// split groups indices by class and keeps their order. Classes come in the order of their first index.
func split(order, classes []int32) [][]int32 {
	at := map[int32]int{}
	var out [][]int32
	for _, i := range order {
		g, ok := at[classes[i]]
		if !ok {
			g = len(out)
			at[classes[i]] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}
