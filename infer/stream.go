package infer

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
	"time"

	"retinago/internal/media/picture"
)

// StreamOptions configures Predictor.Stream. An error of one of its functions ends the stream.
type StreamOptions struct {
	// Workers is the number of goroutines that read images, and of those that run Then. 0 is one for every four cores, at least one;
	// the other cores compute the network.
	Workers int
	// Batch is the largest number of images of one canvas that go through the network together; 0 is 1.
	Batch int
	// Link is called on every result that is not broken, one after another in their order, before Then. It may change Found and add
	// Captions.
	Link func(r *Result) error
	// Then is called on every result that is not broken before the loop gets it, several at once, while the network runs on the next.
	// It gets the whole image, and may change it until it returns.
	Then func(r Result, pic *Picture) error
	// Last is called like Then, but one after another in their order, and after Then.
	Last func(r Result, pic *Picture) error
	// MaxBytes bounds the bytes of the decoded image files that wait for Then and Last; images beyond it are decoded again.
	// 0 is 128 MiB for each worker.
	MaxBytes int64
	// Films calls Last only for frames of videos, so that decoded image files need not stay in memory for it.
	Films bool
}

// last reports whether Last is called for an item.
func (o StreamOptions) last(v *item) bool { return o.Last != nil && (!o.Films || v.Video != nil) }

// Result is the result of one frame.
type Result struct {
	Frame         // without its image
	Size     Size // of the image
	Found    []Detection
	Times    Times
	Captions []string // lines of text that Link adds, to be drawn in the corner
	Broken   error    // why the image could not be read; Found is then empty
	More     int      // pages or frames of an image file after the first; only the first is read
}

// item is a frame on its way to a result.
type item struct {
	Result
	pic *picture.Picture // for Then and Last
	in  *inputs
	err error // ends the stream

	held *atomic.Int64 // bytes of all items' images that came from files
	n    int64         // this item's part of held
}

// Stream finds the objects in frames, in their order, such as those of Files. While the network runs, the next images
// are read and prepared, and the boxes of those before are computed, drawn and written:
//
//	frames -> read, prepare (Workers) -> batches -> network | boxes, NMS (2 in turn) -> Link (1) -> Then (Workers) -> Last (1) -> result
//
// At most 2*Workers + 10 images are between reading and result, and 20*Batch more with batches. When ctx ends, the loop gets the
// results that have been through the network, and then the error of ctx. When the loop ends, no goroutine of Stream runs any more.
func (p *Predictor) Stream(ctx context.Context, frames func(context.Context) iter.Seq[Frame], o StreamOptions) iter.Seq2[Result, error] {
	return p.stream(ctx, p.common, frames, o)
}

