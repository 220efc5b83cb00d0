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

// Live is a source that does not wait for who looks at it: a camera, a stream, or a video, which goes round at its own rate.
type Live struct {
	in      input
	name    string // of the frames
	retries int    // how often in a row it is opened again; below 0 without end
	open    func(input) (reader, error)
	backoff time.Duration // before the first time that it is opened again
	dropped *atomic.Int64
	turn    sync.Mutex // held while the source is open
}

// NewLive makes one of cam:N, the address of a stream, or the path of a video. A video is opened once to see that it is one;
// cameras and streams may be absent and come later.
func NewLive(name string) (*Live, error) {
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
	return &Live{in: in, name: plain(name), retries: -1, open: open, backoff: time.Second, dropped: new(atomic.Int64)}, nil
}

// Frames gives the newest frame whenever one is wanted, until ctx ends or nobody wants more. A frame's picture is the receiver's.
// A source that cannot be opened, or that breaks, is opened again after 1, 2, 4 ... 30 seconds; notice is told why, maybe by another
// goroutine. One that does not answer may stay open a while after the end, for itself; it is not opened anew meanwhile.
func (l *Live) Frames(ctx context.Context, notice func(text string)) iter.Seq[Frame] {
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

// Dropped is how many frames nobody took in time.
func (l *Live) Dropped() int64 { return l.dropped.Load() }

// play gives the newest frame whenever one is wanted. Reading goes on by itself, so that the source never waits; what lies there
// when a newer one comes is dropped. r is the source where it is open.
func (l *Live) play(ctx context.Context, r reader, notice func(string), give func(Frame) bool) {
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

// capture reads the source, opens it again when it breaks, and closes newest when it is given up.
func (l *Live) capture(ctx context.Context, r reader, notice func(string), newest chan Frame) {
	defer close(newest)
	l.turn.Lock()
	defer l.turn.Unlock()
	defer func() {
		if r != nil {
			r.Close()
		}
	}()
	shown := l.in.shown()
	v := &Video{Live: true, Lane: l.in.lane}
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
			select {
			case newest <- Frame{Path: shown, Name: l.name, Err: fmt.Errorf("source: %w; opened again %d times in vain", err, retries)}:
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

// start opens the source; what has an end goes round.
func (l *Live) start(ctx context.Context) (reader, error) {
	r, err := l.open(l.in)
	if err != nil {
		return nil, err
	}
	if l.in.kind != files && r.Format().Frames == 0 {
		return r, nil
	}
	return newLoop(ctx, r, func() (reader, error) { return l.open(l.in) }), nil
}

// put leaves a frame to be taken, in place of an older one.
func (l *Live) put(f Frame, newest chan Frame) {
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
	newest <- f // nobody else puts
}
