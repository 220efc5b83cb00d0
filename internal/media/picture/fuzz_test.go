package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// hugePNG is sound but for its size.
func hugePNG(t testing.TB, w, h uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, New(1, 1).Image()); err != nil {
		t.Fatal(err)
	}
	p := b.Bytes()
	binary.BigEndian.PutUint32(p[16:], w)
	binary.BigEndian.PutUint32(p[20:], h)
	binary.BigEndian.PutUint32(p[29:], crc32.ChecksumIEEE(p[12:29]))
	return p
}

// Headers that ask for terabytes are errors that take no memory.
func TestDecodeHostile(t *testing.T) {
	jpg := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, New(8, 8).Image(), nil) })
	at := bytes.Index(jpg, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint32(jpg[at+5:], 0xffffffff) // height and width
	scan := bytes.Index(jpg, []byte{0xff, 0xda})
	many := bytes.Clone(jpg[:len(jpg)-2])
	for range 500 {
		many = append(many, jpg[scan:scan+14]...)
	}
	binary.BigEndian.PutUint32(many[at+5:], 6000<<16|6000)
	var before, after runtime.MemStats
	for name, b := range map[string][]byte{
		"97 million x 1 billion": hugePNG(t, 97_000_000, 1_000_000_000),
		"more than 31 bits":      hugePNG(t, 0xffffffff, 0xffffffff),
		"just too large":         hugePNG(t, 20000, 20000),
		"a JPEG of 65535x65535":  jpg,
		"501 scans":              append(many, 0xff, 0xd9),
		"a TIFF of 12 bytes":     []byte("II*\x00\xd0Z\xff\xad\xd0Z\xff\xb4"),
	} {
		runtime.ReadMemStats(&before)
		p, err := DecodeBytes(name, b)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: decoded to %dx%d", name, p.W, p.H)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s: took %d bytes", name, took)
		}
	}
}

// seeds adds images of every format: made here, harmful, and those of suites that are beside the repository or in Go's sources.
func seeds(f *testing.F, add func([]byte)) {
	for _, b := range formats(f) {
		add(b)
		add(b[:len(b)/2])
	}
	add(hugePNG(f, 97_000_000, 1_000_000_000))
	add([]byte("GIF89a"))
	add(flatWebP(24, 17))
	add(lossyWebP)
	add(progressive(24, 17, 3, 5))
	add(withExif(progressive(24, 17, 1, 2), 6, binary.BigEndian))
	add(tiled(24, 17, 16, 16, packed(make([]byte, 256))))
	add(grey(24, 17, 1, bombs(1)...))
	for _, b := range harmful(f) {
		if len(b) < 32<<10 {
			add(b)
		}
	}
	for _, dir := range []string{filepath.Join(goroot(f), "src", "image"), filepath.Join("..", "..", "..", "..", "shared", "data", "bad_images"), filepath.Join("..", "..", "..", "..", "shared", "data", "hostile")} {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"}, filepath.Ext(path)) {
				return nil
			}
			if b, err := os.ReadFile(path); err == nil && len(b) < 32<<10 {
				add(b)
			}
			return nil
		})
	}
}

// Whatever a file holds, decoding it is an error or an image of the size that its header says.
func FuzzDecode(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, 3) })
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		head, err := check(b, nil)
		if err != nil || head.w*head.h > 1<<20 {
			return // refused, or too slow to try
		}
		n = max(n&15, 1)
		p, w, h, err := DecodeBytesFor(t.Context(), "fuzz", b, half(n))
		if err != nil {
			if strings.Contains(err.Error(), "panics") {
				t.Error(err)
			}
			return
		}
		if len(p.Pix) != 3*p.W*p.H || p.W > w || p.H > h || p.W*n < w || p.H*n < h {
			t.Errorf("%dx%d, %d values, of %dx%d at 1/%d", p.W, p.H, len(p.Pix), w, h, n)
		}
		p.Release()
	})
}

// A header is read without a panic, and its bounds are numbers.
func FuzzProbe(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Probe("fuzz", b)
		if err != nil {
			if strings.Contains(err.Error(), "panics") {
				t.Error(err)
			}
			return
		}
		if err := h.Check(nil); err == nil && (h.Bytes(nil) < int64(3*h.W*h.H) || h.Bytes(nil) > MaxMemory()) {
			t.Errorf("%+v takes %d bytes", h, h.Bytes(nil))
		}
	})
}
