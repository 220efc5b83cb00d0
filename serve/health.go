package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// patience is the number of Options.Timeout that may pass without an image getting through, while there are requests, until the
// server reports that it is not ready.
const patience = 2

// healthy answers that the process runs.
func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness answers whether requests should be sent here: not when the server stops, nor while no image gets through.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		s.fail(w, refuse(http.StatusServiceUnavailable, "stopping", "the server stops"))
		return
	}
	if d := s.stuck(time.Now()); d > 0 {
		s.fail(w, refuse(http.StatusServiceUnavailable, "stuck", "no image has come through for %v while requests wait: restart the server if this stays", d.Round(time.Millisecond)))
		return
	}
	s.write(w, http.StatusOK, map[string]string{"status": "ready"})
}

// stuck returns the time without an image that got through, 0 if images do. The server is stuck if an image holds its place far
// longer than its request may take, or if one request after another times out or fails inside the server.
func (s *Server) stuck(now time.Time) time.Duration {
	limit := patience * s.o.Timeout
	for _, m := range s.models {
		if d := m.queue.oldest(now); d > limit+patience*m.queue.batchTime() {
			return d
		}
	}
	return s.progress.stuck(now, limit)
}

// progress records whether images get through.
type progress struct {
	mu    sync.Mutex
	good  time.Time // when the last image got through
	since time.Time // when the failures after it began, zero without one
	last  time.Time // when the latest request failed
}

// ended records the end of a request. Only the server's own faults count, and no timeout of less than a second that a client chose.
func (t *progress) ended(began time.Time, had, most time.Duration, err error) {
	var p *problem
	switch {
	case errors.As(err, &p), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && had < min(most, time.Second):
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if err == nil {
		t.good, t.since = now, time.Time{}
		return
	}
	if t.since.IsZero() || now.Sub(t.last) > 2*patience*most {
		t.since = began
		if began.Before(t.good) {
			t.since = t.good
		}
	}
	t.last = now
}

// stuck returns how long requests have failed, if that is longer than the limit. Without further requests, as after a 503 of /readyz,
// the server reports ready again after a while.
func (t *progress) stuck(now time.Time, limit time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.last.Sub(t.since); !t.since.IsZero() && d > limit && now.Sub(t.last) <= 2*limit {
		return d
	}
	return 0
}
