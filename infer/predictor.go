package infer

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/device"
	"retinago/internal/processors"
	"retinago/nms"
)

// Detection is a detected object, in pixels of its image.
type Detection struct {
	Box      box.Box
	Class    int // index in Predictor.Info().Categories
	Category detector.Category
	Score    float32
	Track    int // the number of its track in a video, 0 without tracking
}

// Options configures a Predictor. A zero value takes the setting of the checkpoint.
type Options struct {
	Device    string   // of package device; empty is the cpu
	Precision string   // as device.Options
	Threads   int      // 0 takes the processors that the process may use
	Score     *float64 // the lowest to report; nil takes the model's scores by class, or infer.score where it has none
	NMS       *float64
	Method    string  // of package nms
	Sigma     float64 // of the methods with a Gaussian
	MaxDets   int
	Choice    Choice
	// FastDecode sets data.fast_decode, also if the checkpoint was trained without it.
	FastDecode bool
	// Highest looks for the highest score in images without detections, until an image has one: see Predictor.Highest.
	Highest bool
}

// Times is the duration of each stage of a prediction. Link, Write and Last are a Stream's.
type Times struct {
	Read, Prepare, Network, Decode, NMS, Link, Write, Last time.Duration
}

// Add adds the durations of o.
func (t *Times) Add(o Times) {
	t.Read, t.Prepare, t.Network = t.Read+o.Read, t.Prepare+o.Prepare, t.Network+o.Network
	t.Decode, t.NMS = t.Decode+o.Decode, t.NMS+o.NMS
	t.Link, t.Write, t.Last = t.Link+o.Link, t.Write+o.Write, t.Last+o.Last
}

// Predictor runs one model. All its methods may be called from several goroutines at once. The network runs for one call at a time.
// Meanwhile other calls decode and prepare images and compute boxes.
type Predictor struct {
	network chan struct{} // holds a value while a call has the network
	closed  bool          // guarded by network
	engine  device.Engine
	model   *detector.Model
	info    detector.Info
	options Options // of Load
	common  request // of calls without options
	threads int
	some    atomic.Bool   // an image had detections
	highest atomic.Uint32 // bits of the score that Highest returns
}

// request holds the settings of a search for objects in an image.
type request struct {
	plan   plan
	decode detector.Decoding
}

// Load reads a checkpoint, which contains everything that prediction needs.
func Load(path string, o Options) (*Predictor, error) {
	return newPredictor(o, func(e device.Engine) (*detector.Model, detector.Info, error) { return detector.Open(path, e) })
}

// LoadFrom is Load for a checkpoint of size bytes in r, such as an embedded file or one in an archive. r is not needed afterwards.
func LoadFrom(r io.ReaderAt, size int64, o Options) (*Predictor, error) {
	return newPredictor(o, func(e device.Engine) (*detector.Model, detector.Info, error) {
		return detector.OpenFrom("the checkpoint", r, size, e)
	})
}

func newPredictor(o Options, open func(device.Engine) (*detector.Model, detector.Info, error)) (*Predictor, error) {
	e, err := device.Open(device.Options{Name: o.Device, Precision: o.Precision, Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	m, info, err := open(e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	p := &Predictor{network: make(chan struct{}, 1), engine: e, model: m, info: info, options: o, threads: o.Threads}
	if p.threads == 0 {
		p.threads = processors.Count()
	}
	if o.FastDecode {
		p.info.Config.Data.FastDecode = true
	}
	if p.common, err = newRequest(p.info, o); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// newRequest returns the settings of a model, overridden by those of options.
func newRequest(info detector.Info, o Options) (request, error) {
	r := request{decode: Decoding(info.Config.Infer)}
	var own []float32
	if o.Score != nil {
		r.decode.Score = float32(*o.Score)
	} else if own = ClassScores(info); own != nil {
		r.decode.Score = slices.Min(own)
	}
	if o.NMS != nil {
		r.decode.NMS = float32(*o.NMS)
	}
	if o.Method != "" {
		if err := (nms.Method{Kind: o.Method}).Check(); err != nil {
			return r, err
		}
		r.decode.Method = o.Method
	}
	if o.MaxDets > 0 {
		r.decode.MaxDets = o.MaxDets
	}
	if o.Sigma > 0 {
		r.decode.Sigma = float32(o.Sigma)
	}
	return r, r.choose(o.Choice, info.Categories, own)
}

// Decoding returns the settings by which a configuration selects detections.
func Decoding(c config.Infer) detector.Decoding {
	return detector.Decoding{Score: float32(c.Score), Method: c.Method, TopK: c.TopK, NMS: float32(c.NMS), MaxDets: c.MaxDetections}
}

// Decoding returns the settings by which detections are selected in calls without options.
func (p *Predictor) Decoding() detector.Decoding { return p.common.decode }

// Info returns the model's configuration, categories and metrics.
func (p *Predictor) Info() detector.Info { return p.info }

// Model returns the network, for evaluation.
func (p *Predictor) Model() *detector.Model { return p.model }

// ErrClosed is the error of a Predictor after Close.
var ErrClosed = errors.New("infer: the predictor is closed")

// Highest returns the highest score in the images so far, if Options.Highest is set and none of them had a detection. It returns 0 if
// the score is unknown, as on engines that compute detections themselves.
func (p *Predictor) Highest() float32 {
	if p.some.Load() {
		return 0
	}
	return math.Float32frombits(p.highest.Load())
}

// note records the number of detections of an image, and its highest score if it has none.
func (p *Predictor) note(detections int, highest float32) {
	if detections > 0 {
		p.some.Store(true)
		return
	}
	for {
		was := p.highest.Load()
		if highest <= math.Float32frombits(was) || p.highest.CompareAndSwap(was, math.Float32bits(highest)) {
			return
		}
	}
}

// lock waits for the network, until ctx ends.
func (p *Predictor) lock(ctx context.Context) error {
	select {
	case p.network <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := ctx.Err()
	if p.closed {
		err = ErrClosed
	}
	if err != nil {
		p.unlock()
	}
	return err
}

func (p *Predictor) unlock() { <-p.network }

// Close waits for the call that runs the network and frees the model. Later calls return ErrClosed.
func (p *Predictor) Close() error {
	if err := p.lock(context.Background()); err != nil {
		return err
	}
	defer p.unlock()
	p.closed = true
	return errors.Join(p.model.Close(), p.engine.Close())
}
