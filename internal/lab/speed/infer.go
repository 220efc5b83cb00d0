package speed

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Inference is detection on n pictures: decoding, where there is a file, resizing and normalising, the network, boxes and NMS.
type Inference struct {
	model   *detector.Model
	net     *detector.Net
	config  config.Config
	n, h, w int
	images  []float32
	file    string           // read and decoded in each run; empty where there is none
	picture *picture.Picture // made up; nil where there are a file or images
	placed  []engine.Picture // of an engine that puts pictures onto canvases
	raw     *detector.Raw
}

// NewInference is for n canvases of h x w pixels. images [n,h,w,3] may be nil, which stands for made-up pictures; given, they
// are what the network sees, and it alone is measured: nothing is prepared, and its outputs stay as they are.
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

// NewFileInference is for one picture file, on the canvas that the configuration has for it.
func NewFileInference(m *detector.Model, c config.Config, file string) (*Inference, error) {
	s := &Inference{model: m, config: c, n: 1, file: file}
	p, size, err := s.decode()
	if err != nil {
		return nil, err
	}
	p.Release()
	canvas := s.scaled(size).Up(c.Data.CanvasMultiple)
	s.h, s.w = canvas.H, canvas.W
	s.images = make([]float32, s.h*s.w*3)
	s.net, err = m.Net(1, s.h, s.w)
	return s, err
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

// decode reads the file. size is that of the file's picture, which p may be smaller than.
func (s *Inference) decode() (p *picture.Picture, size data.Size, err error) {
	b, err := os.ReadFile(s.file)
	if err != nil {
		return nil, size, err
	}
	p, w, h, err := picture.DecodeBytesFor(context.Background(), s.file, b, data.Target(s.config.Data, s.config.Data.TestSide()))
	return p, data.Size{W: w, H: h}, err
}

func (s *Inference) scaled(size data.Size) data.Size {
	return data.Resized(size, s.config.Data.TestSide(), s.config.Data.MaxSide)
}

// fill puts a picture, scaled to a size, onto the i-th canvas, or leaves that to the engine.
func (s *Inference) fill(i int, p *picture.Picture, scaled data.Size) {
	size := s.h * s.w * 3
	in := picture.Input{W: scaled.W, H: scaled.H, CanvasW: s.w, CanvasH: s.h, Mean: s.config.Data.Mean, Std: s.config.Data.Std,
		Threads: s.model.Engine().Threads()}
	if s.net.Prepares() {
		s.placed = append(s.placed, data.Placed(in, p))
		return
	}
	in.Fill(s.images[i*size:(i+1)*size], p)
}

// given is what the network reads: images, or nothing once the engine has prepared pictures.
func (s *Inference) given() ([]float32, error) {
	if len(s.placed) == 0 {
		return s.images, nil
	}
	placed := s.placed
	s.placed = s.placed[:0]
	return nil, s.net.Prepare(placed)
}

// Close does nothing: the model owns the graph.
func (s *Inference) Close() error { return nil }

// Graph is the network.
func (s *Inference) Graph() Graph { return s.net }

// Raw are the outputs of the last run; of pictures, until the model runs again.
func (s *Inference) Raw() *detector.Raw { return s.raw }

// Size is the number of pictures and their canvas.
func (s *Inference) Size() (n, h, w int) { return s.n, s.h, s.w }

// wanted is the configuration's choice for pictures of a size.
func (s *Inference) wanted(scaled data.Size) []detector.Wanted {
	w := detector.Wanted{W: float32(scaled.W), H: float32(scaled.H), Decoding: infer.Decoding(s.config.Infer)}
	return slices.Repeat([]detector.Wanted{w}, s.n)
}

// Run detects once. Where the engine prepares pictures and makes detections itself, that is a part of the graph's time.
func (s *Inference) Run() (Parts, error) {
	var p Parts
	scaled := data.Size{W: s.w, H: s.h} // of what is on the canvases
	begin := time.Now()
	switch {
	case s.file != "":
		pic, size, err := s.decode()
		if err != nil {
			return p, err
		}
		decoded := time.Since(begin)
		begin = time.Now()
		scaled = s.scaled(size)
		defer pic.Release()
		s.fill(0, pic, scaled)
		p.Before = []Part{{"decoding", decoded}, {"preparation", time.Since(begin)}}
	case s.picture != nil:
		for i := range s.n {
			s.fill(i, s.picture, scaled)
		}
		p.Before = []Part{{"preparation", time.Since(begin)}}
	}
	begin = time.Now()
	images, err := s.given()
	if err != nil {
		return p, err
	}
	if p.Before != nil && s.net.Detects() {
		_, err := s.net.Detect(images, s.wanted(scaled))
		p.Graph = time.Since(begin)
		return p, err
	}
	if p.Before == nil {
		s.raw, err = s.net.Run(images)
		p.Graph = time.Since(begin)
		return p, err
	}
	if s.raw, err = s.net.Look(images); err != nil {
		return p, err
	}
	p.Graph = time.Since(begin)
	begin = time.Now()
	for i, w := range s.wanted(scaled) {
		s.model.Found(s.raw, i, s.h, s.w, w)
	}
	p.After = []Part{{"post-processing", time.Since(begin)}}
	return p, nil
}
