package speed

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"retinago/augment"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Inference is detection on n images: decoding, where there is a file, resizing and normalising, the network, boxes and NMS.
type Inference struct {
	model   *detector.Model
	net     *detector.Net
	config  config.Config
	n, h, w int
	images  []float32
	file    string           // read and decoded in each run; empty without a file
	picture *picture.Picture // synthetic; nil with a file or images
	placed  []engine.Canvas  // for an engine that draws canvases
	raw     *detector.Raw
}

// NewInference returns a subject of n canvases of h x w pixels. With images [n,h,w,3] it measures the network alone, which reads them, and
// Raw returns its outputs. If images is nil, it makes images and measures preparation and boxes too.
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

// NewFileInference returns a subject of one image file, on the canvas that the configuration gives.
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

// noise returns an image of random pixels, always the same.
func noise(w, h int) *picture.Picture {
	p := &picture.Picture{W: w, H: h, Pix: make([]uint8, 3*w*h)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32())
	}
	return p
}

// decode reads the file. size is the size of the file's image; p may be smaller.
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

// fill scales an image onto the i-th canvas, or queues it for an engine that does so.
func (s *Inference) fill(i int, p *picture.Picture, scaled data.Size) {
	size := s.h * s.w * 3
	in := picture.Input{Mean: s.config.Data.Mean, Std: s.config.Data.Std, Threads: s.model.Engine().Threads()}
	scene := augment.Single(0, data.Scaling(data.Size{W: p.W, H: p.H}, scaled, false), s.w, s.h)
	sources := []picture.Source{{Picture: p, W: p.W, H: p.H}}
	if s.net.Prepares() {
		s.placed = append(s.placed, in.Canvas(scene, sources))
		return
	}
	in.Draw(s.images[i*size:(i+1)*size], scene, sources)
}

// given returns the images for the network; nil after the engine has prepared images.
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

// Graph returns the network.
func (s *Inference) Graph() Graph { return s.net }

// Raw returns the outputs of the last run. Outputs for images are valid until the model runs again.
func (s *Inference) Raw() *detector.Raw { return s.raw }

// Size returns the number of images and the size of their canvas.
func (s *Inference) Size() (n, h, w int) { return s.n, s.h, s.w }

// wanted returns the configuration's choice of detections for images of a size.
func (s *Inference) wanted(scaled data.Size) []detector.Wanted {
	w := detector.Wanted{W: float32(scaled.W), H: float32(scaled.H), Decoding: infer.Decoding(s.config.Infer)}
	return slices.Repeat([]detector.Wanted{w}, s.n)
}

// Run detects once. If the engine prepares images or makes detections itself, the graph's time includes that.
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
