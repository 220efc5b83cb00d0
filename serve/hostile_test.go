package serve

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/image/tiff"

	"retinago/internal/memory"
)

// hugePNG is sound but for its size.
func hugePNG(t testing.TB, w, h uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	p := b.Bytes()
	binary.BigEndian.PutUint32(p[16:], w)
	binary.BigEndian.PutUint32(p[20:], h)
	binary.BigEndian.PutUint32(p[29:], crc32.ChecksumIEEE(p[12:29]))
	return p
}

// hostile are files that ask for much, end early, or are two things at once.
func hostile(t testing.TB) map[string][]byte {
	jpg := noise(t, 64, 48)
	at := bytes.Index(jpg, []byte{0xff, 0xc0})
	giant := bytes.Clone(jpg)
	binary.BigEndian.PutUint32(giant[at+5:], 0xffffffff)
	var pal, tif bytes.Buffer
	if err := gif.Encode(&pal, image.NewGray(image.Rect(0, 0, 4, 4)), nil); err != nil {
		t.Fatal(err)
	}
	wide := bytes.Clone(pal.Bytes())
	binary.LittleEndian.PutUint32(wide[6:], 0xffffffff)
	inner := bytes.Clone(pal.Bytes()) // a frame that is larger than its image
	if i := bytes.IndexByte(inner[13:], 0x2c); i >= 0 {
		binary.LittleEndian.PutUint32(inner[13+i+5:], 0xffffffff)
	}
	if err := tiff.Encode(&tif, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	bmp := append([]byte("BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x18\x00"), make([]byte, 40)...)
	webp := []byte("RIFF\x1a\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff")
	return map[string][]byte{
		"a PNG of 97 million by a billion": hugePNG(t, 97_000_000, 1_000_000_000),
		"a PNG of 2^32-1 squared":          hugePNG(t, 0xffffffff, 0xffffffff),
		"a PNG of 7000 squared":            hugePNG(t, 7000, 7000),
		"a PNG of 1 by 2^31-1":             hugePNG(t, 1, 0x7fffffff),
		"a PNG of nothing":                 hugePNG(t, 0, 0),
		"a JPEG of 65535 squared":          giant,
		"a GIF of 65535 squared":           wide,
		"a GIF with a large frame":         inner,
		"a BMP of 2^31-1 squared":          bmp,
		"a WebP of 2^24 squared":           webp,
		"a TIFF at 4 GB":                   []byte("II*\x00\xf0\xff\xff\xff\x00\x00\x00\x00"),
		"a TIFF that is cut":               tif.Bytes()[:60],
		"a JPEG that is cut":               jpg[:len(jpg)-len(jpg)/4],
		"a JPEG's header":                  jpg[:200],
		"a PNG with a JPEG's body":         append([]byte("\x89PNG\r\n\x1a\n"), jpg...),
		"a GIF with a JPEG's body":         append([]byte("GIF89a"), jpg...),
		"a page with an image":             append([]byte("<html><script>alert(1)</script>"), jpg...),
		"a vector graphic":                 []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>`),
		"a playlist":                       []byte("#EXTM3U\nfile:///etc/passwd\n"),
		"zeros":                            make([]byte, 100_000),
	}
}

// Every hostile file is answered with a 4xx, alone and in a form, in memory that does not grow.
func TestHostile(t *testing.T) {
	s := newServer(t, Options{})
	files := hostile(t)
	send := func() {
		var wg sync.WaitGroup
		for name, b := range files {
			wg.Go(func() {
				var form bytes.Buffer
				f := multipart.NewWriter(&form)
				part, _ := f.CreateFormFile("image", "../../"+name)
				part.Write(b)
				f.Close()
				for _, r := range []*http.Response{
					ask(s.Handler(), "POST", "/v1/detect?format=jpeg", b),
					ask(s.Handler(), "POST", "/v1/detect", form.Bytes(), "Content-Type", f.FormDataContentType()),
				} {
					if r.StatusCode < 400 || r.StatusCode > 499 {
						t.Errorf("%s: %d", name, r.StatusCode)
					} else {
						code(t, r)
					}
				}
			})
		}
		wg.Wait()
		runtime.GC()
	}
	send()
	before := memory.Resident()
	for range 5 {
		send()
	}
	if grown := memory.Resident() - before; grown > 64<<20 {
		t.Errorf("%d MB more after 5 rounds", grown>>20)
	}
}

// A polyglot whose first bytes are an image is that image; what follows is no one's.
func TestPolyglot(t *testing.T) {
	s := newServer(t, Options{})
	b := append(noise(t, 64, 48), "<?php system($_GET['c']); ?><script>alert(1)</script>PK\x03\x04"...)
	r := ask(s.Handler(), "POST", "/v1/detect?format=jpeg", b)
	if out := read(t, r); r.StatusCode != 200 || bytes.Contains(out, []byte("script")) || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
}

// Real images of every kind are answered; those that are broken with a 4xx.
func TestBadImages(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/bad_images/*/*.*")
	if len(files) == 0 {
		t.Skip("shared/data/bad_images is not beside the repository")
	}
	s := newServer(t, Options{})
	for i, name := range files {
		if i%6 != 0 { // image reads them all
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := ask(s.Handler(), "POST", "/v1/detect", b)
		base := filepath.Base(name)
		broken := base[0] == 'x' && filepath.Ext(base) == ".png"
		image := filepath.Ext(base) == ".png" || filepath.Ext(base) == ".jpg"
		if broken && r.StatusCode/100 != 4 || image && !broken && r.StatusCode != 200 || r.StatusCode >= 500 {
			t.Errorf("%s: %d %s", base, r.StatusCode, read(t, r))
		}
	}
}

// Whatever is sent, the server answers 200 with JSON or a 4xx with a reason, and gives back what it took.
func FuzzDetect(f *testing.F) {
	s := newServer(f, Options{MaxBody: 1 << 20, MaxPixels: 1 << 20})
	for _, b := range hostile(f) {
		f.Add(b, "", "")
	}
	pic := noise(f, 32, 24)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("image", "p.jpg")
	part.Write(pic)
	w.Close()
	f.Add(pic, "raw=1&score=.1&classes=1,star", "image/jpeg")
	f.Add(pic, "format=jpeg&nms=.3&max=2&method=fuse", "")
	f.Add(form.Bytes(), "timeout=1s", w.FormDataContentType())
	for _, encode := range []func(*bytes.Buffer, image.Image) error{
		func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) },
		func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) },
		func(b *bytes.Buffer, m image.Image) error { return tiff.Encode(b, m, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b, image.NewGray(image.Rect(0, 0, 7, 5))); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), "", "")
	}
	f.Fuzz(func(t *testing.T, b []byte, query, kind string) {
		r := httptest.NewRequest("POST", "/v1/detect", bytes.NewReader(b))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		switch {
		case w.Code >= 400 && w.Code < 500 || w.Code == 503: // a timeout that was asked for
			code(t, w.Result())
		case w.Code != 200:
			t.Fatalf("%d: %s", w.Code, w.Body)
		case w.Header().Get("Content-Type") == "image/jpeg":
			if _, err := jpeg.DecodeConfig(w.Body); err != nil {
				t.Fatal(err)
			}
		default:
			parse[Answer](t, w.Result())
		}
		s.whole(t)
		if q := s.models[0].queue; q.inside != 0 || q.coming != 0 {
			t.Fatalf("%d inside, %d coming", q.inside, q.coming)
		}
		if left := s.bodies.left.Load(); left != bodiesHeld<<20 {
			t.Fatalf("%d bytes are left", left)
		}
		if !s.pixels.idle() {
			t.Fatal("pixels are held")
		}
	})
}
