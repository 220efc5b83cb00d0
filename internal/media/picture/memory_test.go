package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retinago/internal/memory"
)

// empty gives all memory that is kept back.
func empty() {
	held.mu.Lock()
	held.free, held.bytes = nil, 0
	held.mu.Unlock()
	system()
}

// peak is the most memory that f takes besides what is there, in bytes.
func peak(t *testing.T, f func()) int64 {
	t.Helper()
	empty()
	before := memory.Resident()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		t.Skip("this system does not tell the peak of a while")
	}
	f()
	return memory.Peak() - before
}

// What is decoded takes no more than its header is said to, whatever the image, and no image takes more than MaxMemory.
func TestMemory(t *testing.T) {
	files := map[string][]byte{
		"a JPEG with all coefficients": progressive(5000, 4000, 3, 2),
		"a JPEG on its side":           withExif(progressive(4000, 3000, 1, 1), 6, binary.BigEndian),
		"a PNG of few bits":            grey(9000, 8000, 1),
		"a PNG that is too much":       grey(11000, 10000, 1),
		"a lossless WebP":              flatWebP(4000, 4000),
	}
	for name, f := range encoders() {
		var b bytes.Buffer
		if err := f(&b, New(2000, 1500).Image()); err != nil {
			t.Fatal(err)
		}
		files["a flat "+name] = b.Bytes()
	}
	for name, b := range files {
		h, err := Probe(name, b)
		if err != nil {
			t.Fatal(err)
		}
		took := peak(t, func() {
			for range 2 {
				var p *Picture
				if p, err = DecodeBytes(name, b); err == nil {
					p.Release()
				}
			}
		})
		said := h.Bytes(nil)
		t.Logf("%s: %dx%d took %d MB, %d were said", name, h.W, h.H, took>>20, said>>20)
		switch {
		case said > MaxMemory():
			if !errors.Is(err, ErrTooMuch) || took > 16<<20 {
				t.Errorf("%s: %v, %d MB", name, err, took>>20)
			}
		case err != nil || took > max(said+16<<20, large): // what is below is left to Go's own collection
			t.Errorf("%s took %d MB, its header says %d: %v", name, took>>20, said>>20, err)
		}
	}
}

// After a burst of large images memory is where it was before, once nothing is decoded.
func TestMemoryComesBack(t *testing.T) {
	b := grey(5000, 4000, 8)
	burst := func() {
		for range 4 {
			p, err := DecodeBytes("large", b)
			if err != nil {
				t.Fatal(err)
			}
			p.Release()
		}
	}
	burst()
	time.Sleep(idle + 500*time.Millisecond)
	before := memory.Resident()
	burst()
	if memory.Resident() < before+30<<20 {
		t.Log("the burst took nothing")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		after := memory.Resident()
		if after <= before+before/10 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d MB, before the burst %d", after>>20, before>>20)
		}
	}
}

// A piece that is kept serves what needs about as much, and what is kept is bounded.
func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q pool
		q.put(make([]byte, 10<<20))
		if b := q.get(100); cap(b) > anySize {
			t.Errorf("%d bytes for 100", cap(b))
		}
		if b := q.get(9 << 20); cap(b) != 10<<20 || len(b) != 9<<20 {
			t.Errorf("%d of %d bytes", len(b), cap(b))
		}
		for range 2 * mostPieces {
			q.put(make([]byte, 4<<20))
		}
		q.mu.Lock()
		if q.bytes > mostKept() || len(q.free) > mostPieces || int64(len(q.free))*4<<20 != q.bytes {
			t.Errorf("%d pieces of %d bytes are kept", len(q.free), q.bytes)
		}
		q.mu.Unlock()
		time.Sleep(idle + idle/2)
		synctest.Wait()
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.bytes != 0 || len(q.free) != 0 || q.timer != nil {
			t.Errorf("%d bytes are kept after a rest", q.bytes)
		}
	})
}

func TestMemoryVariable(t *testing.T) {
	for v, want := range map[string]int64{"": defaultMemory, "1000": 1000 << 20, "0": 0, "-3": 0, "many": 0, "1.5": 0} {
		n, err := memoryOf(v, 0)
		if want > 0 && (n != want || err != nil) || want == 0 && (err == nil || !strings.Contains(err.Error(), MemoryVariable)) {
			t.Errorf("%q: %d, %v", v, n, err)
		}
	}
	for have, want := range map[int64]int64{0: defaultMemory, 1 << 40: defaultMemory, 400 << 20: 100 << 20} {
		if n, err := memoryOf("", have); n != want || err != nil {
			t.Errorf("of %d bytes: %d, %v", have, n, err)
		}
	}
	if n, _ := memoryOf("1000", 400<<20); n != 1000<<20 {
		t.Errorf("what is asked for is %d", n)
	}
}
