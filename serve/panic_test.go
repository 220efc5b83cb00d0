package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// rotten is a network that panics where it is told to.
type rotten struct {
	*infer.Predictor
	prepare, forward, empty bool
}

func (n *rotten) Prepare(pic *picture.Picture, size data.Size) (*infer.Input, error) {
	if n.prepare {
		panic("rotten \x1b[31m\nprepare")
	}
	return n.Predictor.Prepare(pic, size)
}

func (n *rotten) Forward(ctx context.Context, in []*infer.Input) (*infer.Outputs, error) {
	if n.forward {
		var none []int
		_ = none[len(in)]
	}
	if n.empty {
		return nil, nil
	}
	return n.Predictor.Forward(ctx, in)
}

// whole fails the test where something was taken and not given back.
func (s *Server) whole(t testing.TB) {
	t.Helper()
	for _, m := range s.models {
		if q := m.queue; q.inside != 0 || q.coming != 0 || len(q.waiting) != 0 || len(q.taken) != 0 {
			t.Errorf("%d inside, %d coming, %d waiting, %d taken", q.inside, q.coming, len(q.waiting), len(q.taken))
		}
	}
	if left := s.bodies.left.Load(); left != bodiesHeld*s.o.MaxBody {
		t.Errorf("%d bytes of bodies are left of %d", left, bodiesHeld*s.o.MaxBody)
	}
	if left := s.answers.left.Load(); left < answersHeld {
		t.Errorf("%d bytes of answers are left", left)
	}
}

// A panic anywhere on an image's way fails its request alone. What it had is given back, the log has the stack once and no
// characters that move a terminal, the metric counts every one.
func TestPanics(t *testing.T) {
	n := &rotten{Predictor: load(t)}
	log := &ledger{}
	s := newServer(t, Options{Models: []Model{{"tiny", n}}, Queue: 2, Log: slog.New(slog.NewTextHandler(log, nil))})
	pic := noise(t, 64, 48)
	for _, f := range []*bool{&n.forward, &n.empty} {
		*f = true
		for range 3 {
			if r := ask(s.Handler(), "POST", "/v1/detect", pic); r.StatusCode != 500 || code(t, r) != "internal" {
				t.Errorf("%d", r.StatusCode)
			}
		}
		*f = false
		s.whole(t)
		parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", pic))
	}
	if got := log.lines("the program panicked", "stack="); got != 2 {
		t.Errorf("%d stacks of 2 places", got)
	}
	if got := log.lines("the program panicked", "batch=1", "at="); got != 6 {
		t.Errorf("%d panics in the log, want 6", got)
	}
	metrics := string(read(t, ask(s.Handler(), "GET", "/metrics", nil)))
	if !strings.Contains(metrics, "retinago_panics_total 6") {
		t.Error("the metric does not count 6 panics")
	}
}

// A panic while an image is prepared gives back its place and its body, and fails frames of streams and cameras like requests.
func TestPanicsBeforeTheNetwork(t *testing.T) {
	n := &rotten{Predictor: load(t)}
	log := &ledger{}
	pic := noise(t, 64, 48)
	o := Options{Models: []Model{{"tiny", n}}, Queue: 2, Log: slog.New(slog.NewTextHandler(log, nil)), Cameras: map[string]Camera{
		"still": func(context.Context, *slog.Logger) (Frames, error) { return &still{pic: pic}, nil },
		"worse": func(context.Context, *slog.Logger) (Frames, error) { return &still{}, nil },
	}}
	v := run(t, o)
	n.prepare = true
	for range 4 { // more than there are places
		r, err := v.post(http.DefaultClient, pic)
		if err != nil {
			t.Fatal(err)
		}
		if got := code(t, r); r.StatusCode != 500 || got != "internal" {
			t.Errorf("%d %s", r.StatusCode, got)
		}
	}
	c := v.dialSocket(t, "", nil)
	for range 3 {
		if a := say(t, c, pic); a.Error == nil || a.Error.Code != "internal" {
			t.Errorf("socket: %+v", a)
		}
	}
	r, err := http.Post(v.url+"/v1/stream?format=json", "multipart/x-mixed-replace; boundary=ffmpeg", bytes.NewReader(mjpeg([][]byte{pic, pic, pic}, true)))
	if err != nil {
		t.Fatal(err)
	}
	if b := read(t, r); bytes.Count(b, []byte(`"internal"`)) != 3 {
		t.Errorf("stream: %s", b)
	}
	for _, name := range []string{"still", "worse"} {
		r, err := http.Get(v.url + "/v1/stream?camera=" + name)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" does not break off", func() bool { return log.lines("breaks off", "camera="+name) > 0 })
		r.Body.Close()
	}
	c.CloseNow()
	n.prepare = false
	r, err = v.post(http.DefaultClient, pic)
	if err != nil {
		t.Fatal(err)
	}
	parse[Answer](t, r)
	v.s.whole(t)
	if strings.ContainsAny(log.text(), "\x1b\r") || log.lines("the program panicked") < 12 {
		t.Errorf("%s", log.text())
	}
}

// still is a camera that shows one frame again and again, or panics without one.
type still struct{ pic []byte }

func (v *still) Next() (Frame, error) {
	if v.pic == nil {
		panic("no frame")
	}
	return Frame{File: v.pic}, nil
}

func (v *still) Close() error { return nil }

// A handler that panics after the beginning of its answer does not end it as if it were whole.
func TestPanicInTheMiddle(t *testing.T) {
	log := &ledger{}
	s := newServer(t, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	mux := s.muxOf([]route{
		{method: "GET", path: "/half", open: true, handle: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic("the other half")
		}},
		{method: "GET", path: "/none/{name}", open: true, handle: func(http.ResponseWriter, *http.Request) { panic(errors.New("all")) }},
	})
	host := httptest.NewServer(s.enter(mux, false))
	defer host.Close()
	at := host.URL
	r, err := http.Get(at + "/half")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r.Body); err == nil || string(b) != "half" {
		t.Errorf("%q, %v", b, err)
	}
	r, err = http.Get(at + "/none/a%0a%1b%5b31mlevel=INFO")
	if err != nil || r.StatusCode != 500 || code(t, r) != "internal" {
		t.Errorf("%v, %v", r, err)
	}
	if strings.Contains(log.text(), "\x1b") || log.lines(`path="/none/a\n\x1b[31mlevel=INFO"`) != 1 {
		t.Errorf("%s", log.text())
	}
}
