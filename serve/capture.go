package serve

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"strings"

	"retinago/internal/media/source"
	"retinago/internal/media/video"
)

// Open makes a camera of cam:N, the address of a stream, or a video file, which is repeated at its own rate. MJPEG over HTTP is read
// here, everything else by OpenCV.
func Open(name string) (Camera, error) {
	live, unable := source.NewCapture(name)
	if scheme, _, _ := strings.Cut(strings.ToLower(name), ":"); scheme != "http" && scheme != "https" {
		if unable != nil {
			return nil, unable
		}
		return func(ctx context.Context, log *slog.Logger) (Frames, error) { return newCaptured(ctx, live, log), nil }, nil
	}
	if u, err := url.Parse(name); err != nil || u.Host == "" {
		return nil, fmt.Errorf("serve: %s: it is no address of an HTTP server, such as http://10.0.0.7/video.mjpg", video.Public(name))
	}
	return func(ctx context.Context, log *slog.Logger) (Frames, error) {
		in, err := MJPEG(name)(ctx, log)
		var other notMJPEG
		switch {
		case !errors.As(err, &other):
			return in, err
		case unable != nil:
			return nil, fmt.Errorf("%w; %w", err, unable)
		}
		return newCaptured(ctx, live, log), nil
	}, nil
}

// captured is the newest frames of a source in real time.
type captured struct {
	ctx  context.Context
	next func() (source.Frame, bool)
	stop func()
}

func newCaptured(ctx context.Context, l *source.Capture, log *slog.Logger) captured {
	next, stop := iter.Pull(l.Frames(ctx, func(text string) { log.Warn(breaksOff, "error", text) }))
	return captured{ctx, next, stop}
}

func (v captured) Next() (Frame, error) {
	f, ok := v.next()
	if !ok {
		return Frame{}, v.ctx.Err()
	}
	return Frame{Pic: f.Pic}, f.Err
}

func (v captured) Close() error {
	v.stop()
	return nil
}
