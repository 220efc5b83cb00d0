package speed

import (
	"errors"
	"math/rand/v2"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/train"
)

// Training is a subject: a step of training on n synthetic images with a few objects each. The learning rate is 0, so that every round does
// the same work on the same weights.
type Training struct {
	stepper *train.Stepper
	graph   *detector.TrainStep
	n, h, w int
	images  []float32
	targets *detector.Targets
}

// objects is the number of objects in each image.
const objects = 5

// NewTraining returns a subject of n canvases of h x w pixels. Close it before the model.
func NewTraining(m *detector.Model, c config.Config, n, h, w int) (*Training, error) {
	st, err := train.NewStepper(m, c)
	if err != nil {
		return nil, err
	}
	g, err := st.Graph(n, h, w)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	r := rand.New(rand.NewPCG(3, 4))
	s := &Training{stepper: st, graph: g, n: n, h: h, w: w, images: make([]float32, n*h*w*3)}
	for i := range s.images {
		s.images[i] = float32(r.NormFloat64())
	}
	// Boxes of a tenth to four tenths of the canvas.
	pictures := make([]detector.Objects, n)
	for i := range pictures {
		for range objects {
			x, y := r.Float32()*.6*float32(w), r.Float32()*.6*float32(h)
			pictures[i].Boxes = append(pictures[i].Boxes, box.Box{X1: x, Y1: y, X2: x + (.1+.3*r.Float32())*float32(w), Y2: y + (.1+.3*r.Float32())*float32(h)})
			pictures[i].Classes = append(pictures[i].Classes, int32(r.IntN(m.Classes())))
			pictures[i].Crowd = append(pictures[i].Crowd, false)
		}
	}
	s.targets = s.stepper.Targets(h, w, pictures)
	return s, nil
}

// Graph returns the training graph.
func (s *Training) Graph() Graph { return s.graph }

// Size returns the number of images and the size of their canvas.
func (s *Training) Size() (n, h, w int) { return s.n, s.h, s.w }

// Run takes a step.
func (s *Training) Run() (Parts, error) {
	t, err := s.stepper.Take(s.n, s.h, s.w, s.images, s.targets, 0)
	return Parts{Graph: t.Network, After: []Part{{"optimiser", t.Update}}}, err
}

// Close frees the optimiser's state and the graph.
func (s *Training) Close() error { return s.stepper.Close() }
