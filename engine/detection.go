package engine

import "gorgonia.org/tensor"

// DetectionMaker is an engine that makes detections of a network's outputs, so that these need not come to the host.
type DetectionMaker interface {
	// Detect decodes the outputs for N images, waits, and returns what each of the N choices finds in its image: with thin the
	// boxes that NMS leaves, by falling score; without it the candidates, level by level, each by falling logit. At most MostLevels
	// levels.
	Detect(h Heads, p []Choice, thin bool) ([][]Found, error)
}

// MostLevels bounds the levels of Heads.
const MostLevels = 8

// Heads are the outputs of a network's heads, level by level, and its anchors.
type Heads struct {
	Logits  []*tensor.Dense // [N,...] seen as [N, anchors of the level, K]
	Deltas  []*tensor.Dense // [N,...] seen as [N, anchors of the level, 4]
	Anchors *tensor.Dense   // [anchors of all levels, 4]: x1, y1, x2, y2
	Classes int             // K
}

// Choice says what is wanted of one image.
type Choice struct {
	TopK   int       // candidates of each level: the largest logits above Floor and Floors, of equal ones those of the least anchor and class
	Floor  float32   // of every logit
	Floors []float32 // of each class's; nil is Floor for all
	Least  []float32 // score of each class below which NMS's boxes go, infinite for a class whose candidates go before it; nil keeps all
	W, H   float32   // pixels that boxes are clipped to

	IoU      float32 // above which a box suppresses another of its class (greedy NMS)
	Agnostic bool    // of every class
	Most     int     // boxes; 0 is no limit
}

// Found is a box with its class.
type Found struct {
	X1, Y1, X2, Y2 float32
	Score          float32 // the logit's sigmoid
	Class          int32
}

// MostNearest bounds MatchParams.Nearest.
const MostNearest = 1024

// Matcher is an engine that matches anchors and objects itself.
type Matcher interface {
	// Assign queues the writing of what each anchor of N images learns, by the IoU with the image's objects (anchors.Matcher), or
	// by ATSS. At most MostLevels levels. counts waits for how many anchors of each image are positive, and how many are not ignored; it is
	// called once.
	Assign(t Targets, objects [][]Object, p MatchParams) (counts func() ([][2]int, error), err error)
	// Normalize queues factors [N] on each image's class and box losses by the counts of the last Assign.
	Normalize(class, box *tensor.Dense, p NormalizeParams) error
}

// Targets are where Assign writes.
type Targets struct {
	Anchors *tensor.Dense   // [anchors of all levels, 4], read
	Labels  []*tensor.Dense // by level [N, anchors] int32: a class, -1 background, -2 ignored
	Deltas  []*tensor.Dense // by level [N, anchors, 4], 0 where the label is no class
}

// Object is a box to be found, or a crowd region.
type Object struct {
	X1, Y1, X2, Y2 float32
	Class          int32
	Crowd          bool
}

// MatchParams are anchors.Matcher's, none of them a default, or those of anchors.ATSS.
type MatchParams struct {
	Foreground, Background float32
	AllowLowQuality        bool
	CrowdIoF               float32

	// Nearest is the candidates of each level for an object by ATSS, which reads nothing else but CrowdIoF; 0 is for matching by IoU.
	Nearest int
}

// NormalizeParams say what losses are divided by: the positive anchors of all images, but at least 1.
type NormalizeParams struct {
	ByPicture bool // each by its own, times their number
	Counted   bool // by the anchors that are not ignored
	BoxWeight float32

	// Average divides in their place: the bits of a float64, [2] int32, that moves by a tenth towards the positive anchors of all. nil
	// is for none.
	Average *tensor.Dense
}
