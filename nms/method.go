package nms

import (
	"fmt"
	"slices"

	"retinago/box"
	"retinago/internal/kinds"
)

// Selected is a detection that suppression leaves.
type Selected struct {
	Index int     // among the boxes of the call; of a fused box, its best member
	Box   box.Box // as it was, or fused
	Score float32 // as it was, or lowered
	Class int32
}

// Method suppresses duplicate detections. Zero values take the defaults in brackets.
type Method struct {
	Kind  string  // the name of one of Kinds ["greedy"]
	IoU   float32 // the overlap above which boxes are of one object
	Sigma float32 // width of the Gaussian kernels [.5 for soft-gaussian, 2 for matrix-gaussian]
	Least float32 // detections whose lowered score is below it are dropped [0]
}

// Kind is a method with its name.
type Kind struct {
	kinds.Kind
	run func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected
}

// iouParam is the setting that most methods read.
var iouParam = kinds.Param{Key: "nms", Default: .5, Max: 1, Text: "IoU above which boxes are of one object"}

// Kinds lists the methods.
var Kinds = []Kind{
	greedy("greedy", "within each class, the paper's", ClassWise),
	greedy("agnostic", "greedy over all classes together", func(boxes []box.Box, scores []float32, _ []int32, iou float32, max int) []int {
		return Agnostic(boxes, scores, iou, max)
	}),
	greedy("diou", "greedy by DIoU: near boxes with distant centres stay (Zheng et al. 2020, eq. 5)", DIoU),
	{
		Kind: kinds.Kind{Name: "soft-linear", Text: "scores are lowered by the overlap (Bodla et al. 2017, eq. 2)", Params: []kinds.Param{iouParam}},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			return Soft{IoU: m.IoU, Least: m.Least}.Run(boxes, scores, classes, max)
		},
	},
	{
		Kind: kinds.Kind{Name: "soft-gaussian", Text: "scores are lowered smoothly (Bodla et al. 2017, eq. 3)"},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			return Soft{Sigma: m.sigma(.5), Least: m.Least}.Run(boxes, scores, classes, max)
		},
	},
	{
		Kind: kinds.Kind{Name: "matrix-linear", Text: "all scores are lowered at once (Wang et al. 2020, SOLOv2, eqs. 3-5)"},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			return Matrix{Least: m.Least}.Run(boxes, scores, classes, max)
		},
	},
	{
		Kind: kinds.Kind{Name: "matrix-gaussian", Text: "matrix-linear with a Gaussian"},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			return Matrix{Sigma: m.sigma(2), Least: m.Least}.Run(boxes, scores, classes, max)
		},
	},
	{
		Kind: kinds.Kind{Name: "fuse", Text: "boxes of one object are averaged (Solovyev et al. 2021)", Params: []kinds.Param{iouParam}},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			return Fuse{IoU: m.IoU, Least: m.Least}.Run(boxes, scores, classes, max)
		},
	},
}

// greedy makes a method of a function that returns the indices of selected boxes.
func greedy(name, text string, f func(boxes []box.Box, scores []float32, classes []int32, iou float32, max int) []int) Kind {
	return Kind{
		Kind: kinds.Kind{Name: name, Text: text, Params: []kinds.Param{iouParam}},
		run: func(m Method, boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
			indices := f(boxes, scores, classes, m.IoU, max)
			out := make([]Selected, len(indices))
			for i, k := range indices {
				out[i] = Selected{k, boxes[k], scores[k], classes[k]}
			}
			return out
		},
	}
}

// sigma returns Sigma or its default.
func (m Method) sigma(d float32) float32 {
	if m.Sigma > 0 {
		return m.Sigma
	}
	return d
}

// kind returns the entry of Kinds.
func (m Method) kind() (Kind, error) {
	if m.Kind == "" {
		m.Kind = "greedy"
	}
	k, err := kinds.Find(Kinds, "method", m.Kind)
	if err != nil {
		return k, fmt.Errorf("nms: %w", err)
	}
	return k, nil
}

// Check returns an error if Kind is unknown.
func (m Method) Check() error {
	_, err := m.kind()
	return err
}

// Run returns at most max detections by falling score; max 0 is no limit. Boxes with a score or coordinate that is not
// a number are dropped. An unknown Kind panics; see Check.
func (m Method) Run(boxes []box.Box, scores []float32, classes []int32, max int) []Selected {
	k, err := m.kind()
	if err != nil {
		panic(err.Error())
	}
	return k.run(m, boxes, scores, classes, max)
}

// Agnostic is Greedy that stops at max boxes; max 0 is no limit.
func Agnostic(boxes []box.Box, scores []float32, iou float32, max int) []int {
	return ClassWise(boxes, scores, make([]int32, len(boxes)), iou, max)
}

// best sorts by falling score, equal ones by index, and keeps max of them.
func best(k []Selected, max int) []Selected {
	slices.SortFunc(k, func(a, b Selected) int {
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

// groups splits boxes by class, each class by falling score, and drops boxes that are not numbers. Classes come in the order of their
// best box.
func groups(boxes []box.Box, scores []float32, classes []int32) [][]int32 {
	if len(boxes) != len(classes) {
		panic(fmt.Sprintf("nms: %d boxes with %d classes", len(boxes), len(classes)))
	}
	return split(byScore(boxes, scores), classes)
}
