package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"retinago/augment"
	"retinago/box"
	"retinago/config"
	"retinago/internal/media/picture"
	shown "retinago/internal/text"
)

// LoaderOptions configures a Loader.
type LoaderOptions struct {
	Batch   int
	Seed    uint64
	Prepare func(*Batch) // called on each finished batch, in the loader's goroutines
	Bytes   bool         // images stay bytes, for an engine that puts them onto canvases
	// Of the Batch images that belong together, this loader makes the share number Part of Parts, which divide them evenly: other
	// processes make the others. Parts 0 is one part.
	Part, Parts int
}

// Loader makes batches ahead of their consumer. Which images a batch holds and how they are varied depends on the
// seed and the batch's number only, not on workers or timing.
type Loader struct {
	data    *Dataset
	c       config.Data
	order   *order
	once    bool // every image once, else epoch after epoch
	prepare func(*Batch)
	bytes   bool
	part    int // of parts in which batches are made; this loader makes one
	parts   int
	vary    bool
	seed    uint64
	planner *augment.Planner // nil without policies
	late    atomic.Int64     // number of the first batch without policies that end early

	cancel  context.CancelFunc
	queue   chan *pending
	running sync.WaitGroup

	epoch, position int      // of the next batch to hand out
	waited          *pending // taken from the queue by a Next that ended before it was done

	mu     sync.Mutex
	broken map[string]error
}

// pending is a batch in the making.
type pending struct {
	job   job
	batch *Batch
	err   error
	done  chan struct{}
}

// ahead is how many batches are made while one is consumed.
const ahead = 2

// NewLoader returns an endless loader for training: drawn by c.Sampler, shuffled, at a random short side per batch, flipped with probability
// c.Flip and varied by the policies of c.Augment.
func NewLoader(d *Dataset, c config.Data, o LoaderOptions) (*Loader, error) {
	if d.Len() < o.Batch {
		return nil, fmt.Errorf("%s: has %d images, fewer than one batch of %d: lower train.batch", d.Path(), d.Len(), o.Batch)
	}
	if o.Parts > 1 && (o.Batch%o.Parts != 0 || o.Part < 0 || o.Part >= o.Parts) {
		return nil, fmt.Errorf("data: there is no part %d of %d of a batch of %d images", o.Part, o.Parts, o.Batch)
	}
	sampler, err := FindSampler(c.Sampler)
	if err != nil {
		return nil, fmt.Errorf("data.sampler: %w", err)
	}
	l := newLoader(d, c, o, newOrder(d.sizes(), c.ShortSides, c.MaxSide, c.CanvasMultiple, trainBuckets, o.Batch, o.Seed))
	l.order.times, l.order.total = sampler.times(d, c)
	l.vary = true
	l.late.Store(math.MaxInt64)
	if l.planner, err = newPlanner(d, c, o.Seed); err != nil {
		return nil, err
	}
	return l, nil
}

// NewEvalLoader returns a loader that shows every image once, unchanged, at the last of the short sides, on the canvas that
// it has alone: what is beyond an image changes group norms and what convolutions see at its edge. Batches hold as many
// images as are asked for, or one. Next ends with ErrEnd. bytes is LoaderOptions.Bytes.
func NewEvalLoader(d *Dataset, c config.Data, batch int, bytes bool) *Loader {
	l := newLoader(d, c, LoaderOptions{Batch: batch, Bytes: bytes}, newOrder(d.sizes(), c.ShortSides[len(c.ShortSides)-1:], c.MaxSide, c.CanvasMultiple, d.Len(), batch, 0))
	l.once = true
	return l
}

// ErrEnd is returned when an evaluation has seen every image.
var ErrEnd = errors.New("data: no more images")

func newLoader(d *Dataset, c config.Data, o LoaderOptions, ord *order) *Loader {
	return &Loader{data: d, c: c, order: ord, prepare: o.Prepare, bytes: o.Bytes, part: o.Part, parts: max(o.Parts, 1), seed: o.Seed, broken: map[string]error{}}
}

