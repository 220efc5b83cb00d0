package serve

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A query that cannot be read is refused on every route, instead of being read in part.
func TestQueries(t *testing.T) {
	s := newServer(t, Options{Cameras: map[string]Camera{"door": MJPEG("http://127.0.0.1:1/")}})
	pic := noise(t, 64, 48)
	for _, r := range s.routes() {
		for _, q := range []string{"score=%zz", "score=.5;nms=.3", "a;b", "%", "model=tiny&%x=1", "camera=door&;"} {
			a := ask(s.Handler(), r.method, strings.TrimSuffix(r.path, "{$}"), pic)
			if a.StatusCode == 400 && r.path != "/v1/stream" {
				t.Errorf("%s %s: 400 without a query", r.method, r.path)
			}
			w := httptest.NewRecorder()
			req := httptest.NewRequest(r.method, strings.TrimSuffix(r.path, "{$}"), bytes.NewReader(pic))
			req.URL.RawQuery = q
			s.Handler().ServeHTTP(w, req)
			if got := code(t, w.Result()); w.Code != 400 || got != "query" {
				t.Errorf("%s %s?%s: %d %s", r.method, r.path, q, w.Code, got)
			}
		}
	}
	for _, q := range []string{"score=.5&score=.5", "model=tiny&model=other", "camera=door&camera=door", "raw=1&%72aw=1"} {
		for _, r := range []struct{ method, path string }{{"POST", "/v1/detect"}, {"POST", "/v1/stream"}, {"GET", "/v1/stream"}, {"GET", "/v1/socket"}} {
			if a := ask(s.Handler(), r.method, r.path+"?"+q, pic); a.StatusCode != 400 || code(t, a) != "query" {
				t.Errorf("%s %s?%s: %d", r.method, r.path, q, a.StatusCode)
			}
		}
	}
	// What a query said comes back short, quoted and in JSON.
	long := ask(s.Handler(), "POST", "/v1/detect?score="+strings.Repeat("%1b", 4000), pic)
	if b := read(t, long); len(b) > 1000 || bytes.ContainsAny(b, "\x1b") {
		t.Errorf("%d bytes: %.200q", len(b), b)
	}
}

// metered counts what is read of a body.
type metered struct {
	io.Reader
	n int
}

func (m *metered) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	m.n += n
	return n, err
}

// Forms that ask for much beside their image are refused early, and held nowhere.
func TestForms(t *testing.T) {
	s := newServer(t, Options{})
	pic := string(noise(t, 64, 48))
	image := "--x\r\nContent-Disposition: form-data; name=image\r\n\r\n" + pic + "\r\n--x--\r\n"
	field := "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n%s\r\n"
	for _, c := range []struct {
		name, form string
		status     int
		most       int // bytes that may be read
	}{
		{"an image", image, 200, 1 << 20},
		{"fields before it", strings.Repeat(fmt.Sprintf(field, "b"), 500) + image, 200, 1 << 20},
		{"a large field before it", fmt.Sprintf(field, strings.Repeat("b", 8<<20)) + image, 200, 16 << 20},
		{"a header of 4 KiB", "--x\r\nX: " + strings.Repeat("x", 4<<10) + "\r\n\r\n\r\n" + image, 200, 1 << 20},
		{"a header of 8 MiB", "--x\r\nX: " + strings.Repeat("x", 8<<20) + "\r\n\r\n\r\n" + image, 400, 64 << 10},
		{"a million headers", "--x\r\n" + strings.Repeat("X: y\r\n", 1<<20) + "\r\n\r\n" + image, 400, 64 << 10},
		{"a million parts", strings.Repeat("--x\r\n\r\n\r\n", 1<<20) + image, 400, 64 << 10},
		{"8 MiB before the first part", strings.Repeat("y", 8<<20) + image, 400, 64 << 10},
		{"a million lines before it", strings.Repeat("\r\n", 1<<20) + image, 400, 64 << 10},
		{"a form in a form", "--x\r\nContent-Disposition: form-data; name=image\r\nContent-Type: multipart/form-data; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--\r\n", 415, 1 << 20},
		{"no end", strings.TrimSuffix(image, "--x--\r\n"), 400, 1 << 20},
		{"nothing", "", 400, 1},
	} {
		body := &metered{Reader: strings.NewReader(c.form)}
		r := httptest.NewRequest("POST", "/v1/detect", body)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != c.status || body.n > c.most {
			t.Errorf("%s: %d after %d of %d bytes: %.200s", c.name, w.Code, body.n, len(c.form), w.Body)
		}
		s.whole(t)
	}
	body := &metered{Reader: strings.NewReader("--x\r\nX: " + strings.Repeat("x", 8<<20))}
	f, err := newFrames("multipart/x-mixed-replace; boundary=x", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.next(); err == nil || !strings.Contains(err.Error(), "header of a part") || body.n > 64<<10 {
		t.Errorf("a frame with a header of 8 MiB: %v after %d bytes", err, body.n)
	}
}

// Compressed bodies are refused, and not taken for what they contain.
func TestEncodings(t *testing.T) {
	s := newServer(t, Options{})
	for encoding, want := range map[string]int{"": 200, "identity": 200, "gzip": 415, "br, gzip": 415, "\x1b": 415} {
		r := ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48), "Content-Encoding", encoding)
		if r.StatusCode != want || want == 415 && code(t, r) != "encoding" {
			t.Errorf("%q: %d, want %d", encoding, r.StatusCode, want)
		}
	}
	if r := ask(s.Handler(), "POST", "/v1/stream", nil, "Content-Encoding", "gzip", "Content-Type", "multipart/x-mixed-replace; boundary=x"); r.StatusCode != 415 || code(t, r) != "encoding" {
		t.Errorf("a stream: %d", r.StatusCode)
	}
}

