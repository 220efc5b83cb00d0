package serve

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retinago/engine"
)

// The server finds what the predictor finds, in every way to send an image.
func TestDetect(t *testing.T) {
	p := load(t)
	s := newServer(t, Options{Models: []Model{{"tiny", p}}})
	pic := noise(t, 200, 160)
	want, err := p.PredictBytes(t.Context(), pic)
	if err != nil || len(want) < 5 {
		t.Fatalf("%d detections, %v", len(want), err)
	}
	var form bytes.Buffer
	f := multipart.NewWriter(&form)
	f.WriteField("comment", "not an image")
	part, _ := f.CreateFormFile("image", "p.jpg")
	part.Write(pic)
	f.WriteField("after", strings.Repeat("x", 1000))
	f.Close()
	for name, r := range map[string]*http.Response{
		"body":    ask(s.Handler(), "POST", "/v1/detect", pic),
		"named":   ask(s.Handler(), "POST", "/v1/detect?model=tiny", pic, "Content-Type", "image/jpeg", "Accept", "application/json"),
		"form":    ask(s.Handler(), "POST", "/v1/detect", form.Bytes(), "Content-Type", f.FormDataContentType()),
		"curl":    ask(s.Handler(), "POST", "/v1/detect", pic, "Content-Type", "application/x-www-form-urlencoded", "Accept", "*/*"),
		"browser": ask(s.Handler(), "POST", "/v1/detect?format=json", pic, "Accept", "image/jpeg"),
	} {
		a := parse[Answer](t, r)
		if a.Model != "tiny" || a.Width != 200 || a.Height != 160 || a.Batch != 1 || a.Times.Network <= 0 || a.Times.Decode <= 0 {
			t.Errorf("%s: %+v", name, a)
		}
		if !slices.Equal(a.Detections, expected(want)) {
			t.Errorf("%s: %d detections, want %d", name, len(a.Detections), len(want))
		}
	}
	for name, r := range map[string]*http.Response{
		"Accept": ask(s.Handler(), "POST", "/v1/detect", pic, "Accept", "image/avif,image/*;q=.8"),
		"format": ask(s.Handler(), "POST", "/v1/detect?format=jpeg", pic),
	} {
		c, err := jpeg.DecodeConfig(bytes.NewReader(read(t, r)))
		if err != nil || c.Width != 200 || c.Height != 160 || r.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: %v, %dx%d, %v", name, err, c.Width, c.Height, r.Header)
		}
	}
	// What nothing is found on is a list too.
	if b := read(t, ask(s.Handler(), "POST", "/v1/detect?score=1", pic)); !bytes.Contains(b, []byte(`"detections":[]`)) {
		t.Errorf("score 1: %s", b)
	}
}

// A request chooses score, NMS, method, number and classes; candidates thinned out by them are the same.
func TestChoice(t *testing.T) {
	p := load(t)
	s := newServer(t, Options{Models: []Model{{"tiny", p}}})
	pic := noise(t, 200, 160)
	raw := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?raw=1&score=.005", pic))
	if raw.Detections != nil || raw.Candidates == nil || len(raw.Candidates.Scores) < 50 || raw.Candidates.Method != "greedy" || raw.Candidates.Max != 100 {
		t.Fatalf("raw: %d detections, %+v", len(raw.Detections), raw.Candidates)
	}
	all := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?score=.005&nms=1&max=10000", pic))
	if len(all.Detections) != len(raw.Candidates.Scores) {
		t.Errorf("an NMS of 1 keeps %d of %d", len(all.Detections), len(raw.Candidates.Scores))
	}
	less := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?score=.005&nms=.3&max=3&classes=square,7", pic))
	if len(less.Detections) != 3 {
		t.Errorf("%d detections, want 3", len(less.Detections))
	}
	for _, d := range less.Detections {
		if d.Name != "square" && d.Category != 7 {
			t.Errorf("%+v is of another class", d)
		}
	}
	agnostic := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?score=.005&method=agnostic", pic))
	greedy := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?score=.005", pic))
	if slices.Equal(agnostic.Detections, greedy.Detections) {
		t.Error("the method changes nothing")
	}
}

