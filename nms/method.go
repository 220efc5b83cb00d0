package nms

import (
	"fmt"
	"slices"
	"strings"

	"retinago/box"
)

// Kept is a detection that stays.
type Kept struct {
	Index int     // among the boxes of the call; of a fused box, its best member
	Box   box.Box // as it was, or fused
	Score float32 // as it was, or lowered
	Class int32
}

// Method is a way to thin out detections. Zero values take the defaults in brackets.
type Method struct {
	Kind  string  // one of Kinds ["greedy"]
	IoU   float32 // the overlap above which boxes are of one object
	Sigma float32 // width of the Gaussian kernels [.5 for soft-gaussian, 2 for matrix-gaussian]
	Least float32 // lowered scores below it go [0]
}

// Kinds are the methods that there are:
//
//	greedy           within each class, the paper's
//	agnostic         greedy over all classes together
//	diou             greedy by DIoU: near boxes with distant centres stay (Zheng et al. 2020, eq. 5)
//	soft-linear      scores are lowered by the overlap (Bodla et al. 2017, eq. 2)
//	soft-gaussian    scores are lowered smoothly (eq. 3)
//	matrix-linear    all scores are lowered at once (Wang et al. 2020, "SOLOv2", eqs. 3-5)
//	matrix-gaussian  the same with a Gaussian
//	fuse             boxes of one object are averaged (Solovyev et al. 2021)
func Kinds() []string {
	return []string{"greedy", "agnostic", "diou", "soft-linear", "soft-gaussian", "matrix-linear", "matrix-gaussian", "fuse"}
}

// Check tells whether the method is one.
func (m Method) Check() error {
	if m.Kind != "" && !slices.Contains(Kinds(), m.Kind) {
		return fmt.Errorf("nms: unknown method %q; there are %s", m.Kind, strings.Join(Kinds(), ", "))
	}
	return nil
}

// Run returns at most max detections by falling score; max 0 is no limit. Boxes with a score or coordinate that is not
// a number are dropped. An unknown Kind panics; see Check.
func (m Method) Run(boxes []box.Box, scores []float32, classes []int32, max int) []Kept {
	sigma := func(d float32) float32 {
		if m.Sigma > 0 {
			return m.Sigma
		}
		return d
	}
	var indices []int
	switch m.Kind {
	case "", "greedy":
		indices = ClassWise(boxes, scores, classes, m.IoU, max)
	case "agnostic":
		indices = Agnostic(boxes, scores, m.IoU, max)
	case "diou":
		indices = DIoU(boxes, scores, classes, m.IoU, max)
	case "soft-linear":
		return Soft{IoU: m.IoU, Least: m.Least}.Run(boxes, scores, classes, max)
	case "soft-gaussian":
		return Soft{Sigma: sigma(.5), Least: m.Least}.Run(boxes, scores, classes, max)
	case "matrix-linear":
		return Matrix{Least: m.Least}.Run(boxes, scores, classes, max)
	case "matrix-gaussian":
		return Matrix{Sigma: sigma(2), Least: m.Least}.Run(boxes, scores, classes, max)
	case "fuse":
		return Fuse{IoU: m.IoU, Least: m.Least}.Run(boxes, scores, classes, max)
	default:
		panic(m.Check().Error())
	}
	out := make([]Kept, len(indices))
	for i, k := range indices {
		out[i] = Kept{k, boxes[k], scores[k], classes[k]}
	}
	return out
}

// Agnostic is Greedy that stops at max boxes; max 0 is no limit.
func Agnostic(boxes []box.Box, scores []float32, iou float32, max int) []int {
	return ClassWise(boxes, scores, make([]int32, len(boxes)), iou, max)
}

// best sorts by falling score, equal ones by index, and keeps max of them.
func best(k []Kept, max int) []Kept {
	slices.SortFunc(k, func(a, b Kept) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return a.Index - b.Index
	})
	if max > 0 && len(k) > max {
		k = k[:max]
	}
	return k
}

// groups splits the boxes that are numbers by class, each by falling score. Classes come in the order of their best box.
func groups(boxes []box.Box, scores []float32, classes []int32) [][]int32 {
	if len(boxes) != len(classes) {
		panic(fmt.Sprintf("nms: %d boxes with %d classes", len(boxes), len(classes)))
	}
	return split(byScore(boxes, scores), classes)
}
