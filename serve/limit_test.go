package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// from dials as a client of another address of this machine does.
func (v *running) from(t testing.TB, ip, text string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := d.Dial("tcp", v.addr)
	if err != nil {
		t.Skipf("%s is no address of this machine: %v", ip, err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// client asks from an address.
func client(ip string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}, Timeout: 5 * time.Second}
}

// isClosed says whether the other side has closed a connection.
func isClosed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// 1500 silent connections lock no client out: neither the health on its own address, nor a client of another address, nor
// one of the same.
func TestSilent(t *testing.T) {
	health, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := run(t, Options{Health: health})
	for i := range 1500 {
		v.from(t, "127.0.0.1", []string{"", "GET / HTTP/1.1\r\nHost: loc"}[i%2])
	}
	pic := noise(t, 64, 48)
	for i := range 3 {
		for _, ip := range []string{"127.0.0.2", "127.0.0.1"} {
			begin := time.Now()
			r, err := v.post(client(ip), pic)
			if err != nil {
				t.Fatal(err)
			}
			parse[Answer](t, r)
			if took := time.Since(begin); took > slower*2*time.Second {
				t.Errorf("round %d, from %s: %v", i, ip, took)
			}
		}
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/v1/models": 404} {
			r, err := client("127.0.0.1").Get("http://" + health.Addr().String() + path)
			if err != nil {
				t.Fatal(err)
			}
			b := string(read(t, r))
			if r.StatusCode != want {
				t.Errorf("%s: %d %s", path, r.StatusCode, b)
			}
			if path == "/metrics" && (!strings.Contains(b, "retinago_connections 51") || strings.Contains(b, "connections_evicted_total 0")) {
				t.Errorf("of connections: %s", b[strings.Index(b, "retinago_connections"):])
			}
		}
	}
}

// Who is let in when all connections are taken: the one of the longest silence goes, of the address that has the most; who was
// answered a moment ago stays, and so does who is being answered.
func TestEviction(t *testing.T) {
	v := run(t, Options{MaxConns: 6, MaxConnsAddress: 4})
	const ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	answer := func(c net.Conn) {
		t.Helper()
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != 200 {
			t.Fatalf("%v, %v", r, err)
		}
	}
	first := v.from(t, "127.0.0.1", "")
	eventually(t, "the first is not held", func() bool { return v.held() == 1 })
	second := v.from(t, "127.0.0.1", "GET / HT")
	kept := []net.Conn{v.from(t, "127.0.0.1", ask), v.from(t, "127.0.0.1", ask)}
	for _, c := range kept {
		answer(c)
	}
	// A fifth of this address takes the place of the first, a sixth that of the second.
	answer(v.from(t, "127.0.0.1", ask))
	eventually(t, "the first stays", func() bool { return isClosed(first) })
	if isClosed(second) {
		t.Error("the second goes before the first")
	}
	answer(v.from(t, "127.0.0.1", ask))
	eventually(t, "the second stays", func() bool { return isClosed(second) })
	// All four have been answered a moment ago: one more is told so.
	if r, err := http.ReadResponse(bufio.NewReader(v.from(t, "127.0.0.1", ask)), nil); err != nil || r.StatusCode != 503 || code(t, r) != "connections" {
		t.Errorf("%v, %v", r, err)
	}
	// Another address has its own, up to all that there are; then the silent of most goes.
	other := []net.Conn{v.from(t, "127.0.0.2", ""), v.from(t, "127.0.0.2", ask)}
	answer(other[1])
	answer(v.from(t, "127.0.0.3", ask))
	eventually(t, "the silent one stays", func() bool { return isClosed(other[0]) })
	if isClosed(other[1]) {
		t.Error("who was answered a moment ago goes")
	}
	// After a while without a request, an answered one goes too: of the first address, which has the most.
	time.Sleep(spared)
	answer(v.from(t, "127.0.0.3", ask))
	eventually(t, "all of the first address stay", func() bool { return isClosed(kept[0]) || isClosed(kept[1]) })
	if isClosed(other[1]) {
		t.Error("the address with fewer connections loses one")
	}
	if n := v.held(); n != 6 {
		t.Errorf("%d connections, want 6", n)
	}
}

// held is what the metric says.
func (v *running) held() (n int) {
	r := ask(v.s.Handler(), "GET", "/metrics", nil)
	b, _ := io.ReadAll(r.Body)
	if i := strings.Index(string(b), "\nretinago_connections "); i >= 0 {
		fmt.Sscanf(string(b[i:]), "\nretinago_connections %d", &n)
	}
	return n
}

// Connections are counted by what one customer has: an address of IPv4, 64 bits of IPv6. What a header claims counts for nothing.
func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.7:80": "10.0.0.7/32", "[::ffff:10.0.0.7]:80": "10.0.0.7/32", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:1": "2001:db8:1:2::/64", "[fe80::1%eth0]:80": "fe80::/64", "[::1]:80": "::/64",
	} {
		if got := network(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))); got.String() != want {
			t.Errorf("%s: %v, want %s", address, got, want)
		}
	}
	if network(&net.UnixAddr{Name: "x"}).IsValid() {
		t.Error("a socket of this machine has a network")
	}
}

// narrow has connections that hold little of what is written.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

// Who reads no answers is given up after WriteTimeout, also a reader of pages.
func TestSlowReaders(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := runOn(t, Options{WriteTimeout: 100 * time.Millisecond}, narrow{l})
	pic := noise(t, 300, 200)
	for name, request := range map[string]string{
		"pages":   "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"metrics": "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"models":  "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"JPEG":    fmt.Sprintf("POST /v1/detect?format=jpeg HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(pic), pic),
	} {
		c := v.dial(t, "")
		c.(*net.TCPConn).SetReadBuffer(4 << 10)
		// Requests one after another, until the server cannot write any more and so reads no more, or gives up.
		c.SetWriteDeadline(time.Now().Add(5 * time.Second))
		var err error
		begin := time.Now()
		for err == nil {
			_, err = io.WriteString(c, strings.Repeat(request, 8))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is held for %v", name, time.Since(begin))
		}
		c.Close()
	}
	eventually(t, "connections stay", func() bool { return v.held() == 0 })
}

// Serve keeps the health's address until all else has ended.
func TestHealthStops(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &slow{Predictor: load(t), takes: 300 * time.Millisecond}
	v := run(t, Options{Models: []Model{{"tiny", n}}, Health: l, Tokens: []string{"a long token"}})
	get := func(path string) *http.Response {
		t.Helper()
		r, err := client("127.0.0.1").Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := get("/metrics"); r.StatusCode != 401 {
		t.Errorf("/metrics without the token: %d", r.StatusCode)
	}
	r, err := http.NewRequestWithContext(context.Background(), "POST", v.url+"/v1/detect", strings.NewReader(string(noise(t, 64, 48))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer a long token")
	go http.DefaultClient.Do(r)
	eventually(t, "no image comes", func() bool { return v.s.models[0].queue.oldest(time.Now()) > 0 })
	v.stop()
	eventually(t, "the server is ready for ever", func() bool { return !v.s.ready.Load() })
	if r := get("/readyz"); r.StatusCode != 503 || code(t, r) != "stopping" {
		t.Errorf("/readyz: %d", r.StatusCode)
	}
	if r := get("/healthz"); r.StatusCode != 200 {
		t.Errorf("/healthz: %d", r.StatusCode)
	}
	if err := <-v.done; err != nil {
		t.Error(err)
	}
	if _, err := client("127.0.0.1").Get("http://" + l.Addr().String() + "/healthz"); err == nil {
		t.Error("the health's address stays open")
	}
}
