package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retinago/internal/media/video"
)

// faults is the number of broken frames in a row after which reading a video ends.
const faults = 100

// play passes the frames of a video to give, and reports whether give wants more.
func (s *Set) play(ctx context.Context, in input, name string, give func(Frame) bool) bool {
	r, err := s.open(in)
	if err != nil {
		return give(Frame{Path: in.shown(), Name: name, Err: err})
	}
	defer r.Close()
	return s.frames(ctx, r, in, name, give)
}

// frames passes a finite video's frames to give.
func (s *Set) frames(ctx context.Context, r reader, in input, name string, give func(Frame) bool) bool {
	format := r.Format()
	v := &Video{Rate: format.Rate, Frames: format.Frames, Input: in.number}
	bad := 0
	for n := 0; ctx.Err() == nil; n++ {
		f := Frame{Path: in.shown(), Name: name, Video: v, Count: n}
		begin := time.Now()
		f.Pic, f.Time, f.Err = r.Read()
		f.Read = time.Since(begin)
		switch {
		case errors.Is(f.Err, video.ErrEnd):
			if why := missing(r, n); why != nil {
				return give(Frame{Path: in.shown(), Name: name, Err: fmt.Errorf("source: %s: %w", in.shown(), why)})
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

// missing is why a video that ended after n frames is not whole. A reader that cannot say so is believed its number of frames, but for a
// frame or two that some files count and do not show.
func missing(r reader, n int) error {
	if r, ok := r.(interface{ Missing(n int) error }); ok {
		return r.Missing(n)
	}
	if said := r.Format().Frames; n == 0 || n < said-max(2, said/100) {
		return fmt.Errorf("it ends after %d of %d frames: it is cut or damaged", n, said)
	}
	return nil
}

// follow passes the frames of a camera or stream to give until ctx ends; a stream with an end is read like a file, and the image of an
// address is one frame.
func (s *Set) follow(ctx context.Context, in input, name string, give func(Frame) bool) {
	if in.kind == stream {
		begin := time.Now()
		p, err := s.load(ctx, in.name)
		if ctx.Err() != nil {
			release(Frame{Pic: p})
			return
		}
		if err != nil {
			err = fmt.Errorf("source: %s: %w", in.shown(), err)
		}
		if p != nil || err != nil {
			give(Frame{Path: in.shown(), Name: name, Pic: p, Read: time.Since(begin), Err: err})
			return
		}
	}
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
		l := &Capture{in: in, name: name, retries: max(s.options.Retries, 0), open: s.open, backoff: s.backoff, dropped: &s.dropped}
		l.play(ctx, r, s.options.Notice, give)
	}
}
