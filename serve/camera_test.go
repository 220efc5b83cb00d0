package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// look shows a camera; what it returns gives one JPEG after another.
func (v *running) look(t testing.TB, name string) (*http.Response, func() []byte) {
	t.Helper()
	r, err := http.Get(v.url + "/v1/stream?camera=" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	return r, func() []byte {
		t.Helper()
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// shown decodes a frame that a camera showed.
func shown(t testing.TB, b []byte) *picture.Picture {
	t.Helper()
	p, err := picture.DecodeBytes("the frame", b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// unsure is a least score that the tiny network does not reach: images come back as they were.
const unsure = .5

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// holds reports whether n places are taken.
func (q *queue) holds(n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.inside == n
}

// A camera of the server's is opened for its first viewer, goes through the network once for all, is opened again when it
// breaks off, and closed after the last.
func TestCamera(t *testing.T) {
	pic := noise(t, 100, 80)
	var opened, looking atomic.Int32
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := opened.Add(1)
		looking.Add(1)
		defer looking.Add(-1)
		if n == 2 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", `multipart/x-mixed-replace;boundary="--ffmpeg"`)
		io.WriteString(w, "--ffmpeg\r\n")
		for i := 0; n > 1 || i < 20; i++ {
			if _, err := w.Write(mjpeg([][]byte{pic}, true)[len("--ffmpeg\r\n"):]); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}))
	defer source.Close()
	v := run(t, Options{Cameras: map[string]Camera{"door": MJPEG(source.URL)}})
	one, first := v.look(t, "door")
	two, second := v.look(t, "door")
	for range 30 { // beyond the 20 of the first opening
		if p := shown(t, first()); p.W != 100 {
			t.Errorf("%d pixels", p.W)
		}
	}
	second()
	if n := opened.Load(); n != 3 {
		t.Errorf("opened %d times, want 3: the first broke off, the second was refused", n)
	}
	one.Body.Close()
	two.Body.Close()
	eventually(t, "the camera stays open without viewers", func() bool { return looking.Load() == 0 })
	// A viewer does not keep the server from stopping.
	_, third := v.look(t, "door")
	third()
	v.stop()
	if err := <-v.done; err != nil {
		t.Error(err)
	}
}

// made are frames that a test thinks up.
type made struct {
	next  func() (Frame, error)
	close func()
}

func (m made) Next() (Frame, error) { return m.next() }

func (m made) Close() error {
	m.close()
	return nil
}

// ledger is a log that can be read while it is written.
type ledger struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *ledger) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *ledger) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines counts those in which all texts stand.
func (l *ledger) lines(texts ...string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
next:
	for line := range strings.Lines(l.b.String()) {
		for _, t := range texts {
			if !strings.Contains(line, t) {
				continue next
			}
		}
		n++
	}
	return n
}

// Images go through the network once for all who look, and come back with the pixels that they had. Those beyond the limit are
// left out, which is told once; a source that breaks is opened again, and closed after the last viewer.
func TestCameraPictures(t *testing.T) {
	var given, ran, opened, open, unreleased atomic.Int32
	log := &ledger{}
	n := &slow{Predictor: scored(t, unsure), ran: func(n int) { ran.Add(int32(n)) }}
	v := run(t, Options{Models: []Model{{"tiny", n}}, MaxPixels: 100_000, Log: slog.New(slog.NewTextHandler(log, nil)), Cameras: map[string]Camera{
		"desk": func(ctx context.Context, _ *slog.Logger) (Frames, error) {
			round := opened.Add(1)
			if round == 2 {
				return nil, errors.New("it is busy")
			}
			open.Add(1)
			i := 0
			var before *picture.Picture
			return made{func() (Frame, error) {
				if before != nil && before.Pix != nil {
					unreleased.Add(1)
				}
				select {
				case <-ctx.Done():
					return Frame{}, ctx.Err()
				case <-time.After(3 * time.Millisecond):
				}
				i++
				switch {
				case round == 1 && i == 20:
					return Frame{}, errors.New("it has no more")
				case i%4 == 0:
					before = picture.New(400, 300)
				default:
					given.Add(1)
					before = picture.New(120, 80)
					for k := range before.Pix {
						before.Pix[k] = uint8(100 + k%7 + i)
					}
				}
				return Frame{Pic: before}, nil
			}, func() { open.Add(-1) }}, nil
		}}})
	one, first := v.look(t, "desk")
	two, second := v.look(t, "desk")
	seen := map[string]bool{}
	for range 20 {
		b := first()
		if p := shown(t, b); p.W != 120 || p.H != 80 {
			t.Fatalf("%dx%d pixels", p.W, p.H)
		} else if r, _, _ := p.At(60, 40); r < 95 || r > 180 {
			t.Errorf("red is %d", r)
		}
		seen[string(b)] = true
	}
	common := 0
	for range 20 {
		if seen[string(second())] {
			common++
		}
	}
	if common < 10 {
		t.Errorf("of 20 frames %d were the other viewer's too", common)
	}
	one.Body.Close()
	two.Body.Close()
	eventually(t, "the camera stays open without viewers", func() bool { return open.Load() == 0 })
	if g, r := given.Load(), ran.Load(); r < g-2 || r > g || r < 20 {
		t.Errorf("%d of %d pictures went through the network", r, g)
	}
	if opened.Load() != 3 || log.lines("camera=desk", "breaks off", "it has no more") != 1 || log.lines("camera=desk", "breaks off", "it is busy") != 1 || log.lines("breaks off") != 2 {
		t.Errorf("opened %d times: %s", opened.Load(), log.b.String())
	}
	if log.lines("camera=desk", "left out", "400x300") != 2 || log.lines("left out") != 2 || unreleased.Load() != 0 {
		t.Errorf("once in each opening: %s; %d pictures were kept", log.b.String(), unreleased.Load())
	}
}

// What cannot be a camera is refused before it is looked at; without OpenCV MJPEG remains.
func TestOpen(t *testing.T) {
	cases := map[string]string{"cam:x": "cam:x", "absent.mp4": "absent.mp4", "http:/video": "no address", "https://": "no address", "http://me:secret@[::1": "http://***@[::1", "": "no such file"}
	unable := video.Available()
	if unable != nil {
		cases["cam:0"], cases["rtsp://h/x"] = "without OpenCV", "without OpenCV"
	}
	for name, want := range cases {
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	pic := noise(t, 100, 80)
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/text" {
			fmt.Fprint(w, "no video")
			return
		}
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=ffmpeg")
		w.Write(mjpeg([][]byte{pic, pic}, true))
	}))
	defer source.Close()
	address := strings.Replace(source.URL, "://", "://me:secret@", 1)
	camera, err := Open(address + "/video.mjpg")
	if err != nil {
		t.Fatal(err)
	}
	in, err := camera(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if f, err := in.Next(); err != nil || !bytes.Equal(f.File, pic) || f.Pic != nil {
			t.Errorf("%d bytes, %v", len(f.File), err)
		}
	}
	if _, err := in.Next(); err == nil {
		t.Error("no end")
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if unable == nil {
		return
	}
	if camera, err = Open(address + "/text"); err != nil {
		t.Fatal(err)
	}
	if _, err := camera(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "text/plain") || !strings.Contains(err.Error(), "without OpenCV") || strings.Contains(err.Error(), "secret") {
		t.Errorf("no MJPEG: %v", err)
	}
}
