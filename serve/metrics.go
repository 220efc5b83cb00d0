package serve

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the metrics of /metrics, in Prometheus' text format, besides those of the process and of Go.
type metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec   // path, code
	latency     *prometheus.HistogramVec // path
	accepted    *prometheus.HistogramVec // model
	stages      *prometheus.HistogramVec // model, stage
	network     *prometheus.HistogramVec // model
	batches     *prometheus.HistogramVec // model
	frames      *prometheus.CounterVec   // kind, code
	connections prometheus.Gauge
	refused     prometheus.Counter
	evicted     prometheus.Counter
	panics      prometheus.Counter
	handler     http.Handler
}

func newMetrics(s *Server) *metrics {
	times := []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retinago_requests_total", Help: "Requests that were answered."}, []string{"path", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "retinago_request_seconds", Help: "From the header to the answer.", Buckets: times},
			[]string{"path"}),
		accepted: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "retinago_accepted_seconds", Help: "Of images that had a place, from the whole body to the answer.",
			Buckets: prometheus.ExponentialBucketsRange(.002, 60, 48)}, []string{"model"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "retinago_stage_seconds", Help: "Of an image: decode, prepare, wait, boxes, nms, draw.", Buckets: times},
			[]string{"model", "stage"}),
		network: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "retinago_network_seconds", Help: "Of a batch in the network.", Buckets: times}, []string{"model"}),
		batches: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "retinago_batch_pictures", Help: "Images of a batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 7)},
			[]string{"model"}),
		frames:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retinago_frames_total", Help: "Frames of streams, sockets and cameras."}, []string{"kind", "code"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "retinago_connections", Help: "That are open."}),
		refused:     prometheus.NewCounter(prometheus.CounterOpts{Name: "retinago_connections_refused_total", Help: "Since too many were open."}),
		evicted:     prometheus.NewCounter(prometheus.CounterOpts{Name: "retinago_connections_evicted_total", Help: "Without a request, closed to make room for others."}),
		panics:      prometheus.NewCounter(prometheus.CounterOpts{Name: "retinago_panics_total", Help: "Faults of the program that failed one request or batch; the log has them."}),
	}
	m.registry.MustRegister(m.requests, m.latency, m.accepted, m.stages, m.network, m.batches, m.frames, m.connections, m.refused, m.evicted, m.panics, lengths{s},
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return m
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) {
	s.writeBy(w)
	s.metrics.handler.ServeHTTP(w, r)
}

func (m *metrics) answered(path string, code int, took time.Duration) {
	if code == 0 {
		code = http.StatusOK
	}
	m.requests.WithLabelValues(path, strconv.Itoa(code)).Inc()
	m.latency.WithLabelValues(path).Observe(took.Seconds())
}

// took counts the stages of an image.
func (m *metrics) took(a *Answer) {
	t := a.Times
	for _, v := range []struct {
		stage string
		ms    float64
	}{{"decode", t.Decode}, {"prepare", t.Prepare}, {"wait", t.Wait}, {"boxes", t.Boxes}, {"nms", t.NMS}, {"draw", t.Draw}} {
		m.stages.WithLabelValues(a.Model, v.stage).Observe(v.ms / 1e3)
	}
}

// modelMetrics counts for one model.
type modelMetrics struct {
	m    *metrics
	name string
}

func (v modelMetrics) ran(n int, network time.Duration) {
	v.m.network.WithLabelValues(v.name).Observe(network.Seconds())
	v.m.batches.WithLabelValues(v.name).Observe(float64(n))
}

func (v modelMetrics) left(after time.Duration) {
	v.m.accepted.WithLabelValues(v.name).Observe(after.Seconds())
}

// lengths reads the queues when metrics are collected.
type lengths struct{ s *Server }

var (
	insideDesc  = prometheus.NewDesc("retinago_queue_places", "Images on the way, from the whole body to the answer.", []string{"model"}, nil)
	waitingDesc = prometheus.NewDesc("retinago_queue_length", "Images that wait for the network.", []string{"model"}, nil)
)

func (l lengths) Describe(to chan<- *prometheus.Desc) {
	to <- insideDesc
	to <- waitingDesc
}

func (l lengths) Collect(to chan<- prometheus.Metric) {
	for _, m := range l.s.models {
		m.queue.mu.Lock()
		inside, waiting := m.queue.inside, len(m.queue.waiting)
		m.queue.mu.Unlock()
		to <- prometheus.MustNewConstMetric(insideDesc, prometheus.GaugeValue, float64(inside), m.Name)
		to <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(waiting), m.Name)
	}
}

// frame counts one of a stream.
func (m *metrics) frame(kind string, err error) {
	code := "ok"
	var p *problem
	switch {
	case errors.As(err, &p):
		code = p.Code
	case err != nil:
		code = "failed"
	}
	m.frames.WithLabelValues(kind, code).Inc()
}
