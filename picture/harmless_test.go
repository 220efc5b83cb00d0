package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

// Small files that harm are errors, or pictures, within a second and 64 MB.
func TestHarmful(t *testing.T) {
	want := map[string]string{
		"a BMP wider than OpenCV takes":      "1048577x1",
		"a TIFF in a tile of 16384x16384":    "16384x16384",
		"a TIFF in tiles of a pixel":         "1x1",
		"a TIFF whose tiles share a MB":      "more bytes than the file",
		"a JPEG of 500 scans":                "500 scans",
		"a JPEG whose coefficients take GBs": MemoryVariable,
		"a PNG of 90 million pixels in none": "9500x9500 pixels",
		"a WebP larger than its canvas":      "16384x16384",
	}
	for name, b := range harmful(t) {
		var err error
		begin := time.Now()
		took := peak(t, func() {
			for range 3 { // what one leaves must not add up
				var p *Picture
				if p, err = DecodeBytes(name, b); err == nil {
					p.Release()
				}
			}
		})
		spent := time.Since(begin)
		if w := want[name]; w != "" && (err == nil || !strings.Contains(err.Error(), w)) {
			t.Errorf("%s: %v; want %q", name, err, w)
		}
		if took > 64<<20 || spent > 3*time.Second {
			t.Errorf("%s: %d MB and %v for three times: %v", name, took>>20, spent, err)
		}
	}
}

// What is decoded takes no more than its header is said to, whatever the picture, and no picture takes more than MaxMemory.
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
		if err := f(&b, New(2000, 1500).image()); err != nil {
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

// What harmed real programs, where it is beside the repository.
func TestHarmfulFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(realData(t, "hostile"), "*.*"))
	for _, f := range files {
		begin := time.Now()
		took := peak(t, func() {
			_, err := Decode(f)
			if err != nil && !strings.Contains(err.Error(), f) {
				t.Errorf("%s: %v", f, err)
			}
		})
		if spent := time.Since(begin); took > 64<<20 || spent > time.Second {
			t.Errorf("%s: %d MB and %v", f, took>>20, spent)
		}
	}
}

// A legitimate JPEG of a dozen scans is decoded, and a context that ends ends it, between scans too.
func TestDecodeEnds(t *testing.T) {
	b := progressive(6000, 4000, 1, 12)
	p, err := DecodeBytes("dozen", b)
	if err != nil || p.W != 6000 {
		t.Fatal(err)
	}
	p.Release()
	why := errors.New("the request is over")
	for name, slow := range map[string][]byte{"jpeg": progressive(6000, 4000, 1, 80), "webp": flatWebP(5000, 5000)} {
		ended, stop := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		begin := time.Now()
		_, _, _, err = DecodeBytesFor(ended, name, slow, nil)
		stop()
		if spent := time.Since(begin); !errors.Is(err, why) || spent > time.Second {
			t.Errorf("%s: %v after %v", name, err, spent)
		}
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	for name, file := range formats(t) {
		if _, _, _, err := DecodeBytesFor(over, name, file, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s was decoded for a request that is over: %v", name, err)
		}
	}
}

// A decoder that panics is an error of its picture, which gives back what was taken.
func TestPanic(t *testing.T) {
	empty()
	var p *Picture
	err := guarded("bad.bmp", func() (err error) {
		p, err = filled(700, 500, func(*Picture) error { return []error{}[len(os.Args)] })
		return err
	})
	if p != nil || err == nil || !strings.Contains(err.Error(), "bad.bmp") || !strings.Contains(err.Error(), "panics") {
		t.Errorf("%v", err)
	}
	if held.bytes != 3*700*500 {
		t.Errorf("%d bytes were given back", held.bytes)
	}
	if _, err := Probe("bad", []byte("BM????\x00\x00\x00\x00")); err == nil || errors.Is(err, image.ErrFormat) {
		t.Errorf("a cut header: %v", err)
	}
}

// The first frame of an animation lies where it says; the rest is black.
func TestSmallFrame(t *testing.T) {
	p, err := DecodeBytes("gif", smallFrame())
	if err != nil || p.W != 8 || p.H != 6 {
		t.Fatal(p, err)
	}
	light := 0
	for y := range 6 {
		for x := range 8 {
			if r, _, _ := p.At(x, y); r > 0 {
				light++
				if x < 3 || x > 4 || y < 1 || y > 2 {
					t.Errorf("light at %d,%d", x, y)
				}
			}
		}
	}
	if light == 0 {
		t.Error("no frame")
	}
}

// A WebP is decoded from its chunk of pixels, whatever stands around it.
func TestWebP(t *testing.T) {
	want := gradient(12, 9)
	p, err := DecodeBytes("lossless", losslessWebP)
	if err != nil || farthest(p, want) != 0 {
		t.Errorf("lossless: %v, %v", p, err)
	}
	p, err = DecodeBytes("lossy", lossyWebP)
	if err != nil || farthest(p, want) > 40 {
		t.Errorf("lossy: %v, %v", p, err)
	}
	canvas := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), 0, 0, 0, 0, 11, 0, 0, 8, 0, 0)
	within := append(append(canvas, lossyWebP[12:]...), "EXIF\x02\x00\x00\x00ab"...)
	binary.LittleEndian.PutUint32(within[4:], uint32(len(within)-8))
	q, err := DecodeBytes("within", within)
	if err != nil || farthest(p, q) != 0 {
		t.Errorf("in a container: %v, %v", q, err)
	}
	for n := range len(within) - 12 {
		if _, err := DecodeBytes("cut", within[:n]); err == nil {
			t.Errorf("%d of %d bytes were decoded", n, len(within))
		}
	}
}

// After a burst of large pictures memory is where it was before, once nothing is decoded.
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
	time.Sleep(idle + 500*time.Millisecond)
	if after := memory.Resident(); after > before+before/10 {
		t.Errorf("%d MB, before the burst %d", after>>20, before>>20)
	}
}

// A piece that is kept serves what needs about as much, and what is kept is bounded.
func TestPool(t *testing.T) {
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
	if q.bytes > mostKept() || len(q.free) > mostPieces || int64(len(q.free))*4<<20 != q.bytes {
		t.Errorf("%d pieces of %d bytes are kept", len(q.free), q.bytes)
	}
	time.Sleep(idle + idle/2)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes != 0 || len(q.free) != 0 || q.timer != nil {
		t.Errorf("%d bytes are kept after a rest", q.bytes)
	}
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

// formats is a picture in each format.
func formats(t testing.TB) map[string][]byte {
	out := map[string][]byte{"gif": smallFrame(), "webp": lossyWebP, "webp, lossless": losslessWebP}
	for name, f := range encoders() {
		var b bytes.Buffer
		if err := f(&b, gradient(24, 17).image()); err != nil {
			t.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	return out
}
