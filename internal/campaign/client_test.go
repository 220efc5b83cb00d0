//go:build campaign

package campaign

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"mime/multipart"
	"net"
	"slices"
	"strings"
	"time"
)

// kinds are the hostile clients besides those that send the hostile images: how many, how long they rest on average, what they do.
// All together send fewer images at once than a server has places: beyond them, 429 would be the right answer to anyone.
var kinds = []struct {
	name    string
	clients int
	pause   time.Duration
	act     func(c *client)
}{
	{"mutated pictures", 1, 20 * time.Millisecond, func(c *client) {
		c.post(mutate(c.load.seeds, 1_000_000+int(c.load.mutants.Add(1))).b)
	}},
	{"pictures that are as large as may be", 4, 100 * time.Millisecond, func(c *client) {
		all := large()
		c.post(all[slices.Sorted(maps.Keys(all))[c.draw.IntN(len(all))]])
	}},
	{"ordinary pictures", 1, 100 * time.Millisecond, func(c *client) { c.post(c.load.good) }},
	{"bodies that come slowly", 8, 100 * time.Millisecond, func(c *client) {
		if c.dial() && c.say("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n") {
			for c.wait(200*time.Millisecond) && c.say("\xff\xd8") {
			}
			c.hear()
		}
	}},
	{"half a request", 8, 200 * time.Millisecond, func(c *client) {
		whole := "POST /v1/detect?score=.5 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 100\r\n\r\n"
		if c.dial() && c.say("%s", whole[:c.draw.IntN(len(whole))]) {
			c.wait(time.Duration(c.draw.IntN(8)) * time.Second)
		}
	}},
	{"silent connections", 4, time.Second, func(c *client) {
		for n := 0; n < 400 && c.dial(); n++ {
		}
		c.wait(20 * time.Second)
	}},
	{"forms", 1, 50 * time.Millisecond, (*client).form},
	{"questions", 1, 50 * time.Millisecond, func(c *client) {
		q := []string{"%zz", "score=", "score=abc", "score=1e999", "score=-1", "score=NaN&nms=%00", "max=-1&max=99999999999999999999", "a;b=c", "timeout=-1s", "timeout=999999h", "format=exe",
			"classes=" + strings.Repeat("x,", 3000), "model=../../etc/passwd", strings.Repeat("&", 5000), "raw=1&score=.0001&max=100000"}[c.draw.IntN(15)]
		if c.dial() && c.say("POST /v1/detect?%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", q, len(c.load.good), c.load.good) {
			c.hear()
		}
	}},
	{"other hosts and origins", 1, 50 * time.Millisecond, func(c *client) {
		h := []string{"Host: evil.example", "Host: localhost\r\nOrigin: http://evil.example", "Host: localhost\r\nSec-Fetch-Site: cross-site", "Host: ", "Host: a\r\nHost: b", "Host: [::1"}[c.draw.IntN(6)]
		if c.dial() && c.say("POST /v1/detect HTTP/1.1\r\n%s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", h, len(c.load.good), c.load.good) {
			c.hear()
		}
	}},
	{"headers", 2, 200 * time.Millisecond, func(c *client) {
		h := []string{"X: " + strings.Repeat("a", 3<<20), strings.Repeat("X: y\r\n", 200_000) + "Z: 0", "X: \x00", " folded", "Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding: chunked\r\nContent-Length: 5",
			"Transfer-Encoding: chunked, gzip", "Content-Length: -1", "Content-Length: 99999999999999999999", "Expect: 100-continue\r\nContent-Length: 99", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings"}[c.draw.IntN(11)]
		if c.dial() {
			c.say("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", h)
			c.hear()
		}
	}},
	{"chunks", 2, 100 * time.Millisecond, func(c *client) {
		body := []string{"ffffffffffffffff\r\n", "5\r\nabc", "-1\r\n\r\n", "5;" + strings.Repeat("x", 70000) + "\r\nabcde\r\n0\r\n\r\n", strings.Repeat("1\r\na\r\n", 20000) + "0\r\n\r\n", "zz\r\n"}[c.draw.IntN(6)]
		if c.dial() && c.say("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%s", body) {
			c.wait(time.Second)
			c.conn.(*net.TCPConn).CloseWrite()
			c.hear()
		}
	}},
	{"no HTTP", 2, 100 * time.Millisecond, func(c *client) {
		b := make([]byte, c.draw.IntN(4096))
		for i := range b {
			b[i] = byte(c.draw.Uint32())
		}
		if c.dial() {
			c.say("%s%s", []string{"", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\n\n", "\r\n\r\n\r\n"}[c.draw.IntN(5)], b)
			c.hear()
		}
	}},
	{"sockets", 2, 100 * time.Millisecond, (*client).socket},
	{"streams", 1, 200 * time.Millisecond, (*client).stream},
	{"clients that leave", 2, 50 * time.Millisecond, func(c *client) {
		if !c.dial() {
			return
		}
		b := fmt.Appendf(nil, "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(c.load.good), c.load.good)
		c.conn.Write(b[:len(b)-c.draw.IntN(2)*c.draw.IntN(len(b))])
		c.wait(time.Duration(c.draw.IntN(30)) * time.Millisecond)
		if c.draw.IntN(2) == 0 {
			c.conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		c.count(0)
	}},
	{"clients that do not read", 4, time.Second, func(c *client) {
		if c.dial() {
			c.conn.(*net.TCPConn).SetReadBuffer(1)
			for range 500 {
				if !c.say("GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", []string{"", "openapi.json", "metrics", "app.js"}[c.draw.IntN(4)]) {
					break
				}
			}
			c.wait(10 * time.Second)
		}
	}},
}

// form sends multipart forms that are wrong, or have a hostile image.
func (c *client) form() {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	kind := w.FormDataContentType()
	part, _ := w.CreateFormFile([]string{"image", "other", ""}[c.draw.IntN(3)], "../../x\x00.jpg")
	switch c.draw.IntN(7) {
	case 0:
		part.Write(c.load.good)
		w.Close()
		b.Truncate(c.draw.IntN(b.Len()))
	case 1:
		kind = "multipart/form-data; boundary=" + strings.Repeat("b", c.draw.IntN(300))
	case 2:
		for range 20_000 {
			w.CreateFormField("x")
		}
		w.Close()
	case 3:
		b.WriteString("\r\n--" + w.Boundary() + "\r\n" + strings.Repeat("X-A: b\r\n", 50_000) + "\r\n")
	case 4:
		part.Write(c.load.hostile["a TIFF of 10x10 in a tile of 16384"])
		w.Close()
	case 5:
		kind = "multipart/form-data"
	case 6:
		part.Write(mutate(c.load.seeds, 2_000_000+c.draw.IntN(1_000_000)).b)
		w.Close()
	}
	if c.dial() && c.say("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, b.Len(), b.Bytes()) {
		c.hear()
	}
}

// socket opens a WebSocket and sends frames that are none.
func (c *client) socket() {
	if !c.dial() || !c.say("GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		[]string{"dGhlIHNhbXBsZSBub25jZQ==", "short", ""}[c.draw.IntN(8)%3]) {
		return
	}
	c.hear()
	frame := func(head byte, payload []byte) []byte { // masked with zeros
		b := binary.BigEndian.AppendUint64([]byte{head, 0xff}, uint64(len(payload)))
		return append(append(b, 0, 0, 0, 0), payload...)
	}
	switch c.draw.IntN(7) {
	case 0: // a frame of 2^63 bytes
		c.say("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00")
	case 1: // unmasked, reserved bits, unknown
		c.say("\x82\x05hello\xf2\x80\x8f\x80")
	case 2:
		c.conn.Write(frame(0x82, mutate(c.load.seeds, 3_000_000+c.draw.IntN(1_000_000)).b))
	case 3: // fragments without an end
		for range 200 {
			c.conn.Write(frame(0x00, []byte("x")))
		}
	case 4:
		c.conn.Write(frame(0x81, []byte(`{"score":"`+strings.Repeat("9", 1000)+`"}`)))
	case 5: // images without a look at answers
		for range 30 {
			c.conn.Write(frame(0x82, c.load.good))
		}
	case 6:
		c.conn.Write(frame(0x89, make([]byte, 126))) // a ping that is too long
	}
	c.wait(time.Duration(c.draw.IntN(1000)) * time.Millisecond)
}

// stream posts parts of a stream that are no images, hostile ones, or end early.
func (c *client) stream() {
	if !c.dial() || !c.say("POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\nTransfer-Encoding: chunked\r\n\r\n") {
		return
	}
	for range 1 + c.draw.IntN(20) {
		b := c.load.good
		switch c.draw.IntN(4) {
		case 0:
			b = mutate(c.load.seeds, 4_000_000+c.draw.IntN(1_000_000)).b
		case 1:
			b = c.load.hostile["a BMP of 1048577 columns"]
		case 2:
			b = b[:c.draw.IntN(len(b))]
		}
		p := fmt.Sprintf("--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b)
		if !c.say("%x\r\n%s\r\n", len(p), p) || !c.wait(50*time.Millisecond) {
			break
		}
	}
	c.hear()
}
