package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// patience is how many of Options.Timeout may pass without a picture that gets through, while there are requests, until the server
// says that it is not ready.
const patience = 2

// healthy says that the process answers.
func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness says whether requests should come here: not once the server stops, nor while no picture gets through.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		s.fail(w, refuse(http.StatusServiceUnavailable, "stopping", "the server stops"))
		return
	}
	if d := s.stuck(time.Now()); d > 0 {
		s.fail(w, refuse(http.StatusServiceUnavailable, "stuck", "no picture has come through for %v while requests wait: restart the server if this stays", d.Round(time.Millisecond)))
		return
	}
	s.write(w, http.StatusOK, map[string]string{"status": "ready"})
}

// stuck is how long nothing has come through, or 0 where pictures do: a picture holds its place far longer than its request may
// take, or one request after another runs out of its time or fails inside the server.
func (s *Server) stuck(now time.Time) time.Duration {
	limit := patience * s.o.Timeout
	for _, m := range s.models {
		if d := m.queue.oldest(now); d > limit+patience*m.queue.batchTime() {
			return d
		}
	}
	return s.turning.stuck(now, limit)
}

// turning watches whether pictures get through.
type turning struct {
	mu    sync.Mutex
	good  time.Time // when the last picture got through
	since time.Time // when the failures after it began, zero without one
	last  time.Time // when the latest request failed
}

// ended counts a request that began at some time and may have had an error. Only the server's own faults count, and not the
// time of who gave less than a second.
func (t *turning) ended(began time.Time, had, most time.Duration, err error) {
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

// stuck is how long requests have failed, if that is longer than the limit. Where requests stay away, as after this was told,
// the server offers itself again after a while.
func (t *turning) stuck(now time.Time, limit time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.last.Sub(t.since); !t.since.IsZero() && d > limit && now.Sub(t.last) <= 2*limit {
		return d
	}
	return 0
}
