package serve

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// limited bounds the number of connections, in all and from one address. If there is no room for a new connection, one without a request
// is closed for it; if all have requests, the new connection is answered 503 and closed.
type limited struct {
	net.Listener
	most, each int
	count      connections
	closing    chan struct{} // holds a value for each connection that is being refused

	mu   sync.Mutex
	open map[*held]struct{}
	from map[netip.Prefix]int // of open
}

// connections are a listener's metrics.
type connections struct {
	open             prometheus.Gauge
	refused, evicted prometheus.Counter
}

// held is a connection that counts until it is closed.
type held struct {
	net.Conn
	l       *limited
	address netip.Prefix
	asked   bool      // there was a request
	waits   time.Time // since when there has been no request; zero while one is being answered
	gone    bool
}

const (
	// refusing bounds the connections whose bytes are read before closing; others may miss the reason if they have sent much.
	refusing = 256
	// spared is the least time that a connection is kept after an answer: its client may be about to send another request.
	spared = time.Second
)

const refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 75\r\n\r\n" +
	`{"error":{"code":"connections","message":"too many connections are open"}}` + "\n"

func newLimited(l net.Listener, most, each int, c connections) *limited {
	return &limited{Listener: l, most: most, each: each, count: c, closing: make(chan struct{}, refusing), open: map[*held]struct{}{}, from: map[netip.Prefix]int{}}
}

// network returns the address under which a connection is counted: an IPv4 address, or the first 64 bits of an IPv6 address, which
// belong to one customer. Headers such as X-Forwarded-For are ignored, since a client can set them to anything. The result is invalid
// if a connection has no IP address.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if h := l.hold(c); h != nil {
			return h, nil
		}
		l.count.refused.Inc()
		l.refuse(c)
	}
}

// hold counts a connection, if necessary in place of another one. If there is no room, it returns nil.
func (l *limited) hold(c net.Conn) *held {
	now := time.Now()
	h := &held{Conn: c, l: l, address: network(c.RemoteAddr()), waits: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	crowded := h.address.IsValid() && l.from[h.address] >= l.each
	if crowded || len(l.open) >= l.most {
		v := l.victim(now, h.address, crowded)
		if v == nil {
			return nil
		}
		l.drop(v)
		v.Conn.Close()
		l.count.evicted.Inc()
	}
	l.open[h] = struct{}{}
	l.from[h.address]++
	l.count.open.Inc()
	return h
}

// victim returns the connection that has waited longest without a request, of the address with the most connections, or of a given
// address.
func (l *limited) victim(now time.Time, address netip.Prefix, only bool) (v *held) {
	for h := range l.open {
		if h.waits.IsZero() || h.asked && now.Sub(h.waits) < spared || only && h.address != address {
			continue
		}
		if v == nil || l.from[h.address] > l.from[v.address] || l.from[h.address] == l.from[v.address] && h.waits.Before(v.waits) {
			v = h
		}
	}
	return v
}

// drop ends a connection's count; it is called with the lock held.
func (l *limited) drop(h *held) {
	if h.gone {
		return
	}
	h.gone = true
	delete(l.open, h)
	if l.from[h.address]--; l.from[h.address] == 0 {
		delete(l.from, h.address)
	}
	l.count.open.Dec()
}

func (h *held) Close() error {
	h.l.mu.Lock()
	h.l.drop(h)
	h.l.mu.Unlock()
	return h.Conn.Close()
}

// changed is the ConnState hook of an http.Server. A connection has no request until its whole header has arrived.
func (l *limited) changed(c net.Conn, state http.ConnState) {
	h, ok := c.(*held)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateActive, http.StateHijacked:
		h.asked, h.waits = true, time.Time{}
	case http.StateIdle:
		h.waits = time.Now()
	}
}

// refuse answers without reading the request. It reads what has arrived before it closes the connection, for a moment: closing a socket
// with unread bytes would discard the answer.
func (l *limited) refuse(c net.Conn) {
	c.SetDeadline(time.Now().Add(500 * time.Millisecond)) // the first bytes never wait: the socket's buffer is empty
	if _, err := io.WriteString(c, refusal); err != nil {
		c.Close()
		return
	}
	select {
	case l.closing <- struct{}{}:
	default:
		c.Close()
		return
	}
	go func() {
		defer func() { <-l.closing }()
		defer c.Close()
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
		io.CopyN(io.Discard, c, 64<<10)
	}()
}