func (d *Dataset) sizes() []Size {
	s := make([]Size, d.Len())
	for i, im := range d.coco.Images {
		s[i] = Size{im.Width, im.Height}
	}
	return s
}

// BatchesPerEpoch is the number of batches in one epoch: one pass over the images, or over those that the sampler draws.
func (l *Loader) BatchesPerEpoch() int { return l.order.perEpoch() }

// Epoch describes an epoch of training.
func (l *Loader) Epoch() string {
	o := l.order
	text := fmt.Sprintf("%s of %s", shown.Count(o.perEpoch(), "step"), shown.Count(o.batch, "image"))
	if o.times == nil {
		return fmt.Sprintf("%s: each of %d once, in random order", text, o.total)
	}
	return fmt.Sprintf("%s: %d drawn by data.sampler %s from %d, each %.2g to %.2g times on average", text, o.total, l.c.Sampler, len(o.times),
		slices.Min(o.times), slices.Max(o.times))
}

// LargestCanvas is the largest height and width that a batch may have.
func (l *Loader) LargestCanvas() (h, w int) {
	s := l.order.largest()
	return s.H, s.W
}

// State is where the next batch stands: its epoch and its place in it.
func (l *Loader) State() (epoch, position int) { return l.epoch, l.position }

// Seek continues at a State, before the first Next.
func (l *Loader) Seek(epoch, position int) error {
	if l.queue != nil {
		panic("data: Seek after Next")
	}
	if epoch < 0 || position < 0 || position > l.order.perEpoch() {
		return fmt.Errorf("data: no batch %d in epoch %d of %d batches", position, epoch, l.order.perEpoch())
	}
	l.epoch, l.position = epoch, position
	return nil
}

// Next returns the next batch and how long it was waited for. The caller releases it. Where ctx ends first, the batch is the next again.
func (l *Loader) Next(ctx context.Context) (*Batch, time.Duration, error) {
	if l.queue == nil {
		l.start()
	}
	begin := time.Now()
	if l.waited == nil {
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case p, ok := <-l.queue:
			if !ok {
				return nil, 0, ErrEnd
			}
			l.waited = p
		}
	}
	p := l.waited
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-p.done:
	}
	l.waited = nil
	if p.err != nil {
		return nil, 0, p.err
	}
	l.epoch, l.position = p.job.epoch, p.job.position+1
	return p.batch, time.Since(begin), nil
}

// Broken returns the images that could not be read so far, with the reason.
func (l *Loader) Broken() map[string]error {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]error, len(l.broken))
	for k, v := range l.broken {
		out[k] = v
	}
	return out
}

// Close stops the workers, waits for them and releases the batches that were not handed out.
func (l *Loader) Close() {
	if l.cancel == nil {
		return
	}
	l.cancel()
	var rest []*pending
	if l.waited != nil {
		rest = append(rest, l.waited)
	}
	for p := range l.queue { // the dispatcher closes it
		rest = append(rest, p)
	}
	l.running.Wait()
	for _, p := range rest {
		if p.batch != nil {
			p.batch.Release()
		}
	}
	l.waited = nil
}

// start begins to make batches: a dispatcher queues them in order, and the images of the queued ones share the
// workers.
func (l *Loader) start() {
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	l.queue = make(chan *pending, ahead)
	workers := l.c.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	slots := make(chan struct{}, workers)
	next := l.jobs()
	l.running.Add(1)
	go func() {
		defer l.running.Done()
		defer close(l.queue)
		for {
			j, ok := next()
			if !ok {
				return
			}
			p := &pending{job: j.share(l.part, l.parts), done: make(chan struct{})}
			select {
			case <-ctx.Done():
				return
			case l.queue <- p:
			}
			l.running.Add(1)
			go func() {
				defer l.running.Done()
				defer close(p.done)
				p.batch, p.err = l.make(ctx, p.job, slots)
			}()
		}
	}()
}

