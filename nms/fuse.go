package nms

import "retinago/box"

// Fuse averages the boxes of one object, of one model or of several (Solovyev et al. 2021, "Weighted boxes fusion").
// Boxes are taken by falling score; each joins the fused box of its class that it overlaps most, if by more than IoU.
// A fused box has its members' corners weighted by their scores, and the mean of their scores; with Models above 1
// this is multiplied by min(members, Models)/Models, so that an object that one model alone found counts less. Boxes with a score
// below Least, or not above 0, do not take part.
type Fuse struct {
	IoU    float32
	Least  float32
	Models int
}

// cluster is a fused box with the sums of its members.
type cluster struct {
	Selected
	x1, y1, x2, y2, sum float64 // weighted by score
	n                   int
}

// Run returns at most max fused boxes by falling score; max 0 is no limit.
func (f Fuse) Run(boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
	var out []Selected
	for _, g := range groups(boxes, scores, classes) {
		var all []*cluster
		for _, i := range g {
			if s := scores[i]; !(s > 0) || s < f.Least {
				continue
			}
			c := nearest(all, boxes[i], f.IoU)
			if c == nil {
				c = &cluster{Selected: Selected{Index: int(i), Class: classes[i]}}
				all = append(all, c)
			}
			c.add(boxes[i], scores[i])
		}
		for _, c := range all {
			c.Score = float32(c.sum / float64(c.n))
			if f.Models > 1 {
				c.Score *= float32(min(c.n, f.Models)) / float32(f.Models)
			}
			out = append(out, c.Selected)
		}
	}
	return best(out, max)
}

// nearest returns the cluster that a box overlaps most, nil if it overlaps none by more than iou.
func nearest(all []*cluster, b box.Box, iou float32) *cluster {
	var found *cluster
	for _, c := range all {
		if v := c.Box.IoU(b); v > iou {
			found, iou = c, v
		}
	}
	return found
}

func (c *cluster) add(b box.Box, score float32) {
	s := float64(score)
	c.x1, c.y1 = c.x1+s*float64(b.X1), c.y1+s*float64(b.Y1)
	c.x2, c.y2 = c.x2+s*float64(b.X2), c.y2+s*float64(b.Y2)
	c.sum += s
	c.n++
	c.Box = box.Box{X1: float32(c.x1 / c.sum), Y1: float32(c.y1 / c.sum), X2: float32(c.x2 / c.sum), Y2: float32(c.y2 / c.sum)}
}
