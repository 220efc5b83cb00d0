package detector

import (
	"math"
	"slices"
	"time"

	"retinago/anchors"
	"retinago/box"
	"retinago/nms"
)

// Detection is one found object.
type Detection struct {
	Box   box.Box
	Class int32
	Score float32
}

// Decoding says how raw outputs become detections.
type Decoding struct {
	Score   float32 // least score
	TopK    int     // candidates kept per level, by score
	Method  string  // of package nms; empty is greedy
	NMS     float32 // IoU above which boxes are of one object
	MaxDets int     // per picture
}

// candidate is one anchor and class above the threshold.
type candidate struct {
	anchor int32 // in its level
	class  int32
	logit  float32
}

// Decode turns the outputs for picture i into boxes on its canvas, clipped to the picture's w x h pixels there
// (Lin et al. 2017, section 4.1, "Inference"). Scores are compared as logits: background never meets a sigmoid.
func (m *Model) Decode(raw *Raw, i, canvasH, canvasW int, w, h float32, d Decoding) []Detection {
	out, _ := m.DecodeTimed(raw, i, canvasH, canvasW, w, h, d)
	return out
}

// DecodeTimed is Decode with the time that decoding and NMS took.
func (m *Model) DecodeTimed(raw *Raw, i, canvasH, canvasW int, w, h float32, d Decoding) ([]Detection, [2]time.Duration) {
	begin := time.Now()
	grid, starts := m.Anchors(canvasH, canvasW)
	coder := anchors.NewCoder()
	least := float32(math.Log(float64(d.Score) / (1 - float64(d.Score))))
	var boxes []box.Box
	var scores []float32
	var classes []int32
	for l := range m.Levels() {
		n := starts[l+1] - starts[l]
		logits := raw.Logits[l][i*n*raw.Classes : (i+1)*n*raw.Classes]
		deltas := raw.Deltas[l][i*n*4 : (i+1)*n*4]
		for _, c := range top(logits, raw.Classes, least, d.TopK) {
			b := coder.Decode(grid[starts[l]+int(c.anchor)], [4]float32(deltas[4*c.anchor:])).Clip(w, h)
			boxes = append(boxes, b)
			scores = append(scores, float32(1/(1+math.Exp(-float64(c.logit)))))
			classes = append(classes, c.class)
		}
	}
	decoded := time.Now()
	var out []Detection
	// Lowered scores answer to the same threshold.
	for _, k := range (nms.Method{Kind: d.Method, IoU: d.NMS, Least: d.Score}).Run(boxes, scores, classes, d.MaxDets) {
		out = append(out, Detection{Box: k.Box, Class: k.Class, Score: k.Score})
	}
	return out, [2]time.Duration{decoded.Sub(begin), time.Since(decoded)}
}

// top returns the k largest logits above least, largest first; equal ones in order of anchor and class.
func top(logits []float32, classes int, least float32, k int) []candidate {
	var c []candidate
	for j, v := range logits {
		if v > least {
			c = append(c, candidate{int32(j / classes), int32(j % classes), v})
		}
	}
	slices.SortFunc(c, func(a, b candidate) int {
		switch {
		case a.logit != b.logit:
			if a.logit > b.logit {
				return -1
			}
			return 1
		case a.anchor != b.anchor:
			return int(a.anchor - b.anchor)
		}
		return int(a.class - b.class)
	})
	return c[:min(k, len(c))]
}
