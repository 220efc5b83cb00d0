package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// running is a server that listens.
type running struct {
	s    *Server
	addr string
	url  string
	stop context.CancelFunc
	done chan error // Serve's
}

func run(t testing.TB, o Options) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return runOn(t, o, l)
}

func runOn(t testing.TB, o Options, l net.Listener) *running {
	t.Helper()
	s := newServer(t, o)
	ctx, stop := context.WithCancel(context.Background())
	v := &running{s, l.Addr().String(), "http://" + l.Addr().String(), stop, make(chan error, 1)}
	go func() { v.done <- s.Serve(ctx, l) }()
	t.Cleanup(stop)
	return v
}

func (v *running) post(client *http.Client, b []byte) (*http.Response, error) {
	return client.Post(v.url+"/v1/detect", "image/jpeg", bytes.NewReader(b))
}

// Stopped under load, the server answers all that it accepted: every client that could send a request gets an answer, and every
// image that went through the network is one that was answered.
func TestStopUnderLoad(t *testing.T) {
	var ran atomic.Int32
	n := &slow{Predictor: load(t), takes: 20 * time.Millisecond, ran: func(n int) { ran.Add(int32(n)) }}
	v := run(t, Options{Models: []Model{{"tiny", n}}, Queue: 6, Grace: 100 * time.Millisecond})
	pic := noise(t, 64, 48)
	var answered, busy, lost, refused atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				r, err := v.post(client, pic)
				var op *net.OpError
				switch {
				case errors.As(err, &op) && op.Op == "dial":
					refused.Add(1)
					return
				case err != nil:
					// A connection that the listener took and the server had not: nothing was accepted there.
					if strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "EOF") {
						refused.Add(1)
						return
					}
					t.Error(err)
					return
				}
				b, err := io.ReadAll(r.Body)
				r.Body.Close()
				switch {
				case err != nil || r.StatusCode == 200 && !bytes.Contains(b, []byte(`"detections"`)):
					lost.Add(1)
				case r.StatusCode == 200:
					answered.Add(1)
				case r.StatusCode == 429:
					busy.Add(1)
					time.Sleep(5 * time.Millisecond)
				default:
					t.Errorf("status %d: %s", r.StatusCode, b)
				}
			}
		})
	}
	eventually(t, "20 requests are not answered", func() bool { return answered.Load() >= 20 })
	v.stop()
	// In Grace, readiness says no and requests are still answered.
	eventually(t, "the server is still ready", func() bool { return !v.s.ready.Load() })
	r, err := http.Get(v.url + "/readyz")
	if err != nil || r.StatusCode != 503 || code(t, r) != "stopping" {
		t.Errorf("/readyz while stopping: %v, %v", r, err)
	}
	if err := <-v.done; err != nil {
		t.Error(err)
	}
	wg.Wait()
	if answered.Load() != ran.Load() || lost.Load() != 0 || refused.Load() != 16 {
		t.Errorf("%d pictures ran: %d answered, %d busy, %d lost; %d clients were refused at the end", ran.Load(), answered.Load(), busy.Load(), lost.Load(), refused.Load())
	}
}

// What does not end within Drain is told.
func TestDrain(t *testing.T) {
	n := &slow{Predictor: load(t), takes: 400 * time.Millisecond}
	v := run(t, Options{Models: []Model{{"tiny", n}}, Drain: 20 * time.Millisecond})
	go v.post(http.DefaultClient, noise(t, 64, 48))
	eventually(t, "the image has no place", func() bool { return v.s.models[0].queue.holds(1) })
	v.stop()
	if err := <-v.done; err == nil || !strings.Contains(err.Error(), "20ms") {
		t.Errorf("%v", err)
	}
}

// dial opens a connection and writes the beginning of a request.
func (v *running) dial(t testing.TB, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", v.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// A body that comes slowly is given up, and meanwhile holds no place.
func TestSlowBody(t *testing.T) {
	v := run(t, Options{Queue: 1, BodyTimeout: 150 * time.Millisecond})
	var conns []net.Conn
	for _, head := range []string{"Content-Length: 1000\r\n\r\n\xff\xd8", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\nContent-Disposition: form-data; name=image\r\n\r\nhe"} {
		conns = append(conns, v.dial(t, "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\n"+head))
	}
	r, err := v.post(http.DefaultClient, noise(t, 64, 48))
	if err != nil {
		t.Fatal(err)
	}
	parse[Answer](t, r)
	for i, c := range conns {
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("connection %d: %v", i, err)
			continue
		}
		if got := code(t, r); r.StatusCode != 408 || got != "slow" {
			t.Errorf("connection %d: %d %s", i, r.StatusCode, got)
		}
	}
}

// A connection beyond the limit is answered with the reason, also when it has sent a request; when one goes, the next may come.
func TestConnections(t *testing.T) {
	v := run(t, Options{MaxConns: 4, MaxConnsAddress: 4})
	var open []*websocket.Conn // which are no connections without a request
	for range 4 {
		open = append(open, v.dialSocket(t, "", nil))
	}
	for range 20 {
		r, err := http.ReadResponse(bufio.NewReader(v.dial(t, "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n"+strings.Repeat("x", 10000))), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := code(t, r); r.StatusCode != 503 || got != "connections" || r.Header.Get("Retry-After") != "1" {
			t.Fatalf("%d %s", r.StatusCode, got)
		}
	}
	open[0].CloseNow()
	eventually(t, "no room after one has gone", func() bool {
		r, err := http.Get(v.url + "/healthz")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == 200
	})
}

// A header without end, or too long, is given up.
func TestHeaders(t *testing.T) {
	v := run(t, Options{})
	c := v.dial(t, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", maxHeader+8<<10)+"\r\n\r\n")
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, %v", r, err)
	}
}

// A refused upload leaves the connection usable where the rest of the body is short.
func TestKeepAlive(t *testing.T) {
	v := run(t, Options{})
	c := v.dial(t, "")
	in := bufio.NewReader(c)
	pic := noise(t, 64, 48)
	for i, target := range []string{"/v1/detect?bad=1", "/v1/detect", "/v1/detect?model=none", "/v1/detect?format=jpeg"} {
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", target, len(pic), pic)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		if want := []int{400, 200, 404, 200}[i]; r.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, r.StatusCode, want)
		}
	}
}
