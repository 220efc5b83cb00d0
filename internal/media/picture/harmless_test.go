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
)

// Small files that harm are errors, or images, within a second and 64 MB.
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
		begin := busy(t)
		took := peak(t, func() {
			for range 3 { // what one leaves must not add up
				var p *Picture
				if p, err = DecodeBytes(name, b); err == nil {
					p.Release()
				}
			}
		})
		spent := busy(t) - begin
		if w := want[name]; w != "" && (err == nil || !strings.Contains(err.Error(), w)) {
			t.Errorf("%s: %v; want %q", name, err, w)
		}
		if took > 64<<20 || spent > 3*time.Second {
			t.Errorf("%s: %d MB and %v for three times: %v", name, took>>20, spent, err)
		}
	}
}

// What harmed real programs, where it is beside the repository.
func TestHarmfulFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(realData(t, "hostile"), "*.*"))
	for _, f := range files {
		begin := busy(t)
		took := peak(t, func() {
			_, err := Decode(f)
			if err != nil && !strings.Contains(err.Error(), f) {
				t.Errorf("%s: %v", f, err)
			}
		})
		if spent := busy(t) - begin; took > 64<<20 || spent > time.Second {
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
		begin := busy(t)
		_, _, _, err = DecodeBytesFor(ended, name, slow, nil)
		stop()
		if spent := busy(t) - begin; !errors.Is(err, why) || spent > time.Second {
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

// A decoder that panics is an error of its image, which gives back what was taken.
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
	held.mu.Lock()
	back := held.bytes
	held.mu.Unlock()
	if back != 3*700*500 {
		t.Errorf("%d bytes were given back", back)
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

// formats is an image in each format.
func formats(t testing.TB) map[string][]byte {
	out := map[string][]byte{"gif": smallFrame(), "webp": lossyWebP, "webp, lossless": losslessWebP}
	for name, f := range encoders() {
		var b bytes.Buffer
		if err := f(&b, gradient(24, 17).Image()); err != nil {
			t.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	return out
}
