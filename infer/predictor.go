package infer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/device"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/processors"
	"retinago/nms"
)

// Detection is a found object, in pixels of its picture.
type Detection struct {
	Box      box.Box
	Class    int // index in Predictor.Info().Categories
	Category detector.Category
	Score    float32
	Track    int // the number of its object in a video, 0 without tracking
}

// Options configures a Predictor. Zero values take the checkpoint's choices.
type Options struct {
	Device    string // of package device; empty is the cpu
	Precision string // as device.Options
	Threads   int    // 0 takes what the process may keep busy
	Score     *float64
	NMS       *float64
	Method    string  // of package nms
	Sigma     float64 // of the methods with a Gaussian
	MaxDets   int
	Choice    Choice
	// FastDecode is config's data.fast_decode, also for a checkpoint without it.
	FastDecode bool
}

// Times says where the time of a prediction went. Read, Link, Write and Last are a Stream's.
type Times struct {
	Read, Prepare, Network, Decode, NMS, Link, Write, Last time.Duration
}

// Add adds up.
func (t *Times) Add(o Times) {
	t.Read, t.Prepare, t.Network = t.Read+o.Read, t.Prepare+o.Prepare, t.Network+o.Network
	t.Decode, t.NMS = t.Decode+o.Decode, t.NMS+o.NMS
	t.Link, t.Write, t.Last = t.Link+o.Link, t.Write+o.Write, t.Last+o.Last
}

// Predictor runs one model. All its methods may be called from several goroutines at once: they take turns in the network;
// the rest of their work goes on meanwhile.
type Predictor struct {
	mu      sync.Mutex // of the network
	closed  bool
	engine  device.Engine
	model   *detector.Model
	info    detector.Info
	decode  detector.Decoding
	threads int
	look    look
}

// Load reads a checkpoint, which carries everything that prediction needs.
func Load(path string, o Options) (*Predictor, error) {
	e, err := device.Open(device.Options{Name: o.Device, Precision: o.Precision, Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	m, info, err := detector.Open(path, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	p := &Predictor{engine: e, model: m, info: info, decode: Decoding(info.Config.Infer), threads: o.Threads}
	if p.threads == 0 {
		p.threads = processors.Count()
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
	if o.Sigma > 0 {
		p.decode.Sigma = float32(o.Sigma)
	}
	if err := p.choose(o.Choice); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Decoding is a configuration's choice of detections.
func Decoding(c config.Infer) detector.Decoding {
	return detector.Decoding{Score: float32(c.Score), Method: c.Method, TopK: c.TopK, NMS: float32(c.NMS), MaxDets: c.MaxDetections}
}

// Decoding is what detections are chosen by, unless a call says otherwise.
func (p *Predictor) Decoding() detector.Decoding { return p.decode }

// Info tells what the model is.
func (p *Predictor) Info() detector.Info { return p.info }

// Model is the network, for evaluation.
func (p *Predictor) Model() *detector.Model { return p.model }

// ErrClosed is the error of a Predictor after Close.
var ErrClosed = errors.New("infer: the predictor is closed")

// Close frees the model, once a network that runs has ended. What follows is ErrClosed.
func (p *Predictor) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.closed = true
	return errors.Join(p.model.Close(), p.engine.Close())
}

// Predict finds the objects in a picture, best first.
func (p *Predictor) Predict(pic *picture.Picture) ([]Detection, error) {
	d, _, err := p.PredictTimed(pic)
	return d, err
}

// PredictImage is Predict for any of Go's images; transparency is dropped.
func (p *Predictor) PredictImage(m image.Image) ([]Detection, error) {
	if m == nil || m.Bounds().Empty() {
		return nil, errEmpty
	}
	return p.Predict(picture.FromImage(m))
}

// PredictBytes is Predict for the content of a picture file: JPEG, PNG, GIF, BMP, TIFF or WebP.
func (p *Predictor) PredictBytes(b []byte) ([]Detection, error) {
	c := p.info.Config.Data
	pic, w, h, err := picture.DecodeBytesFor(context.Background(), "the bytes", b, data.Target(c, c.TestSide()))
	if err != nil {
		return nil, err
	}
	defer pic.Release()
	in, err := p.prepare(pic, data.Size{W: w, H: h}, p.threads)
	if err != nil {
		return nil, err
	}
	defer in.Release()
	found, _, err := p.PredictBatch(context.Background(), []*Input{in})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// PredictTimed is Predict with the time of each stage.
func (p *Predictor) PredictTimed(pic *picture.Picture) ([]Detection, Times, error) {
	if pic == nil {
		return nil, Times{}, errEmpty
	}
	begin := time.Now()
	in, err := p.views(pic, data.Size{W: pic.W, H: pic.H}, p.threads)
	if err != nil {
		return nil, Times{}, err
	}
	defer in.release()
	prepared := time.Since(begin)
	found, t, err := p.findAll(context.Background(), []*inputs{in}, 1)
	if err != nil {
		return nil, Times{}, err
	}
	t[0].Prepare = prepared
	return found[0], t[0], nil
}

// PredictBatch finds the objects in pictures of one canvas size, which go through the network together. Without times for
// Prepare; one that waits for the network gives up when ctx ends.
func (p *Predictor) PredictBatch(ctx context.Context, in []*Input) ([][]Detection, Times, error) {
	var t Times
	if len(in) == 0 {
		return nil, t, nil
	}
	o, err := p.Forward(ctx, in)
	if err != nil {
		return nil, t, err
	}
	t.Network = o.Network
	all := make([][]Detection, len(in))
	for k := range in {
		found, spent := o.Found(k)
		all[k] = found
		t.Add(spent)
	}
	return all, t, nil
}

// run takes its turn in the network, which gives o what it finds on images, or on pictures if there are none, and how long that took,
// without the wait and the host's decoding.
func (p *Predictor) run(ctx context.Context, o *Outputs, images []float32, pictures []engine.Picture) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	begin := time.Now()
	n := len(o.pictures)
	net, err := p.model.Net(n, o.canvas.H, o.canvas.W)
	if err != nil {
		return fmt.Errorf("infer: %d canvases of %dx%d: %w", n, o.canvas.W, o.canvas.H, err)
	}
	if pictures != nil {
		if err := net.Prepare(pictures); err != nil {
			return err
		}
	}
	if o.found, err = p.model.Find(net, images, o.looked(net.Detects())); err != nil {
		return err
	}
	o.Network = time.Since(begin)
	for _, f := range o.found {
		o.Network -= f.Times[0] + f.Times[1]
	}
	return nil
}
