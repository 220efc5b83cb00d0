package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Camera opens a source of frames that the server shows with boxes. It is open while somebody looks.
type Camera func(ctx context.Context) (Frames, error)

// Frames are pictures one after another, each the bytes of a file. The end of the context that they were opened with ends
// Next.
type Frames interface {
	Next() ([]byte, error)
	Close() error
}

// Limits of a camera that is reached by HTTP.
const (
	cameraPatience = 10 * time.Second // without a frame
	cameraBytes    = 16 << 20         // of a frame
)

// MJPEG is a camera that sends MJPEG at an http address.
func MJPEG(address string) Camera {
	return func(ctx context.Context) (Frames, error) {
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
			return nil, errors.Join(fmt.Errorf("%s answers %s", address, answer.Status), v.Close())
		}
		if v.in, err = newFrames(answer.Header.Get("Content-Type"), answer.Body); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", address, err), v.Close())
		}
		return v, nil
	}
}

// remote is MJPEG from elsewhere.
type remote struct {
	in   *frames
	body io.Closer
	late *time.Timer
	stop context.CancelFunc
}

func (v *remote) Next() ([]byte, error) {
	v.late.Reset(cameraPatience)
	r, _, err := v.in.next()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, cameraBytes+1))
	if len(b) > cameraBytes {
		return nil, fmt.Errorf("a frame has more than %d bytes", cameraBytes)
	}
	return b, err
}

func (v *remote) Close() error {
	v.late.Stop()
	v.stop()
	if v.body == nil {
		return nil
	}
	return v.body.Close()
}

// camera shows one source to all who look: each frame goes through the network once.
type camera struct {
	name string
	open Camera
	s    *Server

	mu      sync.Mutex
	viewers int
	end     context.CancelFunc // of run
	next    *shot              // the one that comes
}

// shot is a frame with boxes, once done is closed.
type shot struct {
	done chan struct{}
	jpeg []byte
}

// watch starts the camera for its first viewer.
func (c *camera) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewers++; c.viewers > 1 {
		return
	}
	c.next = &shot{done: make(chan struct{})}
	var ctx context.Context
	ctx, c.end = context.WithCancel(c.s.stop)
	c.s.streams.Go(func() { c.run(ctx) })
}

// unwatch stops it with the last.
func (c *camera) unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewers--; c.viewers == 0 {
		c.end()
	}
}

// coming is the shot that comes next.
func (c *camera) coming() *shot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// run shows frames until ctx ends, and opens the source again where it breaks off.
func (c *camera) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.show(ctx); ctx.Err() == nil {
			c.s.o.Log.Warn("serve: a camera breaks off", "camera", c.name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (c *camera) show(ctx context.Context) (err error) {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	m := c.s.models[0]
	want := choice{model: m, decoding: m.Network.Decoding(), draw: true, timeout: c.s.o.Timeout}
	for {
		b, err := in.Next()
		if err != nil {
			return err
		}
		a, err := c.s.frame(ctx, &body{b: b, from: new(budget)}, want, "camera")
		if err != nil {
			var p *problem
			if !errors.As(err, &p) && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			continue // a frame without a place, or one that is broken
		}
		c.mu.Lock()
		now := c.next
		c.next = &shot{done: make(chan struct{})}
		c.mu.Unlock()
		now.jpeg = a.jpeg
		close(now.done)
	}
}
