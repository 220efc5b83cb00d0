package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// readyz is what /readyz says, with its code where that is no 200.
func (s *Server) readyz(t testing.TB) (int, string) {
	t.Helper()
	r := ask(s.Handler(), "GET", "/readyz", nil)
	if r.StatusCode == 200 {
		return 200, ""
	}
	return r.StatusCode, code(t, r)
}

// A network that hangs makes the server unready, whether requests still come or not; it is ready again when the network goes on.
func TestHangingNetwork(t *testing.T) {
	hang := make(chan struct{})
	n := &slow{Predictor: load(t), fails: func() error { <-hang; return nil }}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Timeout: 60 * time.Millisecond, Queue: 2})
	pic := noise(t, 64, 48)
	if status, _ := s.readyz(t); status != 200 {
		t.Fatalf("%d at first", status)
	}
	var wg sync.WaitGroup
	wg.Go(func() { ask(s.Handler(), "POST", "/v1/detect", pic) })
	eventually(t, "a hanging network is ready", func() bool {
		status, code := s.readyz(t)
		return status == 503 && code == "stuck"
	})
	if r := ask(s.Handler(), "GET", "/healthz", nil); r.StatusCode != 200 {
		t.Errorf("/healthz: %d", r.StatusCode)
	}
	close(hang)
	wg.Wait()
	if status, code := s.readyz(t); status != 200 {
		t.Errorf("%d %s when it goes on", status, code)
	}
}

// A server in which no image gets the network, or a core to decode on, answers 503 to all, while no place is held for long:
// it says that it is not ready, offers itself again after a while without requests, and is ready after one that goes through.
func TestLost(t *testing.T) {
	for name, hold := range map[string]func(*Server) (giveBack func()){
		"the turn": func(s *Server) func() {
			turn := s.models[0].queue.turn
			turn <- struct{}{}
			return func() { <-turn }
		},
		"the cores": func(s *Server) func() {
			n := int64(0)
			for s.pixels.small.cores.TryAcquire(1) {
				n++
			}
			return func() { s.pixels.small.cores.Release(n) }
		},
	} {
		s := newServer(t, Options{Timeout: 50 * time.Millisecond})
		giveBack := hold(s)
		pic := noise(t, 64, 48)
		send := func() int { return ask(s.Handler(), "POST", "/v1/detect", pic).StatusCode }
		if got := send(); got != 503 {
			t.Fatalf("%s: %d", name, got)
		}
		if status, _ := s.readyz(t); status != 200 {
			t.Errorf("%s: %d after one request", name, status)
		}
		eventually(t, name+": a server that answers 503 to all is ready", func() bool {
			send()
			status, code := s.readyz(t)
			return status == 503 && code == "stuck"
		})
		eventually(t, name+": the server does not offer itself again", func() bool {
			status, _ := s.readyz(t)
			return status == 200
		})
		for range 4 {
			send()
		}
		giveBack()
		eventually(t, name+": no image goes through", func() bool { return send() == 200 })
		if status, code := s.readyz(t); status != 200 {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
}

// Which requests speak against the server: those that it failed, and not those that were wrong, given up or in a hurry.
func TestTurning(t *testing.T) {
	const most = 10 * time.Second
	late := fmt.Errorf("x: %w", context.DeadlineExceeded)
	for _, c := range []struct {
		name  string
		had   time.Duration
		errs  []error
		stuck bool
	}{
		{"late", most, []error{late, late}, true},
		{"faults", most, []error{errors.New("x"), panicked{"x"}}, true},
		{"late, one goes through", most, []error{late, nil, late}, false},
		{"late by their own choice", 10 * time.Millisecond, []error{late, late}, false},
		{"late with seconds", time.Second, []error{late, late}, true},
		{"wrong images", most, []error{refuse(http.StatusBadRequest, "picture", "x"), refuse(http.StatusBadRequest, "picture", "x")}, false},
		{"busy", most, []error{busy(0, "x"), busy(0, "x")}, false},
		{"given up", most, []error{context.Canceled, context.Canceled}, false},
	} {
		var v progress
		for _, err := range c.errs {
			v.ended(time.Now().Add(-25*time.Second), c.had, most, err)
		}
		if got := v.stuck(time.Now(), patience*most) > 0; got != c.stuck {
			t.Errorf("%s: stuck is %v, want %v", c.name, got, c.stuck)
		}
		if v.stuck(time.Now().Add(5*patience*most), patience*most) > 0 {
			t.Errorf("%s: stuck for ever", c.name)
		}
	}
}

// The reason names the time and what to do.
func TestStuckMessage(t *testing.T) {
	s := newServer(t, Options{Timeout: time.Second})
	s.progress.ended(time.Now().Add(-time.Minute), time.Second, time.Second, context.DeadlineExceeded)
	b := string(read(t, ask(s.Handler(), "GET", "/readyz", nil)))
	if !strings.Contains(b, "for 1m0") || !strings.Contains(b, "restart the server") {
		t.Error(b)
	}
}