// Every mistake is told apart, with a reason.
func TestRefusals(t *testing.T) {
	s := newServer(t, Options{MaxBody: 64 << 10, MaxPixels: 100_000, Cameras: map[string]Camera{"door": MJPEG("http://127.0.0.1:1/")}})
	pic := noise(t, 64, 48)
	var form bytes.Buffer
	f := multipart.NewWriter(&form)
	f.WriteField("comment", "no picture")
	f.Close()
	var large bytes.Buffer
	g := multipart.NewWriter(&large)
	part, _ := g.CreateFormFile("image", "p.jpg")
	part.Write(make([]byte, 80<<10))
	g.Close()
	for _, c := range []struct {
		method, target string
		body           []byte
		header         []string
		status         int
		code           string
	}{
		{"POST", "/v1/detect?score=2", pic, nil, 400, "query"},
		{"POST", "/v1/detect?score=NaN", pic, nil, 400, "query"},
		{"POST", "/v1/detect?nms=-.1", pic, nil, 400, "query"},
		{"POST", "/v1/detect?max=0", pic, nil, 400, "query"},
		{"POST", "/v1/detect?max=99999999999999999999", pic, nil, 400, "query"},
		{"POST", "/v1/detect?classes=dog", pic, nil, 400, "query"},
		{"POST", "/v1/detect?classes=", pic, nil, 400, "query"},
		{"POST", "/v1/detect?method=magic", pic, nil, 400, "query"},
		{"POST", "/v1/detect?raw=1&format=jpeg", pic, nil, 400, "query"},
		{"POST", "/v1/detect?timeout=-1s", pic, nil, 400, "query"},
		{"POST", "/v1/detect?threshold=.5", pic, nil, 400, "query"},
		{"POST", "/v1/detect?score=.5&score=.6", pic, nil, 400, "query"},
		{"POST", "/v1/detect?format=gif", pic, nil, 400, "query"},
		{"POST", "/v1/detect?model=..%2F..%2Fetc%2Fpasswd", pic, nil, 404, "model"},
		{"POST", "/v1/detect?model=tiny%00", pic, nil, 404, "model"},
		{"POST", "/v1/detect", nil, nil, 400, "body"},
		{"POST", "/v1/detect", make([]byte, 65<<10), nil, 413, "large"},
		{"POST", "/v1/detect", noise(t, 400, 300), nil, 413, "pixels"},
		{"POST", "/v1/detect", []byte("GET / HTTP/1.1"), nil, 415, "format"},
		{"POST", "/v1/detect", pic[:len(pic)/2], nil, 400, "picture"},
		{"POST", "/v1/detect", pic, []string{"Accept", "text/html"}, 406, "accept"},
		{"POST", "/v1/detect", pic, []string{"Content-Type", "multipart/form-data"}, 400, "body"},
		{"POST", "/v1/detect", pic, []string{"Content-Type", "multipart/form-data; boundary=x"}, 400, "body"},
		{"POST", "/v1/detect", form.Bytes(), []string{"Content-Type", f.FormDataContentType()}, 400, "body"},
		{"POST", "/v1/detect", large.Bytes(), []string{"Content-Type", g.FormDataContentType()}, 413, "large"},
		{"GET", "/v1/detect", nil, nil, 405, "method"},
		{"DELETE", "/v1/stream", nil, nil, 405, "method"},
		{"POST", "/v1/stream", pic, nil, 415, "format"},
		{"GET", "/v1/stream", nil, nil, 404, "camera"},
		{"GET", "/v1/stream?camera=../door", nil, nil, 404, "camera"},
		{"GET", "/v1/stream?camera=door&score=.5", nil, nil, 400, "query"},
		{"GET", "/v1/socket", nil, nil, 426, "upgrade"},
		{"GET", "/v1/socket?format=json", nil, nil, 400, "query"},
		{"GET", "/nothing", nil, nil, 404, "path"},
		{"GET", "/app.js/..%2f..%2fserver.go", nil, nil, 404, "path"},
	} {
		r := ask(s.Handler(), c.method, c.target, c.body, c.header...)
		if got := code(t, r); r.StatusCode != c.status || got != c.code {
			t.Errorf("%s %s (%d bytes): %d %s, want %d %s", c.method, c.target, len(c.body), r.StatusCode, got, c.status, c.code)
		}
		if r.Header.Get("Content-Security-Policy") == "" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", c.method, c.target, r.Header)
		}
	}
	if left := s.bodies.left.Load(); left != bodiesHeld*64<<10 {
		t.Errorf("%d bytes of the budget are left, want all %d", left, bodiesHeld*64<<10)
	}
}

// Options that cannot be are refused together.
func TestOptions(t *testing.T) {
	_, err := New(Options{Models: []Model{{"a/b", nil}, {"x", nil}, {"x", nil}}, Queue: -1, Tokens: []string{"short"}, MaxPixels: 1 << 40})
	for _, want := range []string{"a/b", `two models are called "x"`, "queue -1", "5 characters", "pixels"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("no models, no error")
	}
}

// Several models answer by their names.
func TestModels(t *testing.T) {
	s := newServer(t, Options{Models: []Model{{"one", load(t)}, {"two", load(t)}}})
	list := parse[struct{ Models []modelInfo }](t, ask(s.Handler(), "GET", "/v1/models", nil))
	if len(list.Models) != 2 || list.Models[0].Name != "one" || list.Models[1].Classes[3].Name != "star" || list.Models[0].Method != "greedy" {
		t.Errorf("%+v", list)
	}
	for target, want := range map[string]string{"": "one", "?model=one": "one", "?model=two": "two"} {
		if a := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect"+target, noise(t, 64, 48))); a.Model != want {
			t.Errorf("%q: model %s, want %s", target, a.Model, want)
		}
	}
}

