package infer

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"time"

	"retinago/data"
	"retinago/picture"
)

// StreamOptions configures Predictor.Stream.
type StreamOptions struct {
	// Workers read, and as many others run Then; 0 is one for every four cores, at least one: the network wants the rest.
	Workers int
	// Then is called on every result that is not broken before it is handed out, several at once, while the network works
	// on the next. It gets the picture, whole, which is its to change until it returns. An error ends the stream.
	Then func(r Result, pic *picture.Picture) error
}

// Result is what became of one file.
type Result struct {
	Index  int // of the file
	Path   string
	Size   data.Size // of the picture
	Found  []Detection
	Times  Times
	Broken error // why the picture could not be read; there is nothing else then
}

// item is a result in the making.
type item struct {
	Result
	pic *picture.Picture // for Then
	in  *Input
	err error // ends the stream
}

// Stream finds the objects in picture files, in their order. The next pictures are read and prepared, and those before
// get their boxes and go through Then, while the network runs:
//
//	read, prepare (Workers) -> network | boxes, NMS (2 in turn) -> Then (Workers) -> result
//
// At most 2*Workers + 4 pictures are on the way, whoever waits for whom. When ctx ends, those that have been through the
// network come out, and then its error as the last. Nothing is left running after the loop, however it ends.
func (p *Predictor) Stream(ctx context.Context, files []string, o StreamOptions) iter.Seq2[Result, error] {
	if o.Workers < 1 {
		o.Workers = max(runtime.GOMAXPROCS(0)/4, 1)
	}
	return func(yield func(Result, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		source := make(chan *item)
		go func() {
			defer close(source)
			for i, f := range files {
				select {
				case <-ctx.Done():
					return
				case source <- &item{Result: Result{Index: i, Path: f}}:
				}
			}
		}()
		read := stage(source, o.Workers, func(v *item) *item { return p.read(ctx, v, o.Then != nil) })
		found := stage(read, 2, func(v *item) *item { return p.find(ctx, v) })
		out := stage(found, o.Workers, func(v *item) *item { return v.then(o.Then) })
		defer func() {
			stop()
			for range out { // each stage ends when the one before has
			}
		}()
		for v := range out {
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

// read decodes and prepares. The picture is kept where it is wanted afterwards.
func (p *Predictor) read(ctx context.Context, v *item, keep bool) *item {
	if v.err = ctx.Err(); v.err != nil {
		return v
	}
	begin := time.Now()
	c := p.info.Config.Data
	pic, w, h, err := picture.DecodeFor(v.Path, data.Target(c, c.TestSide()))
	v.Times.Read = time.Since(begin)
	if err != nil {
		v.Broken = err
		return v
	}
	begin = time.Now()
	v.Size = data.Size{W: w, H: h}
	v.in, v.err = p.Prepare(pic, v.Size)
	v.Times.Prepare = time.Since(begin)
	if keep {
		v.pic = pic
	} else {
		pic.Release()
	}
	return v
}

// find runs the network and makes boxes.
func (p *Predictor) find(ctx context.Context, v *item) *item {
	if v.err != nil || v.Broken != nil {
		return v
	}
	found, t, err := p.PredictBatch(ctx, []*Input{v.in})
	v.in.Release()
	v.in = nil
	if err != nil {
		v.err = fmt.Errorf("%s: %w", v.Path, err)
		return v
	}
	v.Found = found[0]
	v.Times.Network, v.Times.Decode, v.Times.NMS = t.Network, t.Decode, t.NMS
	return v
}

// then calls f with the whole picture.
func (v *item) then(f func(Result, *picture.Picture) error) *item {
	if f == nil || v.err != nil || v.Broken != nil {
		return v
	}
	begin := time.Now()
	if v.pic.W < v.Size.W {
		v.pic.Release()
		if v.pic, v.Broken = picture.Decode(v.Path); v.Broken != nil {
			return v
		}
	}
	v.err = f(v.Result, v.pic)
	v.pic.Release()
	v.pic = nil
	v.Times.Write = time.Since(begin)
	return v
}
