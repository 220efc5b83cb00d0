package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"retinago/internal/memory"
)

// greedy are small files that cost much, or end a decoder that believes them.
func greedy() map[string][]byte {
	put := func(b []byte, words map[int]uint32) []byte {
		for at, v := range words {
			binary.LittleEndian.PutUint32(b[at:], v)
		}
		return b
	}
	// A header alone, of a side that OpenCV asserts to be smaller; and pixels of a palette of 2 that name its 200th colour.
	wide := put(append([]byte("BM"), make([]byte, 52)...), map[int]uint32{10: 54, 14: 40, 18: 1<<20 + 1, 22: 1, 26: 24<<16 | 1})
	palette := put(append([]byte("BM"), append(make([]byte, 60), bytes.Repeat([]byte{200}, 8*8)...)...), map[int]uint32{10: 62, 14: 40, 18: 8, 22: 8, 26: 8<<16 | 1, 46: 2})
	// A TIFF of 10x10 grey pixels in one tile of 16384x16384, of which a few bytes are there.
	fields := [][3]uint32{{256, 4, 10}, {257, 4, 10}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {277, 3, 1}, {322, 4, 16384}, {323, 4, 16384}, {324, 4, 8}, {325, 4, 16}}
	tile := append([]byte("II*\x00"), make([]byte, 20+2+12*len(fields)+4)...)
	put(tile, map[int]uint32{4: 24})
	tile[24] = byte(len(fields))
	for i, f := range fields {
		put(tile, map[int]uint32{26 + 12*i: f[0] | f[1]<<16, 26 + 12*i + 4: 1, 26 + 12*i + 8: f[2]})
	}
	return map[string][]byte{"wide": wide, "palette": palette, "tile": tile, "500 scans": progressive(6000, 500), "50 scans": progressive(5900, 50)}
}

// progressive is a black JPEG of side x side pixels with so many scans over all of them, each of which has few bytes: runs of 2^14
// blocks without a coefficient.
func progressive(side, scans int) []byte {
	segment := func(b []byte, kind byte, data ...byte) []byte {
		return append(append(b, 0xff, kind, byte((len(data)+2)>>8), byte(len(data)+2)), data...)
	}
	table := func(class, symbol byte) []byte { return append(append([]byte{class, 1}, make([]byte, 15)...), symbol) }
	b := segment([]byte{0xff, 0xd8}, 0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	b = segment(b, 0xc2, 8, byte(side>>8), byte(side), byte(side>>8), byte(side), 1, 1, 0x11, 0)
	b = segment(segment(b, 0xc4, table(0, 0)...), 0xc4, table(0x10, 0xe0)...)
	blocks := ((side + 7) / 8) * ((side + 7) / 8)
	b = append(segment(b, 0xda, 1, 1, 0, 0, 0, 0), make([]byte, (blocks+7)/8)...)
	for range scans - 1 {
		b = append(segment(b, 0xda, 1, 1, 0, 1, 63, 0), make([]byte, 2*(blocks>>14+1))...)
	}
	return append(b, 0xff, 0xd9)
}

// While 16 clients send hostile pictures, one after another, a good client gets its answer within 2 seconds each time. Afterwards
// the server is ready, memory is what it was, and nothing is held.
func TestFlood(t *testing.T) {
	v := run(t, Options{})
	files := greedy()
	good := noise(t, 300, 200)
	round := func() {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 16 {
			names := []string{"wide", "palette", "tile", "500 scans", "50 scans"}
			wg.Go(func() {
				for n := i; ctx.Err() == nil; n++ {
					name := names[n%len(names)]
					r, err := client("127.0.0.1").Post(v.url+"/v1/detect?timeout=1s", "", bytes.NewReader(files[name]))
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					b, _ := io.ReadAll(r.Body)
					r.Body.Close()
					if r.StatusCode >= 500 && r.StatusCode != http.StatusServiceUnavailable {
						t.Errorf("%s: %d %s", name, r.StatusCode, b)
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
		for range 4 {
			time.Sleep(300 * time.Millisecond)
			begin := time.Now()
			r, err := v.post(client("127.0.0.1"), good)
			if err != nil {
				t.Error(err)
				continue
			}
			b := read(t, r)
			if took := time.Since(begin); r.StatusCode != 200 || took > 2*time.Second {
				t.Errorf("the good client: %d after %v: %s", r.StatusCode, took, b)
			}
		}
		stop()
		wg.Wait()
	}
	rest := func() int64 {
		debug.FreeOSMemory()
		return memory.Resident()
	}
	round()
	before := rest()
	time.Sleep(2500 * time.Millisecond) // for buffers that are kept a while
	before = min(before, rest())
	round()
	eventually(t, "memory does not come back", func() bool {
		time.Sleep(200 * time.Millisecond)
		return rest() <= before+before/10
	})
	if status, code := v.s.readyz(t); status != 200 {
		t.Errorf("/readyz: %d %s", status, code)
	}
	v.s.whole(t)
}