// Large answers count while their receivers take them; without room for one more it is refused, and all is given back.
func TestAnswers(t *testing.T) {
	s := newServer(t, Options{})
	pic := noise(t, 1200, 900)
	all := s.answers.left.Load()
	if r := ask(s.Handler(), "POST", "/v1/detect?format=jpeg", pic); r.StatusCode != 200 {
		t.Fatalf("%d", r.StatusCode)
	}
	if left := s.answers.left.Load(); left != all {
		t.Errorf("%d bytes of %d are left", left, all)
	}
	s.answers.take(all - smallAnswer)
	r := ask(s.Handler(), "POST", "/v1/detect?format=jpeg", pic)
	if r.StatusCode != 429 || r.Header.Get("Retry-After") == "" || code(t, r) != "busy" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
	if r := ask(s.Handler(), "GET", "/v1/models", nil); r.StatusCode != 200 {
		t.Errorf("a small one: %d", r.StatusCode)
	}
	s.answers.give(all - smallAnswer)
	s.whole(t)
}

// What is no proper HTTP, or wants to be two requests, is answered once and the connection closed.
func TestRawRequests(t *testing.T) {
	v := run(t, Options{})
	for name, text := range map[string]string{
		"two lengths":             "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
		"an unknown coding":       "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"a negative length":       "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
		"no host":                 "GET / HTTP/1.1\r\n\r\n",
		"two hosts":               "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		"a broken escape":         "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a header without name":   "GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
		"another host in the URL": "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		"a proxy's request":       "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
	} {
		c := v.dial(t, text)
		in := bufio.NewReader(c)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		io.Copy(io.Discard, r.Body)
		if r.StatusCode < 400 || r.StatusCode > 501 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		if _, err := in.ReadByte(); err == nil {
			t.Errorf("%s: there is more", name)
		}
	}
}

// Whatever the header of a request says, it is answered, and not as the server's fault; what it took is given back.
func FuzzRequest(f *testing.F) {
	s := newServer(f, Options{Hosts: []string{"cams.example"}, Origins: []string{"https://app.example"}, Tokens: []string{"a long token"}})
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: cams.example\r\n\r\n",
		"GET /v1/models?a;b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a long token\r\n\r\n",
		"POST /v1/detect?score=%31 HTTP/1.1\r\nHost: [::1]:80\r\nAuthorization: Bearer a long token\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n\r\n--x--\r\n",
		"GET /v1/socket HTTP/1.1\r\nHost: a.localhost.\r\nSec-WebSocket-Protocol: bearer.YSBsb25nIHRva2Vu\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: null\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS /v1/detect HTTP/1.1\r\nHost: 1.2.3.4\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"GET http://[fe80::1%25a]:1//x HTTP/1.0\r\nContent-Encoding: gzip\r\n\r\n",
		"CONNECT evil.example:1 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder() // which is no connection: sockets and streams end at once
		s.Handler().ServeHTTP(w, r)
		if streams := r.URL.Path == "/v1/stream" || r.URL.Path == "/v1/socket"; w.Code < 200 || w.Code == 500 && !streams {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		if w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%v", w.Header())
		}
		s.whole(t)
	})
}
