package serve

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

// hostForm is that of the names in Options.Hosts.
var hostForm = regexp.MustCompile(`^(\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)$`)

// A page of another site can have its own name resolve to 127.0.0.1 and then read this server as its own origin, past every
// check of origins (DNS rebinding). Its requests still carry that name as their Host, so names that are not allowed are refused.

// guards reports whether the Host of a listener's requests is checked: always if Options.Hosts names some, and on a loopback address
// without tokens, where every page in a browser on this machine could send requests.
func (s *Server) guards(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return len(s.o.Hosts) > 0 || len(s.tokens) == 0 && ok && a.IP.IsLoopback()
}

// addressed reports whether a request's Host is one of this server's. A request without one comes from HTTP/1.0, which no browser
// uses.
func (s *Server) addressed(r *http.Request) bool {
	if r.Host == "" {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	for _, name := range s.o.Hosts {
		name = strings.ToLower(name)
		if end, any := strings.CutPrefix(name, "*"); any && strings.HasSuffix(host, end) || name == host {
			return true
		}
	}
	return false
}

// otherHost refuses a request to a name that is not one of this server's.
func otherHost(r *http.Request) *problem {
	return refuse(http.StatusMisdirectedRequest, "host", "the server does not answer for the host %.80q: ask localhost or an IP address, or start it with -allow-host and this name", r.Host)
}