// jobs iterates over the batches to make, from the loader's state on. It ends after an evaluation's last batch.
func (l *Loader) jobs() func() (job, bool) {
	epoch := l.epoch
	var jobs []job
	if l.once {
		jobs = l.order.once()
	} else {
		jobs = l.order.epoch(epoch)
	}
	jobs = jobs[l.position:]
	return func() (job, bool) {
		if len(jobs) == 0 {
			if l.once {
				return job{}, false
			}
			epoch++
			jobs = l.order.epoch(epoch)
		}
		j := jobs[0]
		jobs = jobs[1:]
		return j, true
	}
}

// make reads the images of a batch, each in a slot of its own.
func (l *Loader) make(ctx context.Context, j job, slots chan struct{}) (*Batch, error) {
	b := newBatch(len(j.images), j.canvas.H, j.canvas.W, l.bytes)
	b.Epoch, b.Position = j.epoch, j.position
	errs := make([]error, len(j.images))
	var wg sync.WaitGroup
	for i := range j.images {
		select {
		case <-ctx.Done():
			wg.Wait()
			return nil, ctx.Err()
		case slots <- struct{}{}:
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			errs[i] = l.place(ctx, b, i, j)
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Release()
		return nil, err
	}
	if l.prepare != nil {
		l.prepare(b)
	}
	return b, nil
}

// attempts bounds how many images are tried for one place of a training batch.
const attempts = 20

// place puts an image onto canvas i. In training one that cannot be read is counted and another of its bucket takes
// its place; in evaluation its canvas stays empty, so that its objects count as missed.
func (l *Loader) place(ctx context.Context, b *Batch, i int, j job) error {
	if l.planner != nil {
		return l.compose(ctx, b, i, j)
	}
	r := l.stream(j, i)
	k := j.images[i]
	var last error
	for range attempts {
		p, w, h, err := picture.DecodeFor(ctx, l.data.File(k), Target(l.c, j.short))
		if err == nil {
			l.draw(b, i, k, p, Resized(Size{w, h}, j.short, l.c.MaxSide), l.vary && r.Float64() < l.c.Flip)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = err
		l.report(k, err)
		if !l.vary {
			b.Index[i], b.Names[i] = k, l.data.Image(k).FileName
			b.empty(i)
			return nil
		}
		k = l.replacement(r, j.images[i])
	}
	return unreadable(last)
}

// report counts an image that cannot be read.
func (l *Loader) report(k int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken[l.data.File(k)] = err
}

// replacement draws an image of the same bucket as k.
func (l *Loader) replacement(r *rand.Rand, k int) int {
	for {
		if other := r.IntN(l.data.Len()); l.order.bucket[other] == l.order.bucket[k] {
			return other
		}
	}
}

func unreadable(last error) error {
	return fmt.Errorf("data: %d images in a row cannot be read, the last: %w; check the dataset with `data check`", attempts, last)
}

// draw scales an image to s on canvas i, with its boxes, and releases it or leaves it to the batch.
func (l *Loader) draw(b *Batch, i, k int, p *picture.Picture, s Size, flip bool) {
	s = Size{min(s.W, b.W), min(s.H, b.H)} // a file may be larger than its entry
	im := l.data.Image(k)
	scene := augment.Single(k, Scaling(Size{im.Width, im.Height}, s, flip), b.W, b.H)
	b.draw(i, picture.Input{Mean: l.c.Mean, Std: l.c.Std}, scene, []picture.Source{{Picture: p, W: im.Width, H: im.Height}})
	boxes, classes, crowd := l.data.Objects(k)
	sx, sy := float32(s.W)/float32(im.Width), float32(s.H)/float32(im.Height)
	scaled := make([]box.Box, len(boxes))
	for n, v := range boxes {
		scaled[n] = v.Scale(sx, sy)
		if flip {
			scaled[n] = scaled[n].FlipX(float32(s.W))
		}
	}
	b.Boxes[i], b.Classes[i], b.Crowd[i] = scaled, classes, crowd
	b.Index[i], b.Sizes[i], b.Flipped[i], b.Names[i] = k, s, flip, im.FileName
}
