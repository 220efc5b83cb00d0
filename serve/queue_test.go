package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retinago/infer"
	"retinago/internal/dataset/data"
)

// A batch is of one canvas, in order of arrival, a power of two, and waits for others only while others may come.
func TestTake(t *testing.T) {
	a, b := data.Size{W: 64, H: 64}, data.Size{W: 96, H: 64}
	now := time.Now()
	for _, c := range []struct {
		name    string
		waiting []data.Size
		age     time.Duration
		coming  int
		want    []int // of waiting
		wait    time.Duration
	}{
		{"no picture", nil, 0, 3, nil, 0},
		{"alone", []data.Size{a}, 0, 0, []int{0}, 0},
		{"alone, one comes", []data.Size{a}, time.Millisecond, 1, nil, 4 * time.Millisecond},
		{"alone, one comes too late", []data.Size{a}, 5 * time.Millisecond, 1, []int{0}, 0},
		{"three", []data.Size{a, a, a}, 0, 0, []int{0, 1}, 0},
		{"full", []data.Size{a, a, a, a, a, a}, 0, 5, []int{0, 1, 2, 3}, 0},
		{"mixed", []data.Size{b, a, b, a, b}, 0, 0, []int{0, 2}, 0},
		{"mixed, one comes", []data.Size{b, a, b, a, b}, 2 * time.Millisecond, 1, nil, 3 * time.Millisecond},
	} {
		q := &queue{most: 4, delay: 5 * time.Millisecond, coming: c.coming, wake: make(chan struct{}, 1)}
		var all []*job
		for _, s := range c.waiting {
			all = append(all, &job{in: &infer.Input{Canvas: s}, arrived: now.Add(-c.age)})
		}
		q.waiting = slices.Clone(all)
		jobs, wait, _ := q.take(now)
		var got []int
		for _, j := range jobs {
			got = append(got, slices.Index(all, j))
		}
		if !slices.Equal(got, c.want) || wait != c.wait {
			t.Errorf("%s: %v after %v, want %v after %v", c.name, got, wait, c.want, c.wait)
		}
		if len(q.waiting)+len(jobs) != len(all) {
			t.Errorf("%s: %d wait on, %d go", c.name, len(q.waiting), len(jobs))
		}
	}
}

// Places are given until there are none, and not to a request that could not be answered in its time.
func TestEnter(t *testing.T) {
	q := &queue{places: 3, count: modelMetrics{newMetrics(&Server{}), "x"}, wake: make(chan struct{}, 1)}
	var taken []*place
	for range 3 {
		p, err := q.enter(time.Second)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, p)
	}
	q.mean = 2 * time.Second
	_, err := q.enter(time.Hour)
	var p *problem
	if !errors.As(err, &p) || p.status != http.StatusTooManyRequests || p.retry != 6*time.Second {
		t.Errorf("a fourth of three: %v, %+v", err, p)
	}
	taken[0].leave()
	if _, err := q.enter(3 * time.Second); !errors.As(err, &p) || p.retry != time.Second {
		t.Errorf("3 s for 4 s of work: %v, %+v", err, p)
	}
	if err := q.peek(5 * time.Second); err != nil {
		t.Error(err)
	}
	if v, err := q.enter(5 * time.Second); err != nil || q.inside != 3 || q.coming != 3 {
		t.Errorf("%v: %d inside, %d coming", err, q.inside, q.coming)
	} else {
		v.leave()
	}
	taken[1].leave()
	taken[2].leave()
	if q.inside != 0 || q.coming != 0 {
		t.Errorf("%d inside, %d coming after all have left", q.inside, q.coming)
	}
}

