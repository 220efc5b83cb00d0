package source

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"retinago/internal/media/video"
)

// Capture is a source in real time, which does not wait for its receiver: a camera, a stream, or a video, which repeats at its own rate.
type Capture struct {
	in      input
	name    string // of the frames
	retries int    // how often in a row it is opened again; below 0 without end
	open    func(input) (reader, error)
	backoff time.Duration // before the first time that it is opened again
	dropped *atomic.Int64
	turn    sync.Mutex // held while the source is open
}

// NewCapture makes a capture of cam:N, the address of a stream, or the path of a video. A video is opened once to see that it is one;
// cameras and streams may be absent and come later.
func NewCapture(name string) (*Capture, error) {
	in, err := parse(name)
	if err == nil {
		err = video.Available()
	}
	if err != nil {
		return nil, err
	}
	switch in.kind {
	case camera, stream:
	default:
		if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() || !hasExtension(name, videos) {
			return nil, fmt.Errorf("source: %s: it is no video (%s), camera (cam:0) or address (rtsp://...)", name, strings.Join(videos, " "))
		}
		r, err := open(in)
		if err != nil {
			return nil, err
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	return &Capture{in: in, name: plain(name), retries: -1, open: open, backoff: time.Second, dropped: new(atomic.Int64)}, nil
}

// Frames yields the newest frame whenever the receiver asks, until ctx ends or the receiver stops. The receiver owns a frame's image.
// A source that cannot be opened, or that breaks, is opened again after 1, 2, 4 ... 30 seconds; notice is called with the reason, from
// any goroutine. A source that does not answer may stay open for a while after the end; it is not opened again meanwhile.
func (l *Capture) Frames(ctx context.Context, notice func(text string)) iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		index := 0
		l.play(ctx, nil, notice, func(f Frame) bool {
			f.Index = index
			index++
			return yield(f)
		})
	}
}

// Dropped returns the number of frames that were not taken in time.
func (l *Capture) Dropped() int64 { return l.dropped.Load() }

// play passes the newest frame to give whenever give is free. A goroutine reads the source, so that the source never waits; a frame that
// was not taken when a newer one comes is dropped. r is the open source, or nil.
func (l *Capture) play(ctx context.Context, r reader, notice func(string), give func(Frame) bool) {
	newest := make(chan Frame, 1)
	go l.capture(ctx, r, notice, newest)
	for {
		select {
		case <-ctx.Done():
			return
		case f, ok := <-newest:
			if !ok || !give(f) {
				return
			}
		}
	}
}

// capture reads the source, opens it again when it breaks, and closes newest when it gives up.
func (l *Capture) capture(ctx context.Context, r reader, notice func(string), newest chan Frame) {
	defer close(newest)
	l.turn.Lock()
	defer l.turn.Unlock()
	defer func() {
		if r != nil {
			r.Close()
		}
	}()
	shown := l.in.shown()
	v := &Video{Realtime: true, Input: l.in.number}
	begin := time.Now()
	for n, retries := 0, 0; ctx.Err() == nil; {
		var err error
		if r == nil {
			r, err = l.start(ctx)
		}
		if err == nil {
			if n == 0 {
				v.Rate = r.Format().Rate
			}
			f := Frame{Path: shown, Name: l.name, Video: v, Count: n}
			from := time.Now()
			if f.Pic, _, err = r.Read(); err == nil {
				f.Read, f.Time = time.Since(from), time.Since(begin)
				n, retries = n+1, 0
				l.put(f, newest)
				continue
			}
			r.Close()
			r, err = nil, fmt.Errorf("%s: it broke after %d frames: %w", shown, n, err)
		}
		if ctx.Err() != nil {
			return
		}
		if retries == l.retries {
			if retries > 0 {
				err = fmt.Errorf("%w; opened again %d times in vain", err, retries)
			}
			select {
			case newest <- Frame{Path: shown, Name: l.name, Err: fmt.Errorf("source: %w", err)}:
			case <-ctx.Done():
			}
			return
		}
		wait := min(l.backoff<<min(retries, 5), 30*l.backoff)
		retries++
		notice(fmt.Sprintf("%v; opening it again in %v", err, wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// start opens the source; a video with an end is repeated.
func (l *Capture) start(ctx context.Context) (reader, error) {
	r, err := l.open(l.in)
	if err != nil {
		return nil, err
	}
	if l.in.kind != files && r.Format().Frames == 0 {
		return r, nil
	}
	return newLoop(ctx, r, func() (reader, error) { return l.open(l.in) }), nil
}

// put replaces the frame that waits to be taken.
func (l *Capture) put(f Frame, newest chan Frame) {
	select {
	case newest <- f:
		return
	default:
	}
	select {
	case old := <-newest:
		release(old)
		l.dropped.Add(1)
	default:
	}
	newest <- f // this goroutine alone puts
}
