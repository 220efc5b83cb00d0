package engine

import "gorgonia.org/tensor"

// Detecting is an engine that makes detections of a network's outputs, so that these need not come to the host.
type Detecting interface {
	// Detect decodes the outputs for N pictures, waits, and returns what each of the N choices finds in its picture: with thin the
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

// Choice says what is wanted of one picture.
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
