package infer

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"retinago/box"
	"retinago/config"
	"retinago/data"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/nms"
	"retinago/picture"
)

// Detection is a found object, in pixels of its picture.
type Detection struct {
	Box      box.Box
	Class    int // index in Predictor.Info().Categories
	Category detector.Category
	Score    float32
}

// Options configures a Predictor. Zero values take the checkpoint's choices.
type Options struct {
	Threads int // 0 takes all cores
	Score   *float64
	NMS     *float64
	Method  string // of package nms
	MaxDets int
}

// Times says where the time of a prediction went.
type Times struct {
	Prepare, Network, Decode, NMS time.Duration
}

// Predictor runs one model. It may be used from several goroutines, which take turns in the network.
type Predictor struct {
	mu     sync.Mutex
	engine *cpu.Engine
	model  *detector.Model
	info   detector.Info
	decode detector.Decoding
}

// Load reads a checkpoint, which carries everything that prediction needs.
func Load(path string, o Options) (*Predictor, error) {
	e, err := cpu.New(cpu.Options{Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	p := &Predictor{engine: e, model: m, info: info, decode: Decoding(info.Config.Infer)}
	if o.Score != nil {
		p.decode.Score = float32(*o.Score)
	}
	if o.NMS != nil {
		p.decode.NMS = float32(*o.NMS)
	}
	if o.Method != "" {
		if err := (nms.Method{Kind: o.Method}).Check(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.decode.Method = o.Method
	}
	if o.MaxDets > 0 {
		p.decode.MaxDets = o.MaxDets
	}
	return p, nil
}

// Decoding is a configuration's choice of detections.
func Decoding(c config.Infer) detector.Decoding {
	return detector.Decoding{Score: float32(c.Score), Method: c.Method, TopK: c.TopK, NMS: float32(c.NMS), MaxDets: c.MaxDetections}
}

// Info tells what the model is.
func (p *Predictor) Info() detector.Info { return p.info }

// Model is the network, for evaluation.
func (p *Predictor) Model() *detector.Model { return p.model }

// Close frees the model.
func (p *Predictor) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.model.Close(), p.engine.Close())
}

// Predict finds the objects in a picture, best first.
func (p *Predictor) Predict(pic *picture.Picture) ([]Detection, error) {
	d, _, err := p.PredictTimed(pic)
	return d, err
}

// PredictTimed is Predict with the time of each stage.
func (p *Predictor) PredictTimed(pic *picture.Picture) ([]Detection, Times, error) {
	var t Times
	if pic == nil || pic.W < 1 || pic.H < 1 || len(pic.Pix) != 3*pic.W*pic.H {
		return nil, t, errors.New("infer: the picture is empty")
	}
	begin := time.Now()
	images, canvas, s := prepare(pic, p.info.Config.Data)
	t.Prepare = time.Since(begin)

	p.mu.Lock()
	defer p.mu.Unlock()
	begin = time.Now()
	net, err := p.model.Net(1, canvas.H, canvas.W)
	if err != nil {
		return nil, t, fmt.Errorf("infer: a picture of %dx%d: %w", pic.W, pic.H, err)
	}
	raw, err := net.Run(images)
	if err != nil {
		return nil, t, err
	}
	t.Network = time.Since(begin)
	found, spent := p.model.DecodeTimed(raw, 0, canvas.H, canvas.W, float32(s.W), float32(s.H), p.decode)
	t.Decode, t.NMS = spent[0], spent[1]

	sx, sy := float32(pic.W)/float32(s.W), float32(pic.H)/float32(s.H)
	out := make([]Detection, len(found))
	for i, f := range found {
		out[i] = Detection{Box: f.Box.Scale(sx, sy), Class: int(f.Class), Category: p.info.Categories[f.Class], Score: f.Score}
	}
	return out, t, nil
}

// prepare puts a picture onto its canvas, as large as the configuration wants; size is its own there.
func prepare(pic *picture.Picture, c config.Data) (images []float32, canvas, size data.Size) {
	size = data.Resized(data.Size{W: pic.W, H: pic.H}, c.TestSide(), c.MaxSide)
	canvas = size.Up(c.CanvasMultiple)
	images = make([]float32, canvas.H*canvas.W*3)
	picture.ResizeNormalize(images, canvas.W*3, pic, size.W, size.H, c.Mean, c.Std, false)
	return images, canvas, size
}
