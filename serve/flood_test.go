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

// tileTIFF is a TIFF of 10x10 grey pixels in one tile of 16384x16384, of which a few bytes are there.
func tileTIFF() []byte {
	fields := [][3]uint32{{256, 4, 10}, {257, 4, 10}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {277, 3, 1}, {322, 4, 16384}, {323, 4, 16384}, {324, 4, 8}, {325, 4, 16}}
	b := append([]byte("II*\x00"), make([]byte, 20+2+12*len(fields)+4)...)
	binary.LittleEndian.PutUint32(b[4:], 24)
	b[24] = byte(len(fields))
	for i, f := range fields {
		at := b[26+12*i:]
		binary.LittleEndian.PutUint32(at, f[0]|f[1]<<16)
		binary.LittleEndian.PutUint32(at[4:], 1)
		binary.LittleEndian.PutUint32(at[8:], f[2])
	}
	return b
}

// While 16 clients send hostile images, one after another, a good client gets its answer within 2 seconds each time. Afterwards
// the server is ready, memory is what it was, and nothing is held.
func TestFlood(t *testing.T) {
	v := run(t, Options{})
	names := []string{"a width", "an index", "a tile", "500 scans", "50 scans"}
	files := [][]byte{wideBMP(), beyond(), tileTIFF(), scans(6000, 6000, 500), scans(5900, 5900, 50)}
	good := noise(t, 300, 200)
	round := func() {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for n := i; ctx.Err() == nil; n++ {
					k := n % len(names)
					r, err := client("127.0.0.1").Post(v.url+"/v1/detect?timeout=1s", "", bytes.NewReader(files[k]))
					if err != nil { // refused before it had sent all
						continue
					}
					b, _ := io.ReadAll(r.Body)
					r.Body.Close()
					if r.StatusCode >= 500 && r.StatusCode != http.StatusServiceUnavailable {
						t.Errorf("%s: %d %s", names[k], r.StatusCode, b)
						return
					}
					if r.StatusCode == 200 { // then it is only one more image for the network
						time.Sleep(time.Second)
					}
					time.Sleep(20 * time.Millisecond)
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
			if took := time.Since(begin); r.StatusCode != 200 || took > slower*2*time.Second {
				t.Errorf("the good client: %d after %v: %.200s", r.StatusCode, took, b)
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
		return rest() <= before+before/10 || slower > 1 // the race detector keeps memory
	})
	if status, code := v.s.readyz(t); status != 200 {
		t.Errorf("/readyz: %d %s", status, code)
	}
	v.s.whole(t)
}
