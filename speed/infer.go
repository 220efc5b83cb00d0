package speed

import (
	"math/rand/v2"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/infer"
	"retinago/picture"
)

// Inference is detection on n made-up pictures: resizing and normalising, the network, boxes and NMS. Decoding of files
// is no part of it.
type Inference struct {
	model   *detector.Model
	net     *detector.Net
	config  config.Config
	n, h, w int
	images  []float32
	picture *picture.Picture // nil where the images were given
	raw     *detector.Raw
}

// NewInference is for n canvases of h x w pixels. images [n,h,w,3] may be nil; given, they are what the network sees, and
// it alone is measured: nothing is prepared, and its outputs stay as they are.
func NewInference(m *detector.Model, c config.Config, n, h, w int, images []float32) (*Inference, error) {
	net, err := m.Net(n, h, w)
	if err != nil {
		return nil, err
	}
	s := &Inference{model: m, net: net, config: c, n: n, h: h, w: w, images: images}
	if images == nil {
		s.images = make([]float32, n*h*w*3)
		s.picture = noise(w*3/4, h*3/4)
	}
	return s, nil
}

// noise is a picture of random pixels, the same each time.
func noise(w, h int) *picture.Picture {
	p := &picture.Picture{W: w, H: h, Pix: make([]uint8, 3*w*h)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32())
	}
	return p
}

// Graph is the network.
func (s *Inference) Graph() Graph { return s.net }

// Raw are the outputs of the last run.
func (s *Inference) Raw() *detector.Raw { return s.raw }

// Run detects once.
func (s *Inference) Run() (Parts, error) {
	var p Parts
	begin := time.Now()
	if s.picture != nil {
		size := s.h * s.w * 3
		for i := range s.n {
			picture.Input{W: s.w, H: s.h, CanvasW: s.w, CanvasH: s.h, Mean: s.config.Data.Mean, Std: s.config.Data.Std,
				Threads: s.model.Engine().Threads()}.Fill(s.images[i*size:(i+1)*size], s.picture)
		}
		p.Before = []Part{{"preparation", time.Since(begin)}}
	}
	begin = time.Now()
	var err error
	if s.raw, err = s.net.Run(s.images); err != nil {
		return p, err
	}
	p.Graph = time.Since(begin)
	if s.picture == nil {
		return p, nil
	}
	begin = time.Now()
	for i := range s.n {
		s.model.Decode(s.raw, i, s.h, s.w, float32(s.w), float32(s.h), infer.Decoding(s.config.Infer))
	}
	p.After = []Part{{"post-processing", time.Since(begin)}}
	return p, nil
}