// With tokens, every one of them opens what is not open to all, and nothing else does.
func TestToken(t *testing.T) {
	s := newServer(t, Options{Tokens: []string{"correct horse", "battery staple"}})
	for _, c := range []struct {
		target, header, value string
		status                int
	}{
		{"/v1/models", "Authorization", "Bearer correct horse", 200},
		{"/v1/models", "Authorization", "bearer battery staple", 200},
		{"/v1/models", "Sec-Websocket-Protocol", "retinago, bearer.Y29ycmVjdCBob3JzZQ", 200},
		{"/v1/models", "Sec-Websocket-Protocol", "retinago, bearer.!!", 401},
		{"/v1/models", "Authorization", "Bearer correct hors", 401},
		{"/v1/models", "Authorization", "Bearer ", 401},
		{"/v1/models", "Authorization", "Basic correct horse", 401},
		{"/v1/models?token=correct+horse", "X", "", 401},
		{"/metrics", "X", "", 401},
		{"/healthz", "X", "", 200},
		{"/readyz", "X", "", 200},
		{"/", "X", "", 200},
		{"/openapi.json", "X", "", 200},
	} {
		r := ask(s.Handler(), "GET", c.target, nil, c.header, c.value)
		if r.StatusCode != c.status {
			t.Errorf("%s with %s: %q: %d, want %d", c.target, c.header, c.value, r.StatusCode, c.status)
		}
		if c.status == 401 && (r.Header.Get("WWW-Authenticate") != "Bearer" || code(t, r) != "token") {
			t.Errorf("%s: %v", c.target, r.Header)
		}
	}
}

// The server's own faults are told as such, without their cause, and end neither the server nor the place.
func TestFaults(t *testing.T) {
	faults := []func() error{
		func() error { return fmt.Errorf("secret of the house") },
		func() error { panic("secret of the house") },
	}
	n := &slow{Predictor: load(t)}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Queue: 1})
	for i, f := range faults {
		n.fails = f
		r := ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48))
		b := read(t, r)
		if r.StatusCode != 500 || bytes.Contains(b, []byte("secret")) || !bytes.Contains(b, []byte("internal")) {
			t.Errorf("fault %d: %d %s", i, r.StatusCode, b)
		}
	}
	n.fails = func() error { return fmt.Errorf("secret of the house: %w", engine.ErrMemory) }
	r := ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48))
	if b := read(t, r); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || bytes.Contains(b, []byte("secret")) || !bytes.Contains(b, []byte(`"memory"`)) {
		t.Errorf("without memory: %d %s", r.StatusCode, b)
	}
	n.fails = nil
	parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48)))
}

// Metrics count what was answered.
func TestMetrics(t *testing.T) {
	s := newServer(t, Options{})
	parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48)))
	ask(s.Handler(), "POST", "/v1/detect", []byte("x"))
	ask(s.Handler(), "GET", "/secret/path", nil)
	text := string(read(t, ask(s.Handler(), "GET", "/metrics", nil)))
	for _, want := range []string{`retinago_requests_total{code="200",path="/v1/detect"} 1`, `retinago_requests_total{code="415",path="/v1/detect"} 1`,
		`retinago_requests_total{code="404",path="other"} 1`, `retinago_request_seconds_count{path="/v1/detect"} 2`, `retinago_batch_pictures_count{model="tiny"} 1`,
		`retinago_stage_seconds_count{model="tiny",stage="wait"} 1`, `retinago_network_seconds_count{model="tiny"} 1`, `retinago_accepted_seconds_count{model="tiny"} 2`, `retinago_queue_places{model="tiny"} 0`,
		`retinago_queue_length{model="tiny"} 0`, "process_resident_memory_bytes", "go_goroutines", "retinago_connections 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "secret") {
		t.Error("paths of strangers make metrics")
	}
}

// After Close, requests are refused and readiness says no; closing twice is fine.
func TestClose(t *testing.T) {
	n := &slow{Predictor: load(t), takes: 60 * time.Millisecond}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}})
	pic := noise(t, 64, 48)
	var wg sync.WaitGroup
	wg.Go(func() { parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", pic)) })
	eventually(t, "the image has no place", func() bool { return s.models[0].queue.holds(1) })
	s.Close()
	wg.Wait()
	for _, target := range []string{"/v1/detect", "/readyz"} {
		method := map[bool]string{true: "GET", false: "POST"}[target == "/readyz"]
		r := ask(s.Handler(), method, target, pic)
		if got := code(t, r); r.StatusCode != 503 || got != "stopping" {
			t.Errorf("%s: %d %s", target, r.StatusCode, got)
		}
	}
	s.Close()
}