// Requests that wait together run together, and each gets its own image's objects.
func TestBatches(t *testing.T) {
	var mu sync.Mutex
	var sizes []int
	p := load(t)
	n := &slow{Predictor: p, takes: 30 * time.Millisecond, ran: func(n int) {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, n)
	}}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Queue: 64, Batch: 4})
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			w := 128 - 32*(i%3)
			b := noise(t, w, 96)
			want, err := p.PredictBytes(t.Context(), b)
			if err != nil {
				t.Error(err)
				return
			}
			a := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", b))
			// A batch adds up in another order at most.
			if len(a.Detections) < 1 || abs(len(a.Detections)-len(want)) > len(want)/10+1 || a.Width != w {
				t.Errorf("picture %d: %d detections on %d pixels, alone %d", i, len(a.Detections), a.Width, len(want))
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range sizes {
		total += n
	}
	if total != 24 || slices.Max(sizes) < 2 || slices.Max(sizes) > 4 {
		t.Errorf("batches of %v", sizes)
	}
}

func abs(v int) int { return max(v, -v) }

// More than there are places for are answered 429 with Retry-After at once; the others are answered.
func TestBusy(t *testing.T) {
	n := &slow{Predictor: load(t), takes: 50 * time.Millisecond}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Queue: 3, Batch: 2})
	pic := noise(t, 64, 48)
	var answered, busy atomic.Int32
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			r := ask(s.Handler(), "POST", "/v1/detect", pic)
			switch r.StatusCode {
			case 200:
				answered.Add(1)
			case 429:
				busy.Add(1)
				if r.Header.Get("Retry-After") != "1" || code(t, r) != "busy" {
					t.Errorf("%v", r.Header)
				}
			default:
				t.Errorf("status %d: %s", r.StatusCode, read(t, r))
			}
		})
	}
	wg.Wait()
	if answered.Load() < 3 || busy.Load() < 20 {
		t.Errorf("%d answered, %d busy", answered.Load(), busy.Load())
	}
	if q := s.models[0].queue; q.inside != 0 || q.coming != 0 || len(q.waiting) != 0 {
		t.Errorf("%d inside, %d coming, %d waiting at the end", q.inside, q.coming, len(q.waiting))
	}
}

// A request whose time passes while it waits gives its place up and is told so.
func TestTimeout(t *testing.T) {
	n := &slow{Predictor: load(t), takes: 150 * time.Millisecond}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Batch: 1})
	pic := noise(t, 64, 48)
	var wg sync.WaitGroup
	wg.Go(func() { parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", pic)) })
	q := s.models[0].queue
	eventually(t, "the image is not in the network", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.inside == 1 && q.coming == 0 && len(q.waiting) == 0
	})
	r := ask(s.Handler(), "POST", "/v1/detect?timeout=20ms", pic)
	if got := code(t, r); r.StatusCode != 503 || got != "timeout" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, got)
	}
	wg.Wait()
	if q.inside != 0 || q.coming != 0 || len(q.waiting) != 0 {
		t.Errorf("%d inside, %d coming, %d waiting at the end", q.inside, q.coming, len(q.waiting))
	}
}

// Many goroutines with every kind of request.
func TestManyGoroutines(t *testing.T) {
	s := newServer(t, Options{Models: []Model{{"one", load(t)}, {"two", load(t)}}, Queue: 8})
	pictures := [][]byte{noise(t, 64, 48), noise(t, 48, 64), noise(t, 100, 100), []byte("none"), noise(t, 64, 48)[:300]}
	targets := []string{"/v1/detect", "/v1/detect?model=two&raw=1", "/v1/detect?format=jpeg&max=3", "/v1/detect?score=.2&timeout=1ms", "/v1/models", "/metrics"}
	var wg sync.WaitGroup
	var fine atomic.Int32
	for g := range 32 {
		wg.Go(func() {
			for i := range 6 {
				target := targets[(g+i)%len(targets)]
				method := "POST"
				if target == "/v1/models" || target == "/metrics" {
					method = "GET"
				}
				ctx, gone := context.WithCancel(context.Background())
				r := httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(pictures[(g*i)%len(pictures)]))
				if g%8 == 7 {
					time.AfterFunc(time.Duration(i)*time.Millisecond, gone)
				}
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, r)
				gone()
				if w.Code == 200 {
					fine.Add(1)
				} else if w.Code >= 500 && w.Code != 503 {
					t.Errorf("%s: %d", target, w.Code)
				}
			}
		})
	}
	wg.Wait()
	if fine.Load() < 32 {
		t.Errorf("%d of 192 are fine", fine.Load())
	}
}
