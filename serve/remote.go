package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"retinago/internal/media/video"
)

// Limits of a camera that is reached by HTTP.
const (
	cameraPatience = 10 * time.Second // without a frame
	cameraBytes    = 16 << 20         // of a frame
)

// MJPEG makes a camera of an http address that sends MJPEG.
func MJPEG(address string) Camera {
	return func(ctx context.Context, _ *slog.Logger) (Frames, error) {
		ctx, stop := context.WithCancel(ctx)
		v := &remote{stop: stop, late: time.AfterFunc(cameraPatience, stop)}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, errors.Join(err, v.Close())
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, errors.Join(err, v.Close())
		}
		v.body = answer.Body
		if answer.StatusCode != http.StatusOK {
			return nil, errors.Join(fmt.Errorf("%s answers %s", video.Public(address), answer.Status), v.Close())
		}
		if v.in, err = newFrames(answer.Header.Get("Content-Type"), answer.Body); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", video.Public(address), err), v.Close())
		}
		return v, nil
	}
}

// remote reads MJPEG from an address.
type remote struct {
	in   *frames
	body io.Closer
	late *time.Timer
	stop context.CancelFunc
}

func (v *remote) Next() (Frame, error) {
	v.late.Reset(cameraPatience)
	r, _, err := v.in.next()
	if err != nil {
		return Frame{}, err
	}
	b, err := io.ReadAll(io.LimitReader(r, cameraBytes+1))
	if len(b) > cameraBytes {
		return Frame{}, fmt.Errorf("a frame has more than %d bytes", cameraBytes)
	}
	return Frame{File: b}, err
}

func (v *remote) Close() error {
	v.late.Stop()
	v.stop()
	if v.body == nil {
		return nil
	}
	return v.body.Close()
}
