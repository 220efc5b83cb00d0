package serve

import (
	"fmt"
	"net/http"
	"slices"
)

// checkOrigin returns an error for an origin that no browser sends.
func checkOrigin(v string) error {
	if err := http.NewCrossOriginProtection().AddTrustedOrigin(v); err != nil {
		return fmt.Errorf("serve: origin %q: give SCHEME://HOST[:PORT] of a page, such as https://app.example.org: %w", v, err)
	}
	return nil
}

// crossing refuses requests that a browser sends for pages of other origins. Programs send neither of the headers that it reads.
func crossing(origins []string) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	for _, v := range origins {
		if err := p.AddTrustedOrigin(v); err != nil {
			panic("serve: " + err.Error()) // fill has checked it
		}
	}
	return p
}

// crosses returns why a request of another origin's page is refused. GETs of routes that act, which open a socket or a camera, count
// like POSTs, unless a user goes to the address with the whole window.
func (s *Server) crosses(v route, r *http.Request) error {
	if v.acts && r.Method == http.MethodGet {
		if r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" {
			return nil
		}
		r = &http.Request{Method: http.MethodPost, Header: r.Header, Host: r.Host, URL: r.URL}
	}
	if s.cross.Check(r) != nil {
		return refuse(http.StatusForbidden, "origin", "pages of other origins (%.80q) may not send this: start the server with -allow-origin and theirs", r.Header.Get("Origin"))
	}
	return nil
}

// share allows pages of Options.Origins to read an answer. It answers a browser's question whether a request may be sent (CORS
// preflight), and reports that it did.
func (s *Server) share(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(s.o.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.o.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
