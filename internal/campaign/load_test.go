//go:build campaign

package campaign

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is a crowd of hostile clients.
type load struct {
	addr     string
	good     []byte
	hostile  map[string][]byte
	seeds    map[string][]seed
	mutants  atomic.Int64
	mu       sync.Mutex
	answered map[int]int // by status; 0 is a connection that was closed without an answer
}

func newLoad(addr string, good []byte, seeds map[string][]seed) *load {
	return &load{addr: addr, good: good, hostile: hostile(), seeds: seeds, answered: map[int]int{}}
}

// String lists what the clients were answered.
func (l *load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := 0
	var text []string
	for _, code := range slices.Sorted(maps.Keys(l.answered)) {
		total += l.answered[code]
		if code > 0 {
			text = append(text, fmt.Sprintf("%d", code))
		}
	}
	return fmt.Sprintf("%d hostile requests (answered %s, or closed)", total, strings.Join(text, ", "))
}

// run keeps every kind of client busy until ctx ends. Clients of a kind have an address of their own.
func (l *load) run(ctx context.Context) {
	var wg sync.WaitGroup
	add := func(kind, n int, pause time.Duration, act func(c *client)) {
		draw := draws("load", 100*kind+n)
		wg.Go(func() {
			for ctx.Err() == nil {
				c := &client{load: l, ctx: ctx, draw: draw, from: net.IPv4(127, 0, 1, byte(kind))}
				act(c)
				c.close()
				select {
				case <-ctx.Done():
				case <-time.After(pause/2 + time.Duration(draw.Int64N(int64(pause)))):
				}
			}
		})
	}
	kind := 1
	for _, name := range slices.Sorted(maps.Keys(l.hostile)) { // 16 hostile images at once
		for n := range 4 {
			add(kind, n, 10*time.Millisecond, func(c *client) { c.post(l.hostile[name]) })
		}
		kind++
	}
	for _, k := range kinds {
		for n := range k.clients {
			add(kind, n, k.pause, k.act)
		}
		kind++
	}
	wg.Wait()
}

// client is one connection and what it is used for.
type client struct {
	load *load
	ctx  context.Context
	draw *rand.Rand
	from net.IP
	conn net.Conn
	open []net.Conn
}

// dial opens a connection that ends with ctx, after half a minute at the latest.
func (c *client) dial() bool {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.from}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(c.ctx, "tcp", c.load.addr)
	if err != nil {
		c.count(0)
		return false
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	context.AfterFunc(c.ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	c.conn, c.open = conn, append(c.open, conn)
	return true
}

func (c *client) close() {
	for _, conn := range c.open {
		conn.Close()
	}
}

// wait sleeps, unless all ends.
func (c *client) wait(d time.Duration) bool {
	select {
	case <-c.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (c *client) count(code int) {
	c.load.mu.Lock()
	defer c.load.mu.Unlock()
	c.load.answered[code]++
}

// say writes, and reports whether it could.
func (c *client) say(text string, a ...any) bool {
	if a != nil {
		text = fmt.Sprintf(text, a...)
	}
	_, err := c.conn.Write([]byte(text))
	return err == nil
}

// hear reads one answer and counts it.
func (c *client) hear() {
	r, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		c.count(0)
		return
	}
	c.count(r.StatusCode)
	r.Body.Close()
}

// post sends an image.
func (c *client) post(b []byte) {
	if c.dial() && c.say("POST /v1/detect HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", c.load.addr, len(b)) && c.say("%s", b) {
		c.hear()
	}
}
