//go:build campaign

package campaign

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a running retinago serve.
type server struct {
	p    *running
	addr string
	good *http.Client
	done chan struct{}
	what ended
	err  error
}

func serve(t *testing.T, program, weights string) *server {
	t.Helper()
	s, err := call{program: program, args: []string{"serve", "-weights", weights, "-addr", "127.0.0.1:0"}, limit: setting.server + time.Hour}.serve()
	if err != nil {
		t.Fatal(err)
	}
	if !s.listens(time.Minute) {
		t.Fatalf("the server did not start: %s", s.p.out.String())
	}
	return s
}

// serve starts a call of a server.
func (c call) serve() (*server, error) {
	p, err := c.start()
	if err != nil {
		return nil, err
	}
	s := &server{p: p, done: make(chan struct{}), good: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	go func() {
		s.what, s.err = p.wait()
		close(s.done)
	}()
	return s, nil
}

// listens waits until the server has said where it listens.
func (s *server) listens(limit time.Duration) bool {
	where := regexp.MustCompile(`http://([0-9.:]+)/`)
	for begin := time.Now(); time.Since(begin) < limit && s.alive(); time.Sleep(50 * time.Millisecond) {
		if m := where.FindStringSubmatch(s.p.out.String()); m != nil {
			s.addr = m[1]
			return true
		}
	}
	return false
}

func (s *server) alive() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// end asks the server to end, and waits.
func (s *server) end(t *testing.T) {
	s.p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.p.cmd.Process.Kill()
		<-s.done
		t.Errorf("no end within a minute of SIGTERM")
	}
	if s.err == nil && s.what.code != 0 {
		t.Errorf("after SIGTERM: %v", s.what)
	}
	if out := s.p.out.String(); strings.Contains(out, "panic") || strings.Contains(out, "DATA RACE") {
		t.Errorf("the server said: %s", ended{out: out}.tail())
	}
}

// ask sends an image over a connection of its own.
func (s *server) ask(picture []byte, limit time.Duration) (code int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	begin := time.Now()
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+s.addr+"/v1/detect", bytes.NewReader(picture))
	if err != nil {
		return 0, 0, err
	}
	a, err := s.good.Do(r)
	if err != nil {
		return 0, time.Since(begin), err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != 200 {
		err = fmt.Errorf("%.200s", b)
	}
	return a.StatusCode, time.Since(begin), err
}

// memory reads a value of /proc in bytes, 0 where the server is gone.
func (s *server) memory(key string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key+":" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
