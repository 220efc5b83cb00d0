package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"retinago/data"
	"retinago/infer"
	"retinago/picture"
)

// Server is models behind HTTP. Serve runs it; Handler is for those who have a server of their own.
type Server struct {
	o       Options
	models  []*model
	cameras map[string]*camera
	tokens  [][sha256.Size]byte
	bodies  budget
	pixels  pixels
	metrics *metrics
	mux     *http.ServeMux

	ready   atomic.Bool
	stop    context.Context // ends streams
	stopNow context.CancelFunc
	streams sync.WaitGroup // that a http.Server does not know of
	workers sync.WaitGroup
}

// bodiesHeld and picturesHeld say how many of the largest bodies and pictures may be in memory at once.
const (
	bodiesHeld   = 16
	picturesHeld = 4
)

// New makes a server whose models are ready to run. Close ends it.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Server{o: o, cameras: map[string]*camera{}, mux: http.NewServeMux()}
	s.stop, s.stopNow = context.WithCancel(context.Background())
	s.bodies.left.Store(bodiesHeld * o.MaxBody)
	s.pixels = newPixels(o.MaxPixels, runtime.GOMAXPROCS(0))
	s.metrics = newMetrics(s)
	for _, t := range o.Tokens {
		s.tokens = append(s.tokens, sha256.Sum256([]byte(t)))
	}
	turn := make(chan struct{}, 1)
	for _, m := range o.Models {
		q := newQueue(m.Network, o, turn, modelMetrics{s.metrics, m.Name})
		s.models = append(s.models, &model{m, q})
		s.workers.Go(q.work)
	}
	for name, open := range o.Cameras {
		s.cameras[name] = &camera{name: name, open: open, s: s}
	}
	for _, r := range s.routes() {
		s.mux.Handle(r.method+" "+r.path, s.around(r))
	}
	s.mux.Handle("/", s.around(route{path: "other", handle: s.nowhere, open: true}))
	s.ready.Store(true)
	return s, nil
}

// Warm runs every model once, so that the first request need not wait for what is made at the first run, and a model that
// cannot run is found out before.
func (s *Server) Warm(ctx context.Context) error {
	for _, m := range s.models {
		side := m.Network.Info().Config.Data.TestSide()
		in, err := m.Network.Prepare(picture.New(side, side), data.Size{W: side, H: side})
		if err != nil {
			return err
		}
		_, err = m.Network.Forward(ctx, []*infer.Input{in})
		in.Release()
		if err != nil {
			return fmt.Errorf("serve: model %s: %w", m.Name, err)
		}
	}
	return nil
}

// Close refuses what comes, answers what has a place, and ends the models' work. The networks stay open: they are whoever's
// who made them.
func (s *Server) Close() {
	s.ready.Store(false)
	s.stopNow()
	for _, m := range s.models {
		m.queue.close()
	}
	s.streams.Wait()
	s.workers.Wait()
}

// route is one of the server's.
type route struct {
	method, path string
	handle       http.HandlerFunc
	open         bool // without a token
}

func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/detect", s.detect, false},
		{"POST", "/v1/stream", s.postStream, false},
		{"GET", "/v1/stream", s.getStream, false},
		{"GET", "/v1/socket", s.socket, false},
		{"GET", "/v1/models", s.listModels, false},
		{"GET", "/metrics", s.metrics.handler().ServeHTTP, false},
		{"GET", "/healthz", s.healthy, true},
		{"GET", "/readyz", s.readiness, true},
		{"GET", "/openapi.json", page("openapi.json"), true},
		{"GET", "/{$}", page("index.html"), true},
		{"GET", "/app.css", page("app.css"), true},
		{"GET", "/app.js", page("app.js"), true},
		{"GET", "/nms.js", page("nms.js"), true},
		{"GET", "/icon.svg", page("icon.svg"), true},
	}
}

// Handler answers requests. Deadlines and the limit of connections are Serve's.
func (s *Server) Handler() http.Handler { return s.mux }

// healthy says that the process answers.
func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness says whether requests should come here: not once the server stops.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		s.fail(w, refuse(http.StatusServiceUnavailable, "stopping", "the server stops"))
		return
	}
	s.write(w, http.StatusOK, map[string]string{"status": "ready"})
}

// nowhere answers what no route does.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, v := range s.routes() {
		if v.path == r.URL.Path {
			allowed = append(allowed, v.method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, refuse(http.StatusMethodNotAllowed, "method", "%s takes %s", r.URL.Path, strings.Join(allowed, ", ")))
		return
	}
	s.fail(w, refuse(http.StatusNotFound, "path", "there is nothing here; /openapi.json says what there is"))
}

// policy lets the page use what this server has, and nothing of others.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// around is what all routes have: headers, the token, counts, and an answer where a handler panics.
func (s *Server) around(v route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		c := &counted{ResponseWriter: w}
		defer func() {
			if e := recover(); e != nil {
				if e == http.ErrAbortHandler {
					panic(e)
				}
				s.o.Log.Error("serve: a handler panics", "path", r.URL.Path, "panic", e, "stack", string(debug.Stack()))
				if c.code == 0 {
					s.fail(c, refuse(http.StatusInternalServerError, "internal", "the server failed; its log says why"))
				}
			}
			s.metrics.answered(v.path, c.code, time.Since(begin))
		}()
		if !v.open && !s.allowed(r) {
			h.Set("WWW-Authenticate", "Bearer")
			s.fail(c, refuse(http.StatusUnauthorized, "token", "send one of the server's tokens: Authorization: Bearer TOKEN"))
			return
		}
		v.handle(c, r)
	})
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

// tokenProtocol begins the WebSocket protocol that carries a token in base64url, for browsers, which cannot set headers there.
const tokenProtocol = "bearer."

// allowed says whether a request has one of the tokens. Digests are compared, all of them, in constant time: neither the
// length nor which token came near shows.
func (s *Server) allowed(r *http.Request) bool {
	if len(s.tokens) == 0 {
		return true
	}
	var given string
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	} else {
		for p := range strings.SplitSeq(r.Header.Get("Sec-WebSocket-Protocol"), ",") {
			if coded, ok := strings.CutPrefix(strings.TrimSpace(p), tokenProtocol); ok {
				b, err := base64.RawURLEncoding.DecodeString(coded)
				if err == nil {
					given = string(b)
				}
			}
		}
	}
	digest := sha256.Sum256([]byte(given))
	same := 0
	for _, t := range s.tokens {
		same |= subtle.ConstantTimeCompare(digest[:], t[:])
	}
	return same == 1
}
