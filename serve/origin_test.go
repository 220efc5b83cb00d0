package serve

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// Requests that browsers send for pages of other origins are refused where they cost something, unless the origin is allowed.
func TestOrigins(t *testing.T) {
	s := newServer(t, Options{Origins: []string{"https://app.example", "http://[::1]:3000"}, Cameras: map[string]Camera{}})
	pic := noise(t, 64, 48)
	for _, c := range []struct {
		name, method, target string
		header               []string
		status               int
	}{
		{"a program", "POST", "/v1/detect", nil, 200},
		{"the page", "POST", "/v1/detect", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://behind.proxy"}, 200},
		{"the page in an old browser", "POST", "/v1/detect", []string{"Origin", "http://example.com"}, 200},
		{"another page", "POST", "/v1/detect", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"a page of the same site", "POST", "/v1/detect", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://example.com:3000"}, 403},
		{"another page in an old browser", "POST", "/v1/detect", []string{"Origin", "https://evil.example"}, 403},
		{"a page without an origin", "POST", "/v1/stream", []string{"Origin", "null"}, 403},
		{"an allowed page", "POST", "/v1/detect", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}, 200},
		{"an allowed page at an address", "POST", "/v1/detect", []string{"Origin", "http://[::1]:3000"}, 200},
		{"the allowed name by another scheme", "POST", "/v1/detect", []string{"Origin", "http://app.example"}, 403},
		{"a name that begins alike", "POST", "/v1/detect", []string{"Origin", "https://app.example.evil"}, 403},
		{"another page's socket", "GET", "/v1/socket", []string{"Origin", "https://evil.example"}, 403},
		{"an allowed page's socket", "GET", "/v1/socket", []string{"Origin", "https://app.example"}, 426},
		{"another page's frame", "GET", "/v1/stream?camera=x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"another page's img", "GET", "/v1/stream?camera=x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"an allowed page's img", "GET", "/v1/stream?camera=x", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}, 404},
		{"a link on another page", "GET", "/v1/stream?camera=x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 404},
		{"a link to the page", "GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
	} {
		r := ask(s.Handler(), c.method, c.target, pic, append(c.header, "Content-Type", "image/jpeg")...)
		allowed := r.Header.Get("Access-Control-Allow-Origin")
		var origin string
		for i := 0; i < len(c.header); i += 2 {
			if c.header[i] == "Origin" {
				origin = c.header[i+1]
			}
		}
		if want := strings.Contains(c.name, "allowed page"); want != (allowed != "") || want && allowed != origin || r.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: Access-Control-Allow-Origin %q, Vary %q", c.name, allowed, r.Header.Get("Vary"))
		}
		if c.method == "POST" && c.target == "/v1/stream" {
			c.status = 403
		}
		if r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, r.StatusCode, c.status, read(t, r))
		} else if c.status == 403 {
			if got := code(t, r); got != "origin" {
				t.Errorf("%s: %s", c.name, got)
			}
		}
	}
	for _, bad := range []string{"*", "app.example", "https://app.example/", "null", "https://a?b"} {
		if _, err := New(Options{Models: []Model{{"tiny", nil}}, Origins: []string{bad}}); err == nil || !strings.Contains(err.Error(), "SCHEME://HOST[:PORT]") {
			t.Errorf("the origin %q is taken: %v", bad, err)
		}
	}
}

// A browser that asks first is told what an allowed page may send; another page is told nothing.
func TestPreflight(t *testing.T) {
	s := newServer(t, Options{Origins: []string{"https://app.example"}, Tokens: []string{"a long token"}})
	ahead := func(origin string) *http.Response {
		return ask(s.Handler(), "OPTIONS", "/v1/detect", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	}
	r := ahead("https://app.example")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") ||
		!strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
	if r := ahead("https://evil.example"); r.StatusCode != 405 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another page: %d, %v", r.StatusCode, r.Header)
	}
	if r := ask(newServer(t, Options{}).Handler(), "OPTIONS", "/v1/detect", nil, "Origin", "https://app.example"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without origins: %v", r.Header)
	}
}

// A socket opens for a page that is allowed, also behind a proxy that writes its own Host.
func TestSocketOrigins(t *testing.T) {
	v := run(t, Options{Origins: []string{"https://app.example"}})
	for _, h := range []http.Header{{"Origin": {"https://app.example"}}, {"Origin": {"https://public.example"}, "Sec-Fetch-Site": {"same-origin"}}, {}} {
		if a := say(t, v.dialSocket(t, "", &websocket.DialOptions{HTTPHeader: h}), noise(t, 64, 48)); a.Answer == nil {
			t.Errorf("%v: %+v", h, a)
		}
	}
	_, r, err := websocket.Dial(context.Background(), v.url+"/v1/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}})
	if err == nil || r.StatusCode != http.StatusForbidden || code(t, r) != "origin" {
		t.Errorf("another page: %v, %v", r, err)
	}
}

// Every answer forbids what it does not need: only the page loads anything, and nothing is for the pages of others.
func TestPolicies(t *testing.T) {
	s := newServer(t, Options{})
	for _, c := range []struct {
		method, target string
		page           bool
	}{
		{"GET", "/", true}, {"GET", "/app.js", true}, {"GET", "/openapi.json", true}, {"GET", "/v1/models", false}, {"POST", "/v1/detect", false},
		{"POST", "/v1/detect?format=jpeg", false}, {"GET", "/healthz", false}, {"GET", "/metrics", false}, {"GET", "/none", false}, {"GET", "//none", false},
		{"DELETE", "/", false}, {"GET", "/v1/socket", false}, {"GET", "/?a;b", false},
	} {
		h := ask(s.Handler(), c.method, c.target, noise(t, 64, 48)).Header
		csp := h.Get("Content-Security-Policy")
		if loads := strings.Contains(csp, "'self'"); loads != c.page || !strings.HasPrefix(csp, "default-src 'none';") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s %s: policy %q", c.method, c.target, csp)
		}
		for k, want := range map[string]string{"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if h.Get(k) != want {
				t.Errorf("%s %s: %s: %q", c.method, c.target, k, h.Get(k))
			}
		}
	}
}
