package source

import (
	"context"
	"errors"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// loop repeats a video: each frame comes when it is due, as from a camera.
type loop struct {
	reader
	ctx   context.Context // ends the wait for a frame
	open  func() (reader, error)
	frame time.Duration // from one to the next, by the video's rate
	n     int           // frames of this round
	last  time.Duration // stamp of the frame before
	begin time.Time     // when a frame of stamp 0 was due
}

// usualRate is the rate of videos without one, in frames a second.
const usualRate = 25

func newLoop(ctx context.Context, r reader, open func() (reader, error)) *loop {
	rate := r.Format().Rate
	if rate == 0 {
		rate = usualRate
	}
	return &loop{reader: r, ctx: ctx, open: open, frame: time.Duration(float64(time.Second) / rate)}
}

// Read waits until the next frame is due. The first follows the last after the time of a frame; a video without frames is at
// its end.
func (l *loop) Read() (*picture.Picture, time.Duration, error) {
	p, at, err := l.reader.Read()
	if errors.Is(err, video.ErrEnd) && l.n > 0 {
		if err = l.again(); err == nil {
			p, at, err = l.reader.Read()
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if l.n == 0 {
		// Who reads too slowly has no more to catch up than a round.
		due := l.begin.Add(l.last + l.frame)
		if now := time.Now(); due.Before(now) {
			due = now
		}
		l.begin = due.Add(-at)
	} else if at <= l.last {
		at = l.last + l.frame
	}
	l.n, l.last = l.n+1, at
	select {
	case <-l.ctx.Done():
		p.Release()
		return nil, 0, l.ctx.Err()
	case <-time.After(time.Until(l.begin.Add(at))):
	}
	return p, at, nil
}

// again goes back to the first frame. Not all files can be sought in, so that it opens the video anew.
func (l *loop) again() error {
	r, err := l.open()
	if err != nil {
		return err
	}
	old := l.reader
	l.reader, l.n = r, 0
	return old.Close()
}
