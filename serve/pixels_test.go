package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/memory"
)

// idle reports whether nothing is held.
func (p pixels) idle() bool {
	for _, l := range []pool{p.small, p.large} {
		if !l.bytes.TryAcquire(l.most) {
			return false
		}
		l.bytes.Release(l.most)
		if !l.cores.TryAcquire(1) {
			return false
		}
		l.cores.Release(1)
	}
	return true
}

// scans is a black, grey JPEG of many scans, each of which says in a few bytes that all is 0 and takes time for every pixel.
func scans(w, h, n int) []byte {
	quant := append([]byte{0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64)...)
	b := append([]byte{0xff, 0xd8}, quant...)
	b = append(b, 0xff, 0xc2, 0, 11, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
	for kind, symbol := range map[byte]byte{0: 0, 0x10: 0xe0} {
		b = append(append(append(b, 0xff, 0xc4, 0, 20, kind, 1), make([]byte, 15)...), symbol)
	}
	blocks := (w + 7) / 8 * ((h + 7) / 8)
	b = append(append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0), make([]byte, (blocks+7)/8)...)
	for range n - 1 {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0)
		for k := 0; k < blocks; k += 0x4000 { // the end of 2^14 blocks: 0 and 14 bits of 0, and one more
			b = append(b, 0, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}

// wideBMP has 54 bytes and a width that OpenCV asserts; beyond is one with an index that its palette has not.
func wideBMP() []byte {
	b := make([]byte, 54)
	copy(b, "BM6")
	for at, v := range map[int]uint32{10: 54, 14: 40, 18: 1<<20 + 1, 22: 1, 26: 24<<16 | 1} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	return b
}

func beyond() []byte {
	b := make([]byte, 14+40+4*2+4*3)
	copy(b, "BM")
	for at, v := range map[int]uint32{10: 62, 14: 40, 18: 4, 22: 3, 26: 8<<16 | 1, 46: 2} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	b[len(b)-1] = 200
	return b
}

// panicking is a network that cannot bear images.
type panicking struct{ Network }

func (panicking) Prepare(*picture.Picture, data.Size) (*infer.Input, error) { panic("an image") }

// Whatever an image does to its decoder or to the network, its share is given back and the next is answered.
func TestSharesComeBack(t *testing.T) {
	p := load(t)
	s := newServer(t, Options{Models: []Model{{"tiny", p}, {"bad", panicking{p}}}, Queue: 2})
	good := noise(t, 64, 48)
	for range 6 {
		for name, b := range map[string][]byte{"a width": wideBMP(), "an index": beyond(), "500 scans": scans(6000, 6000, 500)} {
			r := ask(s.Handler(), "POST", "/v1/detect", b)
			if r.StatusCode/100 != 4 && !(name == "an index" && r.StatusCode == 200) { // OpenCV has a colour for it
				t.Errorf("%s: %d %s", name, r.StatusCode, read(t, r))
			}
		}
		if r := ask(s.Handler(), "POST", "/v1/detect?model=bad", good); r.StatusCode != 500 {
			t.Errorf("a panic: %d", r.StatusCode)
		}
	}
	if !s.pixels.idle() {
		t.Error("pixels are held")
	}
	if r := ask(s.Handler(), "POST", "/v1/detect", good); r.StatusCode != 200 {
		t.Errorf("a good picture afterwards: %d %s", r.StatusCode, read(t, r))
	}
	if c := code(t, ask(s.Handler(), "POST", "/v1/detect", scans(6000, 6000, 500))); c != "pixels" {
		t.Errorf("500 scans: %q", c)
	}
}

// A request's time ends its decoding, and 16 images that take seconds delay no client with a small one. Afterwards memory is
// what it was.
func TestCostlyPictures(t *testing.T) {
	s := newServer(t, Options{})
	good, slow := noise(t, 64, 48), scans(5900, 5900, 59)
	round := func() {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for ctx.Err() == nil {
					begin := time.Now()
					r := ask(s.Handler(), "POST", "/v1/detect?timeout=500ms", slow)
					if spent := time.Since(begin); r.StatusCode != http.StatusServiceUnavailable && r.StatusCode != http.StatusTooManyRequests && r.StatusCode != 200 || spent > slower*2*time.Second {
						t.Errorf("%d after %v: %s", r.StatusCode, spent, read(t, r))
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			begin := time.Now()
			r := ask(s.Handler(), "POST", "/v1/detect", good)
			if spent := time.Since(begin); r.StatusCode != 200 || spent > slower*2*time.Second {
				t.Errorf("a good picture: %d after %v", r.StatusCode, spent)
			}
		}
		stop()
		wg.Wait()
	}
	round()
	time.Sleep(2500 * time.Millisecond) // for buffers that are kept a while
	before := memory.Resident()
	round()
	eventually(t, "memory does not come back", func() bool {
		return memory.Resident() <= before+before/10 || slower > 1 // the race detector keeps memory
	})
	if !s.pixels.idle() {
		t.Error("pixels are held")
	}
}

// Small images never wait for large ones, and one that takes more than there is has it alone.
func TestLanes(t *testing.T) {
	p := newPixels(1000, 2)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	large, err := p.decoding(ctx, 1<<50)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.decoding(ctx, smallBytes+1); err == nil {
		t.Error("two large pictures fit")
	}
	small, err := p.decoding(t.Context(), smallBytes)
	if err != nil {
		t.Fatal(err)
	}
	large.decoded(smallBytes + 1) // its pixels stay, its core is free
	next, err := p.decoding(t.Context(), 2*smallBytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*share{large, small, next, large} {
		v.release()
	}
	if !p.idle() {
		t.Error(fmt.Sprint("something is held: ", p))
	}
}
