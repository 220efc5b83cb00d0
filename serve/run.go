package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	maxHeader     = 16 << 10        // bytes of a request's header
	headerTimeout = 5 * time.Second // that a header may take to come, and the first one to begin
	healthConns   = 64              // connections of Options.Health
)

// Serve answers on l until ctx ends. Then /readyz answers 503; after Grace no connection is accepted; accepted requests
// are answered, streams end after their frame; an error reports requests that were not answered within Drain. It closes l and the server.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 2)
	if h := s.o.Health; h != nil { // until all else has ended
		limited := newLimited(h, healthConns, healthConns, connections{prometheus.NewGauge(prometheus.GaugeOpts{}),
			prometheus.NewCounter(prometheus.CounterOpts{}), prometheus.NewCounter(prometheus.CounterOpts{})})
		srv := s.server(s.enter(s.healthMux(), s.guards(h)), limited)
		defer srv.Close()
		go func() { failed <- srv.Serve(limited) }()
	}
	defer s.Close()
	limited := newLimited(l, s.o.MaxConns, s.o.MaxConnsAddress, connections{s.metrics.connections, s.metrics.refused, s.metrics.evicted})
	srv := s.server(s.enter(s.mux, s.guards(l)), limited)
	go func() { failed <- srv.Serve(limited) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), srv.Close())
	case <-ctx.Done():
	}
	s.ready.Store(false)
	srv.SetKeepAlivesEnabled(false) // requests during Grace are asked to connect anew, elsewhere
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), srv.Close())
	case <-time.After(s.o.Grace):
	}
	s.stopNow()
	drain, stop := context.WithTimeout(context.Background(), s.o.Drain)
	defer stop()
	err := srv.Shutdown(drain)
	if err != nil {
		err = errors.Join(fmt.Errorf("serve: not all was answered within %v: %w", s.o.Drain, err), srv.Close())
	}
	return err
}

// server runs a handler behind a listener's limits.
func (s *Server) server(h http.Handler, l *limited) *http.Server {
	return &http.Server{
		Handler:           h,
		ConnState:         l.changed,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout + s.o.BodyTimeout,
		// From the header to the answer; handlers give what they write less.
		WriteTimeout:   headerTimeout + s.o.BodyTimeout + s.o.Timeout + s.o.WriteTimeout,
		IdleTimeout:    30 * time.Second,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug), // what senders do wrong
	}
}
