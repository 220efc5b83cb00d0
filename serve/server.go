package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Server is models behind HTTP. Serve runs it; Handler is for a program with a http.Server of its own.
type Server struct {
	o        Options
	models   []*model
	cameras  map[string]*camera
	tokens   [][sha256.Size]byte
	bodies   budget
	answers  budget
	pixels   pixels
	metrics  *metrics
	panics   *panics
	progress progress
	cross    *http.CrossOriginProtection
	mux      *http.ServeMux

	ready   atomic.Bool
	stop    context.Context // ends streams
	stopNow context.CancelFunc
	streams sync.WaitGroup // that a http.Server does not know of
	workers sync.WaitGroup
}

// bodiesHeld and picturesHeld say how many of the largest bodies and images may be in memory at once. Answers that wait for
// their receivers may take as much as the larger of both, and at least answersHeld bytes.
const (
	bodiesHeld   = 16
	picturesHeld = 4
	answersHeld  = 64 << 20
)

// New makes a server whose models are ready to run. Close ends it.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Server{o: o, cameras: map[string]*camera{}}
	s.stop, s.stopNow = context.WithCancel(context.Background())
	s.bodies.left.Store(bodiesHeld * o.MaxBody)
	s.pixels = newPixels(o.MaxPixels, runtime.GOMAXPROCS(0))
	s.answers.left.Store(max(bodiesHeld*o.MaxBody, picturesHeld*int64(o.MaxPixels), answersHeld))
	s.metrics = newMetrics(s)
	s.panics = &panics{log: o.Log, count: s.metrics.panics}
	s.cross = crossing(o.Origins)
	for _, t := range o.Tokens {
		s.tokens = append(s.tokens, sha256.Sum256([]byte(t)))
	}
	turn := make(chan struct{}, 1)
	for _, m := range o.Models {
		q := newQueue(m.Network, o, turn, modelMetrics{s.metrics, m.Name}, s.panics)
		s.models = append(s.models, &model{m, q})
		s.workers.Go(q.work)
	}
	for name, open := range o.Cameras {
		s.cameras[name] = &camera{name: name, open: open, s: s}
	}
	s.mux = s.muxOf(s.routes())
	s.ready.Store(true)
	return s, nil
}

// Warm runs every model once, so that the first request does not wait for graphs and packed weights, and a model that cannot
// run is an error here.
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

// Close refuses new requests, answers images that have a place, and ends the queues. The caller closes the
// networks.
func (s *Server) Close() {
	s.ready.Store(false)
	s.stopNow()
	for _, m := range s.models {
		m.queue.close()
	}
	s.streams.Wait()
	s.workers.Wait()
}
