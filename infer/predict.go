package infer

import (
	"context"
	"fmt"
	"image"
	"time"

	"retinago/engine"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Option changes one call of Predict, PredictImage, PredictBytes or PredictFile. Without options a call uses the Options of Load.
type Option func(*call)

// call is the settings of one call.
type call struct {
	Options
	times *Times
}

// WithScore reports detections from this score on; 0 < v < 1.
func WithScore(v float64) Option { return func(c *call) { c.Score = &v } }

// WithNMS sets the IoU above which two boxes of one class are one object.
func WithNMS(iou float64) Option { return func(c *call) { c.NMS = &iou } }

// WithMaxDetections reports at most n detections, the best.
func WithMaxDetections(n int) Option { return func(c *call) { c.MaxDets = n } }

// WithChoice chooses classes, scores by class and views of the image (mirrored, scaled, in tiles) in place of Options.Choice.
func WithChoice(v Choice) Option { return func(c *call) { c.Choice = v } }

// WithTimes writes the duration of each stage to t.
func WithTimes(t *Times) Option { return func(c *call) { c.times = t } }

// request returns the settings of a call.
func (p *Predictor) request(with []Option) (request, *Times, error) {
	if len(with) == 0 {
		return p.common, nil, nil
	}
	c := call{Options: p.options}
	for _, o := range with {
		o(&c)
	}
	r, err := newRequest(p.info, c.Options)
	return r, c.times, err
}

// Predict finds the objects in an image, best first. It may be called from several goroutines; while it waits for the network it
// returns when ctx ends.
func (p *Predictor) Predict(ctx context.Context, pic *Picture, with ...Option) ([]Detection, error) {
	if pic == nil {
		return nil, errEmpty
	}
	return p.predict(ctx, with, func(picture.Target) (*Picture, Size, func(), error) {
		return pic, Size{W: pic.W, H: pic.H}, func() {}, nil
	})
}

// PredictImage is Predict for any of Go's images; transparency is dropped.
func (p *Predictor) PredictImage(ctx context.Context, m image.Image, with ...Option) ([]Detection, error) {
	if m == nil || m.Bounds().Empty() {
		return nil, errEmpty
	}
	return p.Predict(ctx, picture.FromImage(m), with...)
}

// PredictBytes is Predict for the content of an image file: JPEG, PNG, GIF, BMP, TIFF or WebP. Decoding too ends with ctx.
func (p *Predictor) PredictBytes(ctx context.Context, b []byte, with ...Option) ([]Detection, error) {
	return p.predict(ctx, with, func(target picture.Target) (*Picture, Size, func(), error) {
		pic, w, h, err := picture.DecodeBytesFor(ctx, "the bytes", b, target)
		if err != nil {
			return nil, Size{}, nil, err
		}
		return pic, Size{W: w, H: h}, pic.Release, nil
	})
}

// PredictFile is PredictBytes for an image file.
func (p *Predictor) PredictFile(ctx context.Context, path string, with ...Option) ([]Detection, error) {
	return p.predict(ctx, with, func(target picture.Target) (*Picture, Size, func(), error) {
		pic, w, h, done, err := picture.DecodeHeld(ctx, path, target)
		if err != nil {
			done()
			return nil, Size{}, nil, err
		}
		return pic, Size{W: w, H: h}, func() { pic.Release(); done() }, nil
	})
}

// predict runs a call. read returns the image, the size of the image that detections are for, and a function that frees the image.
func (p *Predictor) predict(ctx context.Context, with []Option, read func(picture.Target) (*Picture, Size, func(), error)) ([]Detection, error) {
	r, times, err := p.request(with)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	pic, size, free, err := read(p.target(r))
	if err != nil {
		return nil, err
	}
	defer free()
	decoded := time.Now()
	in, err := p.views(r, pic, size, p.threads)
	if err != nil {
		return nil, err
	}
	defer in.release()
	prepared := time.Now()
	found, t, err := p.findAll(ctx, []*inputs{in}, 1)
	if err != nil {
		return nil, err
	}
	if times != nil {
		*times = t[0]
		times.Read, times.Prepare = decoded.Sub(begin), prepared.Sub(decoded)
	}
	return found[0], nil
}

// target returns the size at which a request needs an image. It is nil, for full size, if the image has several views.
func (p *Predictor) target(r request) picture.Target {
	if !r.plan.single() {
		return nil
	}
	c := p.info.Config.Data
	return data.Target(c, c.TestSide())
}

// PredictBatch finds the objects in images of one canvas size, which go through the network together. The times have no Prepare.
// While it waits for the network it returns when ctx ends.
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

// run waits for the network and runs it on images, or on canvases if images is nil. It writes the results to o, with the network's time
// without the wait and without decoding on the host.
func (p *Predictor) run(ctx context.Context, o *Outputs, images []float32, canvases []engine.Canvas) error {
	if err := p.lock(ctx); err != nil {
		return err
	}
	defer p.unlock()
	begin := time.Now()
	n := len(o.pictures)
	net, err := p.model.Net(n, o.canvas.H, o.canvas.W)
	if err != nil {
		return fmt.Errorf("infer: %d canvases of %dx%d: %w", n, o.canvas.H, o.canvas.W, err)
	}
	if canvases != nil {
		if err := net.Prepare(canvases); err != nil {
			return err
		}
	}
	if o.found, err = p.model.Find(net, images, o.requested(net.Detects())); err != nil {
		return err
	}
	o.Network = time.Since(begin)
	for _, f := range o.found {
		o.Network -= f.Times[0] + f.Times[1]
	}
	return nil
}
