package detector

import (
	"fmt"

	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/engine"
)

// Targets is Assign, put off: where the engine matches anchors itself, the objects are kept for it, and labels, deltas and counts are
// nil. It may be called from several goroutines.
func (m *Model) Targets(match anchors.Assigner, h, w int, pictures []Objects) *Targets {
	var p engine.MatchParams
	switch by := match.(type) {
	case anchors.Matcher:
		p = engine.MatchParams{Foreground: by.Foreground, Background: by.Background, AllowLowQuality: by.AllowLowQuality, CrowdIoF: by.LeastIoF()}
	case anchors.ATSS:
		p = engine.MatchParams{Nearest: by.Nearest(), CrowdIoF: by.LeastIoF()}
	default:
		return m.Assign(match, h, w, pictures)
	}
	if !m.engine.Supports(engine.Matching{MatchParams: p, Levels: m.Levels()}) {
		return m.Assign(match, h, w, pictures)
	}
	return &Targets{Objects: pictures, Match: &p}
}

// assign is the engine's part in targets.
type assign struct {
	engine  engine.Matcher           // nil where the host matches
	anchors *tensor.Dense            // [anchors of all levels, 4]
	counts  func() ([][2]int, error) // of the last batch, nil where the host matched its anchors
}

// send copies a batch's targets and factors to the graph, or has the engine make them.
func (s *TrainStep) send(up *uploads, b *Batch) error {
	s.assign.counts = nil
	t := b.Targets
	if t.Match == nil {
		up.to(s.classNorm, b.ClassNorm)
		up.to(s.boxNorm, b.BoxNorm)
		for l := range s.labels {
			from, to := t.Level[l], t.Level[l+1]
			up.to(s.labels[l], t.Labels[from:to])
			up.to(s.targets[l], t.Deltas[4*from:4*to])
		}
		return up.err
	}
	if up.err != nil {
		return up.err
	}
	if s.assign.engine == nil || len(t.Objects) != s.shape.n {
		return fmt.Errorf("objects of %d images are of another model's batch", len(t.Objects))
	}
	objects := make([][]engine.Object, len(t.Objects))
	for i, p := range t.Objects {
		if len(p.Classes) != len(p.Boxes) || p.Crowd != nil && len(p.Crowd) != len(p.Boxes) {
			return fmt.Errorf("image %d: %d objects with %d classes and %d crowd flags", i, len(p.Boxes), len(p.Classes), len(p.Crowd))
		}
		for g, o := range p.Boxes {
			objects[i] = append(objects[i], engine.Object{X1: o.X1, Y1: o.Y1, X2: o.X2, Y2: o.Y2, Class: p.Classes[g], Crowd: p.Crowd != nil && p.Crowd[g]})
		}
	}
	var err error
	s.assign.counts, err = s.assign.engine.Assign(engine.Targets{Anchors: s.assign.anchors, Labels: s.labels, Deltas: s.targets}, objects, *t.Match)
	if err != nil {
		return err
	}
	return s.assign.engine.Normalize(s.classNorm, s.boxNorm, b.Norm)
}

// Positives returns what waits for the number of positive anchors of the last batch; it is called once, also after others were sent.
func (s *TrainStep) Positives(b *Batch) func() (int, error) {
	counts := s.assign.counts
	return func() (n int, err error) {
		if counts == nil {
			for _, v := range b.Targets.Positives {
				n += v
			}
			return n, nil
		}
		all, err := counts()
		for _, v := range all {
			n += v[0]
		}
		return n, err
	}
}

// assigns gives a graph its anchors on an engine that matches them.
func (m *Model) assigns(s *TrainStep) (err error) {
	var ok bool
	if s.assign.engine, ok = engine.As[engine.Matcher](m.engine, engine.Matching{Levels: m.Levels()}); ok {
		s.assign.anchors, err = m.anchorTensor(s.inputs, s.shape)
	}
	return err
}
