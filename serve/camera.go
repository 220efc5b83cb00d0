package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"retinago/internal/media/picture"
)

// Camera opens a source of frames that the server shows with boxes. It is open while somebody looks. log hears of faults that it
// makes good by itself; after others the server opens it again.
type Camera func(ctx context.Context, log *slog.Logger) (Frames, error)

// Frames are pictures one after another. The end of the context that they were opened with ends Next.
type Frames interface {
	Next() (Frame, error)
	Close() error
}

// Frame is a picture, either the bytes of a file or what is in one. Its receiver releases it.
type Frame struct {
	File []byte
	Pic  *picture.Picture
}

func (f Frame) release() {
	if f.Pic != nil {
		f.Pic.Release()
	}
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

// breaksOff is what the log says of a camera that is going to be opened again.
const breaksOff = "serve: a camera breaks off"

// show shows the frames of one opening. What is wrong with frames is told once.
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
	told := map[string]bool{}
	for {
		f, err := in.Next()
		if err != nil {
			return err
		}
		a, err := c.look(ctx, f)
		var p *problem
		switch {
		case errors.As(err, &p):
			if p.status != http.StatusTooManyRequests && !told[p.Code] {
				log.Warn("serve: frames of a camera are left out", "error", err)
				told[p.Code] = true
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

// look finds the objects on a frame and releases it.
func (c *camera) look(ctx context.Context, f Frame) (*Answer, error) {
	defer f.release()
	m := c.s.models[0]
	return c.s.frame(ctx, f, choice{model: m, decoding: m.Network.Decoding(), draw: true, timeout: c.s.o.Timeout}, "camera")
}
