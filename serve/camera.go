package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"retinago/infer"
)

// Camera opens a source of frames that the server shows with boxes. The server opens it for the first viewer and closes it after the
// last. log receives faults from which the camera recovers by itself; after other faults the server opens it again.
type Camera func(ctx context.Context, log *slog.Logger) (Frames, error)

// Frames is a sequence of images. Next returns when the context ends with which the frames were opened.
type Frames interface {
	Next() (Frame, error)
	Close() error
}

// Frame is an image, either the bytes of a file or its pixels. The receiver releases it.
type Frame struct {
	File []byte
	Pic  *infer.Picture
}

func (f Frame) release() {
	if f.Pic != nil {
		f.Pic.Release()
	}
}

// camera shows one source to all viewers: each frame goes through the network once.
type camera struct {
	name string
	open Camera
	s    *Server

	mu      sync.Mutex
	viewers int
	end     context.CancelFunc // of run
	next    *shot              // the next frame
}

// shot is a frame with boxes; jpeg is set when done is closed.
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

// unwatch removes a viewer and stops the camera after the last one.
func (c *camera) unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewers--; c.viewers == 0 {
		c.end()
	}
}

// coming returns the next shot.
func (c *camera) coming() *shot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// run shows frames until ctx ends, and opens the source again when it breaks.
func (c *camera) run(ctx context.Context) {
	log := c.s.o.Log.With("camera", c.name)
	for ctx.Err() == nil {
		if err := c.show(ctx, log); ctx.Err() == nil {
			log.Warn(breaksOff, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

// breaksOff is the log's message about a camera that will be opened again.
const breaksOff = "serve: a camera breaks off"

// show shows the frames of one opening. Each kind of fault of frames is logged once.
func (c *camera) show(ctx context.Context, log *slog.Logger) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = c.s.panics.caught(v, "camera", c.name)
		}
	}()
	in, err := c.open(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	warned := map[string]bool{}
	for {
		f, err := in.Next()
		if err != nil {
			return err
		}
		a, err := c.detect(ctx, f)
		var p *problem
		switch {
		case errors.As(err, &p):
			if p.status != http.StatusTooManyRequests && !warned[p.Code] {
				log.Warn("serve: frames of a camera are left out", "error", err)
				warned[p.Code] = true
			}
			continue
		case errors.Is(err, context.DeadlineExceeded):
			continue
		case err != nil:
			return err
		}
		c.mu.Lock()
		now := c.next
		c.next = &shot{done: make(chan struct{})}
		c.mu.Unlock()
		now.jpeg = a.jpeg
		close(now.done)
	}
}

// detect detects the objects in a frame and releases it.
func (c *camera) detect(ctx context.Context, f Frame) (*Answer, error) {
	defer f.release()
	m := c.s.models[0]
	return c.s.frame(ctx, f, choice{model: m, decoding: m.Network.Decoding(), draw: true, timeout: c.s.o.Timeout}, "camera")
}
