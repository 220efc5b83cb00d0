package infer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"retinago/box"
	"retinago/config"
	"retinago/data"
	"retinago/detector"
	"retinago/engine/device"
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
	Device  string // of package device; empty is the cpu
	TF32    bool   // as device.Options
	Threads int    // 0 takes all cores
	Score   *float64
	NMS     *float64
	Method  string // of package nms
	MaxDets int
	// FastDecode is config's data.fast_decode, also for a checkpoint without it.
	FastDecode bool
}

// Times says where the time of a prediction went. Read and Write are a Stream's.
type Times struct {
	Read, Prepare, Network, Decode, NMS, Write time.Duration
}

// Add adds up.
func (t *Times) Add(o Times) {
	t.Read, t.Prepare, t.Network = t.Read+o.Read, t.Prepare+o.Prepare, t.Network+o.Network
	t.Decode, t.NMS, t.Write = t.Decode+o.Decode, t.NMS+o.NMS, t.Write+o.Write
}

// Predictor runs one model. It may be used from several goroutines, which take turns in the network; the rest of their
// work goes on meanwhile.
type Predictor struct {
	mu      sync.Mutex // of the network
	engine  device.Engine
	model   *detector.Model
	info    detector.Info
	decode  detector.Decoding
	threads int
	raws    sync.Pool // *detector.Raw
}

// Load reads a checkpoint, which carries everything that prediction needs.
func Load(path string, o Options) (*Predictor, error) {
	e, err := device.Open(device.Options{Name: o.Device, TF32: o.TF32, Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	p := &Predictor{engine: e, model: m, info: info, decode: Decoding(info.Config.Infer), threads: o.Threads}
	if p.threads == 0 {
		p.threads = runtime.GOMAXPROCS(0)
	}
	if o.FastDecode {
		p.info.Config.Data.FastDecode = true
	}
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
	if pic == nil {
		return nil, Times{}, errEmpty
	}
	begin := time.Now()
	in, err := p.prepare(pic, data.Size{W: pic.W, H: pic.H}, p.threads)
	if err != nil {
		return nil, Times{}, err
	}
	defer in.Release()
	prepared := time.Since(begin)
	found, t, err := p.PredictBatch(context.Background(), []*Input{in})
	if err != nil {
		return nil, Times{}, err
	}
	t.Prepare = prepared
	return found[0], t, nil
}

// PredictBatch finds the objects in pictures of one canvas size, which go through the network together. Without times for
// Prepare; one that waits for the network gives up when ctx ends.
func (p *Predictor) PredictBatch(ctx context.Context, in []*Input) ([][]Detection, Times, error) {
	var t Times
	if len(in) == 0 {
		return nil, t, nil
	}
	canvas := in[0].Canvas
	for _, v := range in {
		if v.Canvas != canvas {
			return nil, t, fmt.Errorf("infer: a batch of canvases of %v and %v: sort them by Canvas", canvas, v.Canvas)
		}
	}
	images, free := joined(in)
	defer free()
	raw, ok := p.raws.Get().(*detector.Raw)
	if !ok {
		raw = &detector.Raw{}
	}
	defer p.raws.Put(raw)
	var err error
	if t.Network, err = p.run(ctx, raw, images, len(in), canvas); err != nil {
		return nil, t, err
	}
	all := make([][]Detection, len(in))
	for k, v := range in {
		found, spent := p.model.DecodeTimed(raw, k, canvas.H, canvas.W, float32(v.scaled.W), float32(v.scaled.H), p.decode)
		t.Decode, t.NMS = t.Decode+spent[0], t.NMS+spent[1]
		sx, sy := float32(v.size.W)/float32(v.scaled.W), float32(v.size.H)/float32(v.scaled.H)
		all[k] = make([]Detection, len(found))
		for i, f := range found {
			all[k][i] = Detection{Box: f.Box.Scale(sx, sy), Class: int(f.Class), Category: p.info.Categories[f.Class], Score: f.Score}
		}
	}
	return all, t, nil
}

// run takes its turn in the network and tells how long that took, without the wait.
func (p *Predictor) run(ctx context.Context, raw *detector.Raw, images []float32, n int, canvas data.Size) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	begin := time.Now()
	net, err := p.model.Net(n, canvas.H, canvas.W)
	if err != nil {
		return 0, fmt.Errorf("infer: %d canvases of %dx%d: %w", n, canvas.W, canvas.H, err)
	}
	err = net.RunTo(raw, images)
	return time.Since(begin), err
}
