package serve

import (
	"io"
	"net"
	"sync"
	"time"
)

// limited accepts so many connections at once. One more is told so and closed, instead of waiting unheard.
type limited struct {
	net.Listener
	free    chan struct{} // a value for each connection that is open
	closing chan struct{} // one for each that is being refused
	metrics *metrics
}

// refusing bounds the connections that are refused with patience; others may miss the reason where they have sent much.
const refusing = 256

const refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 75\r\n\r\n" +
	`{"error":{"code":"connections","message":"too many connections are open"}}` + "\n"

func newLimited(l net.Listener, most int, m *metrics) *limited {
	return &limited{l, make(chan struct{}, most), make(chan struct{}, refusing), m}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			l.metrics.connections.Inc()
			return &held{Conn: c, l: l}, nil
		default:
			l.metrics.refused.Inc()
			l.refuse(c)
		}
	}
}

// refuse answers without reading the request. What has come is read away before closing, for a moment: a socket that is
// closed with bytes unread takes back what was sent.
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

// held is a connection that counts until it is closed.
type held struct {
	net.Conn
	l    *limited
	once sync.Once
}

func (c *held) Close() error {
	c.once.Do(func() {
		<-c.l.free
		c.l.metrics.connections.Dec()
	})
	return c.Conn.Close()
}
