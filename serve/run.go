package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// maxHeader is the bytes of a request's header.
const maxHeader = 16 << 10

// Serve answers on l until ctx ends. Then /readyz turns to 503; after Grace no connection is accepted; what was accepted
// is answered, streams end after their frame; an error tells what was left after Drain. It closes l and the server.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.Close()
	srv := &http.Server{
		Handler:           s.mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5*time.Second + s.o.BodyTimeout,
		// From the header to the answer; handlers give what they write less.
		WriteTimeout:   5*time.Second + s.o.BodyTimeout + s.o.Timeout + s.o.WriteTimeout,
		IdleTimeout:    30 * time.Second,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug), // what senders do wrong
	}
	limited := newLimited(l, s.o.MaxConns, s.metrics)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(limited) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), srv.Close())
	case <-ctx.Done():
	}
	s.ready.Store(false)
	srv.SetKeepAlivesEnabled(false) // who asks during Grace is told to connect anew, elsewhere
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
