package serve

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server on a loopback address without a token answers for localhost and addresses; names that are allowed are answered too,
// and no others on any address.
func TestHosts(t *testing.T) {
	local, far := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4zero}
	token := []string{"a long token"}
	for _, c := range []struct {
		host   string
		hosts  []string
		tokens []string
		at     net.Addr
		good   bool
	}{
		{"localhost", nil, nil, local, true},
		{"LocalHost.:8080", nil, nil, local, true},
		{"app.localhost:8080", nil, nil, local, true},
		{"127.0.0.1:8080", nil, nil, local, true},
		{"10.1.2.3", nil, nil, local, true},
		{"[::1]:8080", nil, nil, local, true},
		{"[::1]", nil, nil, local, true},
		{"[fe80::1%25eth0]:80", nil, nil, local, true},
		{"", nil, nil, local, true}, // HTTP/1.0
		{"evil.example", nil, nil, local, false},
		{"evil.example:8080", nil, nil, local, false},
		{"notlocalhost", nil, nil, local, false},
		{"localhost.evil.example", nil, nil, local, false},
		{"127.0.0.1.evil.example", nil, nil, local, false},
		{"127.0.0.1@evil.example", nil, nil, local, false},
		{"[::1", nil, nil, &net.TCPAddr{IP: net.IPv6loopback}, true}, // net/http refuses it
		{"evil.example", nil, nil, &net.TCPAddr{IP: net.IPv6loopback}, false},
		{"evil.example", nil, token, local, true}, // which has no token
		{"any.example", nil, nil, far, true},
		{"any.example", []string{"cams.example"}, nil, far, false},
		{"any.example", []string{"cams.example"}, token, far, false},
		{"cams.example:8080", []string{"Cams.Example"}, nil, local, true},
		{"CAMS.example.", []string{"x.example", "cams.example"}, nil, local, true},
		{"a.cams.example", []string{"cams.example"}, nil, local, false},
		{"a.cams.example", []string{"*.cams.example"}, nil, local, true},
		{"cams.example", []string{"*.cams.example"}, nil, local, false},
		{"evilcams.example", []string{"*.cams.example"}, nil, local, false},
		{"evil.example", []string{"*"}, nil, local, true},
		{"evil.example", nil, nil, &net.UnixAddr{Name: "/run/s"}, true},
	} {
		s := &Server{o: Options{Hosts: c.hosts}}
		for range c.tokens {
			s.tokens = append(s.tokens, [32]byte{})
		}
		if got := !s.guards(listener{c.at}) || s.addressed(&http.Request{Host: c.host}); got != c.good {
			t.Errorf("host %q at %v, with %v and %d tokens: %v, want %v", c.host, c.at, c.hosts, len(c.tokens), got, c.good)
		}
	}
	for _, bad := range []string{"", "http://a", "a:80", "a/b", "*a", "a.*", "-", "a b"} {
		if _, err := New(Options{Models: []Model{{"tiny", nil}}, Hosts: []string{bad}}); err == nil || !strings.Contains(err.Error(), "without scheme, port or path") {
			t.Errorf("the host %q is taken: %v", bad, err)
		}
	}
}

// listener has an address.
type listener struct{ at net.Addr }

func (l listener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (l listener) Close() error              { return nil }
func (l listener) Addr() net.Addr            { return l.at }

// Every route of a server that listens on a loopback address refuses a name that a page of others has pointed at it, and says
// what to do.
func TestRebinding(t *testing.T) {
	v := run(t, Options{})
	for _, path := range []string{"/", "/v1/models", "/v1/detect", "/v1/stream?camera=a", "/v1/socket", "/healthz", "/metrics", "//x", "/none"} {
		c := v.dial(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: evil.example:8080\r\nConnection: close\r\n\r\n", path))
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		b := string(read(t, r))
		if r.StatusCode != http.StatusMisdirectedRequest || !strings.Contains(b, `"code":"host"`) || !strings.Contains(b, "-allow-host") || !strings.Contains(b, "evil.example:8080") {
			t.Errorf("%s: %d %s", path, r.StatusCode, b)
		}
	}
	if r, err := http.Get(strings.Replace(v.url, "127.0.0.1", "localhost", 1) + "/readyz"); err != nil || r.StatusCode != 200 {
		t.Errorf("localhost: %v, %v", r, err)
	}
	// The handler alone looks at hosts where some are named.
	s := newServer(t, Options{Hosts: []string{"cams.example"}})
	for host, want := range map[string]int{"cams.example": 200, "evil.example": 421} {
		r := httptest.NewRequestWithContext(context.Background(), "GET", "http://"+host+"/v1/models", nil)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
}
