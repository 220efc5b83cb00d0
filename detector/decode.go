package detector

import (
	"math"
	"slices"
	"time"

	"retinago/anchors"
	"retinago/box"
	"retinago/nms"
)

// Detection is one detected object.
type Detection struct {
	Box   box.Box
	Class int32
	Score float32
}

// Decoding holds the settings by which raw outputs become detections.
type Decoding struct {
	Score   float32   // lowest score
	Scores  []float32 // lowest score of each class, above 1 to exclude a class; nil is Score for all
	TopK    int       // candidates kept per level, by score
	Method  string    // of package nms; empty is greedy
	NMS     float32   // IoU above which boxes count as one object
	Sigma   float32   // of the methods with a Gaussian; 0 is the method's default
	MaxDets int       // per image
	Only    []bool    // by class: true for the classes to keep of the TopK; nil keeps all
}

// Candidates are boxes before NMS, level by level, sorted by falling score within a level.
type Candidates struct {
	Boxes   []box.Box // on the canvas
	Scores  []float32
	Classes []int32
}

// NMSMethod returns the NMS method of d. Scores that the method lowers are also compared with the lowest score.
func (d Decoding) NMSMethod() nms.Method {
	return nms.Method{Kind: d.Method, IoU: d.NMS, Sigma: d.Sigma, Least: d.least()}
}

// Keeps reports whether a detection of a class with this score is kept.
func (d Decoding) Keeps(class int32, score float32) bool {
	if d.Scores == nil {
		return score >= d.Score
	}
	return score >= d.Scores[class]
}

// least returns the smallest of the lowest scores of all classes.
func (d Decoding) least() float32 {
	if d.Scores == nil {
		return d.Score
	}
	return slices.Min(d.Scores)
}

// floors returns the lowest scores of classes as logits, nil without Scores.
func (d Decoding) floors() (out []float32) {
	for _, v := range d.Scores {
		out = append(out, logitOf(v))
	}
	return out
}

// logitOf is log p/(1-p), infinite from 1 on.
func logitOf(p float32) float32 {
	if p >= 1 {
		return float32(math.Inf(1))
	}
	return float32(math.Log(float64(p) / (1 - float64(p))))
}

// Decode turns the outputs for image i into boxes on its canvas, clipped to the image's w x h pixels there
// (Lin et al. 2017, section 4.1, "Inference"). Scores are compared as logits, so that no sigmoid is computed for background.
func (m *Model) Decode(raw *Raw, i, canvasH, canvasW int, w, h float32, d Decoding) []Detection {
	out, _ := m.decodeTimed(raw, i, canvasH, canvasW, w, h, d)
	return out
}

// decodeTimed is Decode; it also returns the durations of decoding and NMS.
func (m *Model) decodeTimed(raw *Raw, i, canvasH, canvasW int, w, h float32, d Decoding) ([]Detection, [2]time.Duration) {
	begin := time.Now()
	c := m.Candidates(raw, i, canvasH, canvasW, w, h, d)
	decoded := time.Now()
	out := d.Suppress(c)
	return out, [2]time.Duration{decoded.Sub(begin), time.Since(decoded)}
}

// Candidates is the part of Decode before NMS. Raising the lowest score only removes candidates.
func (m *Model) Candidates(raw *Raw, i, canvasH, canvasW int, w, h float32, d Decoding) Candidates {
	grid, starts := m.Anchors(canvasH, canvasW)
	coder := anchors.NewCoder()
	var c Candidates
	logits := make([][]float32, m.Levels())
	for l := range logits {
		n := (starts[l+1] - starts[l]) * raw.Classes
		logits[l] = raw.Logits[l][i*n : (i+1)*n]
	}
	for l, places := range tops(logits, logitOf(d.least()), d.floors(), d.TopK) {
		deltas := raw.Deltas[l][i*4*(starts[l+1]-starts[l]):]
		for _, at := range places {
			class := at % raw.Classes
			if d.Only != nil && !d.Only[class] {
				continue
			}
			anchor := at / raw.Classes
			c.Boxes = append(c.Boxes, coder.Decode(grid[starts[l]+anchor], [4]float32(deltas[4*anchor:])).Clip(w, h))
			c.Scores = append(c.Scores, float32(1/(1+math.Exp(-float64(logits[l][at])))))
			c.Classes = append(c.Classes, int32(class))
		}
	}
	return c
}

// Suppress returns the detections among candidates: NMS, thresholds by class, and at most MaxDets. It is the part of Decode after Candidates.
func (d Decoding) Suppress(c Candidates) []Detection {
	var out []Detection
	most := d.MaxDets
	if d.Scores != nil {
		most = 0 // those of MaxDets that a class's own threshold drops would leave room
	}
	for _, k := range d.NMSMethod().Run(c.Boxes, c.Scores, c.Classes, most) {
		if d.Scores != nil && k.Score < d.Scores[k.Class] {
			continue
		}
		if out = append(out, Detection{Box: k.Box, Class: k.Class, Score: k.Score}); len(out) == d.MaxDets {
			break
		}
	}
	return out
}