// stream is Stream with the settings of a request.
func (p *Predictor) stream(ctx context.Context, r request, frames func(context.Context) iter.Seq[Frame], o StreamOptions) iter.Seq2[Result, error] {
	if o.Workers < 1 {
		o.Workers = max(runtime.GOMAXPROCS(0)/4, 1)
	}
	o.Batch = max(o.Batch, 1)
	if o.MaxBytes == 0 {
		o.MaxBytes = int64(o.Workers) << 27
	}
	return func(yield func(Result, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		feed := make(chan *item)
		var held atomic.Int64
		go func() {
			defer close(feed)
			for f := range frames(ctx) {
				v := &item{pic: f.Pic, held: &held}
				f.Pic = nil
				v.Frame = f
				select {
				case <-ctx.Done():
					v.drop()
					return
				case feed <- v:
				}
			}
		}()
		read := stage(feed, o.Workers, func(v *item) *item { return p.read(ctx, r, v, o.Then != nil || o.Last != nil, o.MaxBytes) })
		found := stage(pack(read, o.Batch), 2, func(v []*item) []*item { return p.find(ctx, v, o.Batch) })
		out := each(found)
		if o.Link != nil {
			out = stage(out, 1, func(v *item) *item { return v.link(o.Link) })
		}
		if o.Then != nil {
			out = stage(out, o.Workers, func(v *item) *item { return v.show(ctx, o.Then, &v.Times.Write, !o.last(v)) })
		}
		if o.Last != nil {
			out = stage(out, 1, func(v *item) *item {
				if !o.last(v) {
					return v
				}
				return v.show(ctx, o.Last, &v.Times.Last, true)
			})
		}
		defer func() {
			stop()
			for v := range out { // each stage ends when the one before has
				v.drop()
			}
		}()
		for v := range out {
			v.drop()
			if v.err != nil {
				yield(Result{}, v.err)
				return
			}
			if !yield(v.Result, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Result{}, err)
		}
	}
}

// each sends the items of packs one by one.
func each(in <-chan []*item) <-chan *item {
	out := make(chan *item)
	go func() {
		defer close(out)
		for p := range in {
			for _, v := range p {
				out <- v
			}
		}
	}()
	return out
}

// drop frees the image, if there is one.
func (v *item) drop() {
	if v.pic != nil {
		v.pic.Release()
		v.pic = nil
		v.held.Add(-v.n)
		v.n = 0
	}
}

// hold reports whether a decoded image file may stay in memory, and counts its bytes.
func (v *item) hold(most int64) bool {
	v.n = int64(len(v.pic.Pix))
	return v.held.Add(v.n) <= most
}

// well reports whether the item has no error and its image could be read.
func (v *item) well() bool { return v.err == nil && v.Broken == nil }

// read decodes and prepares a frame. It keeps the decoded image if Then or Last need it; those of image files only up to most bytes in all.
func (p *Predictor) read(ctx context.Context, r request, v *item, keep bool, most int64) *item {
	if v.err = ctx.Err(); v.err != nil {
		return v
	}
	if v.Broken = v.Err; v.Broken != nil {
		return v
	}
	if v.pic == nil {
		begin := time.Now()
		target := p.target(r)
		var done func()
		v.pic, v.Size.W, v.Size.H, done, v.Broken = picture.DecodeHeld(ctx, v.Path, target)
		defer done()
		v.Times.Read = time.Since(begin)
		if v.err = ctx.Err(); v.err != nil {
			v.Broken = nil
			return v
		}
		if v.Broken != nil {
			return v
		}
		keep = v.hold(most) && keep
	} else {
		v.Size = Size{W: v.pic.W, H: v.pic.H}
		v.Times.Read = v.Read
	}
	v.More = v.pic.More
	begin := time.Now()
	v.in, v.err = p.views(r, v.pic, v.Size, 1)
	v.Times.Prepare = time.Since(begin)
	if !keep {
		v.drop()
	}
	return v
}

// find runs the network and computes boxes.
func (p *Predictor) find(ctx context.Context, items []*item, batch int) []*item {
	var sets []*inputs
	var of []*item
	for _, v := range items {
		if v.well() {
			sets, of = append(sets, v.in), append(of, v)
		}
	}
	found, times, err := p.findAll(ctx, sets, batch)
	for i, v := range of {
		v.in.release()
		if err != nil {
			v.err = fmt.Errorf("%s: %w", v.Path, err)
			continue
		}
		v.Found = found[i]
		v.Times.Add(times[i])
	}
	return items
}

func (v *item) link(f func(*Result) error) *item {
	if v.well() {
		begin := time.Now()
		v.err = f(&v.Result)
		v.Times.Link = time.Since(begin)
	}
	return v
}

// show calls f with the whole decoded image, and frees it after its last use.
func (v *item) show(ctx context.Context, f func(Result, *picture.Picture) error, spent *time.Duration, last bool) *item {
	if !v.well() {
		return v
	}
	begin := time.Now()
	if v.pic == nil || v.pic.W < v.Size.W {
		v.drop()
		var done func()
		v.pic, _, _, done, v.Broken = picture.DecodeHeld(ctx, v.Path, nil)
		defer done()
		if v.Broken != nil {
			if v.err = ctx.Err(); v.err != nil {
				v.Broken = nil
			}
			return v
		}
	}
	v.err = f(v.Result, v.pic)
	*spent = time.Since(begin)
	if last {
		v.drop()
	}
	return v
}
