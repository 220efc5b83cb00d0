package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retinago/video"
)

// faults is how many frames in a row may be broken before a video is given up.
const faults = 100

// play gives the frames of a video to its end, and tells whether more are wanted.
func (s *Set) play(ctx context.Context, in input, name string, give func(Frame) bool) bool {
	r, err := s.open(in)
	if err != nil {
		return give(Frame{Path: in.shown(), Name: name, Err: err})
	}
	defer r.Close()
	return s.frames(ctx, r, in, name, give)
}

// frames gives a finite video's frames.
func (s *Set) frames(ctx context.Context, r reader, in input, name string, give func(Frame) bool) bool {
	format := r.Format()
	v := &Video{Rate: format.Rate, Frames: format.Frames, Lane: in.lane}
	bad := 0
	for n := 0; ctx.Err() == nil; n++ {
		f := Frame{Path: in.shown(), Name: name, Video: v, Count: n}
		begin := time.Now()
		f.Pic, f.Time, f.Err = r.Read()
		f.Read = time.Since(begin)
		switch {
		case errors.Is(f.Err, video.ErrEnd):
			// Some files count a frame or two that are not shown.
			if n == 0 || n < format.Frames-max(2, format.Frames/100) {
				return give(Frame{Path: in.shown(), Name: name, Err: fmt.Errorf("source: %s: it ends after %d of %d frames: it is cut or damaged", in.shown(), n, format.Frames)})
			}
			return true
		case f.Err == nil:
			bad = 0
		default:
			f.Err = fmt.Errorf("%s: frame %d: %w", in.shown(), n, f.Err)
			if bad++; bad == faults {
				return give(f)
			}
		}
		if !give(f) {
			return false
		}
	}
	return false
}

// follow gives the frames of a camera or stream until ctx ends, one that has an end as a file's.
func (s *Set) follow(ctx context.Context, in input, name string, give func(Frame) bool) {
	opened := make(chan reader)
	failed := make(chan error, 1)
	go func() {
		r, err := s.open(in)
		if err != nil {
			failed <- err
			return
		}
		select {
		case opened <- r:
		case <-ctx.Done():
			r.Close()
		}
	}()
	select {
	case <-ctx.Done():
	case err := <-failed:
		give(Frame{Path: in.shown(), Name: name, Err: err})
	case r := <-opened:
		if r.Format().Frames > 0 {
			s.frames(ctx, r, in, name, give)
			r.Close()
			return
		}
		s.live(ctx, r, in, name, give)
	}
}

// live gives the newest frame whenever one is wanted. Reading goes on by itself, so that the source never waits; what lies there
// when a newer one comes is dropped.
func (s *Set) live(ctx context.Context, r reader, in input, name string, give func(Frame) bool) {
	newest := make(chan Frame, 1)
	go s.capture(ctx, r, in, name, newest)
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

// capture reads a live source, opens it again when it breaks, and closes newest when it is given up.
func (s *Set) capture(ctx context.Context, r reader, in input, name string, newest chan Frame) {
	defer close(newest)
	put := func(f Frame) {
		select {
		case newest <- f:
			return
		default:
		}
		select {
		case old := <-newest:
			release(old)
			s.dropped.Add(1)
		default:
		}
		newest <- f // nobody else puts
	}
	v := &Video{Rate: r.Format().Rate, Live: true, Lane: in.lane}
	begin := time.Now()
	for n, retries := 0, 0; ctx.Err() == nil; {
		f := Frame{Path: in.shown(), Name: name, Video: v}
		start := time.Now()
		var err error
		if f.Pic, _, err = r.Read(); err == nil {
			f.Read, f.Time, f.Count = time.Since(start), time.Since(begin), n
			n, retries = n+1, 0
			put(f)
			continue
		}
		r.Close()
		again := fmt.Errorf("%s: it broke after %d frames: %w", in.shown(), n, err)
		for r = nil; r == nil; {
			if retries == s.options.Retries {
				select {
				case newest <- Frame{Path: in.shown(), Name: name, Err: fmt.Errorf("source: %w; opened again %d times in vain", again, retries)}:
				case <-ctx.Done():
				}
				return
			}
			wait := min(s.backoff<<retries, 30*s.backoff)
			retries++
			s.options.Notice(fmt.Sprintf("%v; opening it again in %v", again, wait))
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			if r, err = s.open(in); err != nil {
				r, again = nil, err
			}
		}
	}
	r.Close()
}
