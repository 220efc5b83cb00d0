package serve

import (
	"net/http"
	"net/url"
	"time"
)

// Content security policies: pagePolicy allows the page the files of this server only; policy is for all other answers, which load
// nothing. No page of another origin may frame either.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	policy     = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Handler returns the handler of all routes, for a mux of another program. Deadlines, limits of connections and, without
// Options.Hosts, the check of the Host header are Serve's alone.
func (s *Server) Handler() http.Handler { return s.enter(s.mux, len(s.o.Hosts) > 0) }

// enter handles every request first, also one that the mux itself redirects. If guarded, the Host header must name this server.
func (s *Server) enter(mux http.Handler, guarded bool) http.Handler {
	other := s.wrap(route{path: "other", open: true, handle: func(w http.ResponseWriter, r *http.Request) { s.fail(w, otherHost(r)) }})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if guarded && !s.addressed(r) {
			other.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// wrap adds to a route the checks before its handler, metrics, and an answer if the handler panics.
func (s *Server) wrap(v route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		c := &counted{ResponseWriter: w}
		defer func() {
			e := recover()
			if e != nil && e != http.ErrAbortHandler {
				err := s.panics.caught(e, "path", r.URL.Path)
				if e = nil; c.code == 0 {
					s.fail(c, err)
				} else { // the receiver must not take the part that was sent for the whole
					e = http.ErrAbortHandler
				}
			}
			s.metrics.answered(v.path, c.code, time.Since(begin))
			if e != nil {
				panic(e)
			}
		}()
		if s.share(c, r) {
			return
		}
		if err := s.admit(v, c, r); err != nil {
			s.fail(c, err)
			return
		}
		v.handle(c, r)
	})
}

// admit refuses requests before their handler.
func (s *Server) admit(v route, w http.ResponseWriter, r *http.Request) error {
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil { // r.URL.Query would leave out what it cannot read
		return refuse(http.StatusBadRequest, "query", "the query cannot be read: %.200v", err)
	}
	if err := s.crosses(v, r); err != nil {
		return err
	}
	if !v.open && !s.allowed(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return refuse(http.StatusUnauthorized, "token", "send one of the server's tokens: Authorization: Bearer TOKEN")
	}
	return nil
}

// counted remembers the status of an answer.
type counted struct {
	http.ResponseWriter
	code int
}

func (c *counted) WriteHeader(code int) {
	if c.code == 0 {
		c.code = code
	}
	c.ResponseWriter.WriteHeader(code)
}

func (c *counted) Write(b []byte) (int, error) {
	if c.code == 0 {
		c.code = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }
