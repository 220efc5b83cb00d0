package detector

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
)

// Wanted says what is looked for in one image of a batch.
type Wanted struct {
	W, H       float32 // the image's pixels on its canvas; where there are none, nothing is found
	Decoding   Decoding
	Candidates bool // they are wanted, not detections
	Highest    bool // the highest score is wanted where nothing is found
}

// Found is what Wanted gets.
type Found struct {
	Detections []Detection
	Candidates Candidates
	Times      [2]time.Duration // of decoding and of NMS, where the host did them
	Highest    float32          // score of the classes that are wanted; 0 where it is not known, as on an engine that makes detections itself
}

// greedy reports whether NMS is the method that engines know.
func (d Decoding) greedy() bool {
	return d.Method == "" || d.Method == "greedy" || d.Method == "agnostic"
}

// Find runs a graph on images [N,H,W,3] and returns what is wanted of the first of them, image by image. The heads' outputs stay
// where they are, on an engine that makes detections itself and on one that the host can read.
func (m *Model) Find(t *Net, images []float32, want []Wanted) ([]Found, error) {
	if t.Detects() {
		return t.Detect(images, want)
	}
	raw, err := t.Look(images)
	if err != nil {
		return nil, err
	}
	out := make([]Found, len(want))
	for i, w := range want {
		out[i] = m.Found(raw, i, t.shape.h, t.shape.w, w)
	}
	return out, nil
}

// Found is what is wanted of image i, from the outputs for all.
func (m *Model) Found(raw *Raw, i, canvasH, canvasW int, w Wanted) (f Found) {
	switch {
	case w.W <= 0 || w.H <= 0:
	case w.Candidates:
		begin := time.Now()
		f.Candidates = m.Candidates(raw, i, canvasH, canvasW, w.W, w.H, w.Decoding)
		f.Times[0] = time.Since(begin)
	default:
		f.Detections, f.Times = m.decodeTimed(raw, i, canvasH, canvasW, w.W, w.H, w.Decoding)
	}
	if w.Highest && len(f.Detections)+len(f.Candidates.Boxes) == 0 && w.W > 0 && w.H > 0 {
		f.Highest = raw.highest(i, w.Decoding)
	}
	return f
}

// highest is the highest score of image i, of the classes that are wanted.
func (r *Raw) highest(i int, d Decoding) float32 {
	best := float32(math.Inf(-1))
	for _, level := range r.Logits {
		of := level[i*len(level)/r.N : (i+1)*len(level)/r.N]
		for at := 0; at < len(of); at += r.Classes {
			for k, v := range of[at : at+r.Classes] {
				if v > best && (d.Only == nil || d.Only[k]) && (d.Scores == nil || d.Scores[k] <= 1) {
					best = v
				}
			}
		}
	}
	return float32(1 / (1 + math.Exp(-float64(best))))
}

// Detects reports whether the engine makes detections of this graph's outputs itself. It does not know softmax with background.
func (t *Net) Detects() bool { return t.detecting != nil }

// Detect is Run and Decode on an engine that Detects. NMS other than greedy is done here, on candidates.
func (t *Net) Detect(images []float32, want []Wanted) ([]Found, error) {
	if err := t.run(images); err != nil {
		return nil, err
	}
	heads := engine.Heads{Anchors: t.anchors, Classes: t.classes}
	for l := range t.logits {
		heads.Logits, heads.Deltas = append(heads.Logits, t.machine.Value(t.logits[l])), append(heads.Deltas, t.machine.Value(t.deltas[l]))
	}
	choices := make([]engine.Choice, t.shape.n)
	thin := true
	for i, w := range want {
		choices[i] = w.Choice()
		thin = thin && !w.Candidates && w.Decoding.greedy()
	}
	found, err := t.detecting.Detect(heads, choices, thin)
	if err != nil {
		return nil, fmt.Errorf("detector: detections: %w", err)
	}
	out := make([]Found, len(want))
	for i, w := range want {
		if thin {
			for _, f := range found[i] {
				out[i].Detections = append(out[i].Detections, Detection{Box: boxOf(f), Class: f.Class, Score: f.Score})
			}
			continue
		}
		c := candidatesOf(found[i])
		if w.Candidates {
			out[i].Candidates = c
			continue
		}
		begin := time.Now()
		out[i].Detections = w.Decoding.Suppress(c)
		out[i].Times[1] = time.Since(begin)
	}
	return out, nil
}

func boxOf(f engine.Found) box.Box { return box.Box{X1: f.X1, Y1: f.Y1, X2: f.X2, Y2: f.Y2} }

func candidatesOf(found []engine.Found) (c Candidates) {
	for _, f := range found {
		c.Boxes, c.Scores, c.Classes = append(c.Boxes, boxOf(f)), append(c.Scores, f.Score), append(c.Classes, f.Class)
	}
	return c
}

// Choice returns the request in the form that engines take.
func (w Wanted) Choice() engine.Choice {
	if w.W <= 0 || w.H <= 0 {
		return engine.Choice{}
	}
	d := w.Decoding
	c := engine.Choice{TopK: d.TopK, Floor: logitOf(d.least()), Floors: d.floors(), Least: d.Scores, W: w.W, H: w.H, IoU: d.NMS, Agnostic: d.Method == "agnostic", Most: d.MaxDets}
	if d.Only == nil {
		return c
	}
	if c.Least = slices.Clone(d.Scores); c.Least == nil {
		c.Least = make([]float32, len(d.Only))
	}
	for k, keep := range d.Only {
		if !keep {
			c.Least[k] = float32(math.Inf(1))
		}
	}
	return c
}

// detects gives a graph its anchors on an engine that makes detections.
func (m *Model) detects(t *Net) error {
	e, ok := engine.As[engine.DetectionMaker](m.engine, engine.Detection{Levels: len(t.logits)})
	if !ok || m.head.Background {
		return nil
	}
	var err error
	if t.anchors, err = m.anchorTensor(t.inputs, t.shape); err == nil {
		t.detecting = e
	}
	return err
}

// anchorTensor is a canvas's anchors [all,4] on the engine.
func (m *Model) anchorTensor(in *inputs, k shape) (*tensor.Dense, error) {
	grid, _ := m.Anchors(k.h, k.w)
	flat := make([]float32, 0, 4*len(grid))
	for _, a := range grid {
		flat = append(flat, a.X1, a.Y1, a.X2, a.Y2)
	}
	t := in.tensor(tensor.Float32, len(grid), 4)
	if in.err != nil {
		return nil, in.err
	}
	return t, m.engine.Upload(t, flat)
}
