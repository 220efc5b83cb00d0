package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func (v *running) dialSocket(t testing.TB, query string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(context.Background(), "ws"+strings.TrimPrefix(v.url, "http")+"/v1/socket"+query, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(8 << 20)
	return c
}

// say sends a frame and returns the answer.
func say(t testing.TB, c *websocket.Conn, b []byte) reply {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if err := c.Write(ctx, websocket.MessageBinary, b); err != nil {
		t.Fatal(err)
	}
	return hear(t, c)
}

func hear(t testing.TB, c *websocket.Conn) (v reply) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	kind, js, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("%v, %v", kind, err)
	}
	if err := json.Unmarshal(js, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// closed is the code that a socket is closed with.
func closed(c *websocket.Conn) websocket.StatusCode {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	_, _, err := c.Read(ctx)
	return websocket.CloseStatus(err)
}

// A socket answers each frame as /v1/detect does; a frame that is no image is told and the next goes on.
func TestSocket(t *testing.T) {
	p := load(t)
	v := run(t, Options{Models: []Model{{"tiny", p}}, MaxBody: 64 << 10})
	pic := noise(t, 100, 80)
	want, err := p.PredictBytes(t.Context(), pic)
	if err != nil {
		t.Fatal(err)
	}
	c := v.dialSocket(t, "", &websocket.DialOptions{Subprotocols: []string{"retinago"}})
	if c.Subprotocol() != "retinago" {
		t.Errorf("protocol %q", c.Subprotocol())
	}
	for n := 1; n <= 5; n += 2 {
		a := say(t, c, pic)
		if a.Frame != n || a.Error != nil || a.Answer == nil || !slices.Equal(a.Detections, expected(want)) {
			t.Errorf("frame %d: %+v", n, a)
		}
		if a = say(t, c, []byte("no picture")); a.Frame != n+1 || a.Answer != nil || a.Error == nil || a.Error.Code != "format" {
			t.Errorf("frame %d: %+v", n+1, a)
		}
	}
	if a := say(t, c, make([]byte, 70<<10)); a.Error == nil || a.Error.Code != "large" {
		t.Errorf("70 KiB: %+v", a)
	}
	if got := closed(c); got != websocket.StatusPolicyViolation {
		t.Errorf("after it: %v", got)
	}
	c = v.dialSocket(t, "?raw=1&score=.005", nil)
	if a := say(t, c, pic); a.Answer == nil || a.Candidates == nil || len(a.Candidates.Scores) < 50 {
		t.Errorf("raw: %+v", a)
	}
	if err := c.Write(context.Background(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if a := hear(t, c); a.Error == nil || a.Error.Code != "format" {
		t.Errorf("text: %+v", a)
	}
	// Pages of others may not open a socket here: browsers tell their origin.
	_, r, err := websocket.Dial(context.Background(), v.url+"/v1/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"http://elsewhere.example"}}})
	if err == nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("another origin: %v, %v", r, err)
	}
}

// A socket of a server that stops answers the frame that is here, and closes as one that goes away.
func TestSocketStops(t *testing.T) {
	n := &slow{Predictor: load(t), takes: 100 * time.Millisecond}
	v := run(t, Options{Models: []Model{{"tiny", n}}})
	busy, idle := v.dialSocket(t, "", nil), v.dialSocket(t, "", nil)
	say(t, idle, noise(t, 64, 48))
	if err := busy.Write(context.Background(), websocket.MessageBinary, noise(t, 64, 48)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the image has no place", func() bool { return v.s.models[0].queue.holds(1) })
	v.stop()
	if a := hear(t, busy); a.Answer == nil {
		t.Errorf("%+v", a)
	}
	for name, c := range map[string]*websocket.Conn{"busy": busy, "idle": idle} {
		if got := closed(c); got != websocket.StatusGoingAway {
			t.Errorf("%s: closed with %v", name, got)
		}
	}
	if err := <-v.done; err != nil {
		t.Error(err)
	}
}

// mjpeg is frames as ffmpeg's mpjpeg writes them, with or without lengths.
func mjpeg(frames [][]byte, lengths bool) []byte {
	var b bytes.Buffer
	b.WriteString("--ffmpeg\r\n")
	for _, f := range frames {
		b.WriteString("Content-type: image/jpeg\r\n")
		if lengths {
			fmt.Fprintf(&b, "Content-length: %d\r\n", len(f))
		}
		fmt.Fprintf(&b, "\r\n%s\r\n--ffmpeg\r\n", f)
	}
	return b.Bytes()
}

// MJPEG in, MJPEG with boxes or lines of JSON out; frames that are broken are left out or told.
func TestPostStream(t *testing.T) {
	v := run(t, Options{})
	pic := noise(t, 100, 80)
	in := [][]byte{pic, []byte("broken"), pic}
	for _, lengths := range []bool{true, false} {
		r, err := http.Post(v.url+"/v1/stream?format=json", "multipart/x-mixed-replace; boundary=ffmpeg", bytes.NewReader(mjpeg(in, lengths)))
		if err != nil {
			t.Fatal(err)
		}
		var got []reply
		for s := bufio.NewScanner(r.Body); s.Scan(); {
			var a reply
			if err := json.Unmarshal(s.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			got = append(got, a)
		}
		r.Body.Close()
		if len(got) != 3 || got[0].Answer == nil || got[0].Width != 100 || got[1].Error == nil || got[1].Error.Code != "format" || got[2].Answer == nil || got[2].Frame != 3 {
			t.Errorf("lengths %v: %+v", lengths, got)
		}
		r, err = http.Post(v.url+"/v1/stream", "multipart/x-mixed-replace; boundary=--ffmpeg", bytes.NewReader(mjpeg(in, lengths)))
		if err != nil {
			t.Fatal(err)
		}
		if n := pictures(t, r); n != 2 {
			t.Errorf("lengths %v: %d pictures, want 2", lengths, n)
		}
		r.Body.Close()
	}
}

// pictures counts the JPEGs of an MJPEG answer.
func pictures(t *testing.T, r *http.Response) (n int) {
	t.Helper()
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts := multipart.NewReader(r.Body, params["boundary"]); ; n++ {
		p, err := parts.NextPart()
		if err != nil {
			return n
		}
		if c, err := jpeg.DecodeConfig(p); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) { // what follows the last delimiter
				return n
			}
			t.Fatal(err)
		} else if c.Width != 100 {
			t.Errorf("%d pixels", c.Width)
		}
	}
}

// Answers come while the body is still being sent: each frame's before the next is written.
func TestPostStreamDuplex(t *testing.T) {
	v := run(t, Options{})
	pic := noise(t, 100, 80)
	body, write := io.Pipe()
	r, err := http.NewRequest("POST", v.url+"/v1/stream?format=json", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/x-mixed-replace; boundary=ffmpeg")
	go write.Write(mjpeg([][]byte{pic}, true))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	lines := bufio.NewScanner(a.Body)
	for n := 1; n <= 3; n++ {
		if !lines.Scan() || !strings.Contains(lines.Text(), fmt.Sprintf(`"frame":%d`, n)) {
			t.Fatalf("frame %d: %s", n, lines.Text())
		}
		next := mjpeg([][]byte{pic}, true)[len("--ffmpeg\r\n"):]
		if _, err := write.Write(next); err != nil {
			t.Fatal(err)
		}
	}
	write.Close()
}
