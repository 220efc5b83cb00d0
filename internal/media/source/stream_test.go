//go:build opencv

package source

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// A stream of JPEGs over HTTP, as many cameras send it, that ends after a while: it is opened again.
func TestHTTP(t *testing.T) {
	var served atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) > 2 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
		for i := range 30 {
			m := image.NewRGBA(image.Rect(0, 0, 64, 48))
			for k := range m.Pix {
				m.Pix[k] = 255
			}
			m.Set(i, i, color.Black)
			var b bytes.Buffer
			if err := jpeg.Encode(&b, m, nil); err != nil {
				t.Error(err)
				return
			}
			if _, err := fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", b.Len(), b.Bytes()); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}))
	defer s.Close()
	var notices atomic.Int32
	set, err := Open([]string{s.URL + "/video.mjpg"}, Options{Retries: 2, Notice: func(string) { notices.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	set.backoff = 10 * time.Millisecond
	taken, broken, last := 0, 0, -1
	for f := range set.Frames(context.Background()) {
		if f.Err != nil {
			broken++
			continue
		}
		if !f.Video.Realtime || f.Pic.W != 64 || f.Pic.H != 48 || f.Count <= last {
			t.Fatalf("frame %+v after %d", f, last)
		}
		taken, last = taken+1, f.Count
		time.Sleep(25 * time.Millisecond)
	}
	// A frame or two at the end of a connection may be lost in OpenCV.
	if all := taken + int(set.Dropped()); all < 50 || taken < 10 || set.Dropped() < 10 || broken != 1 || notices.Load() < 3 {
		t.Errorf("%d frames taken, %d dropped, %d errors, %d notices", taken, set.Dropped(), broken, notices.Load())
	}
}

// A video file goes round: its frames come in their order, again and again, no faster than they should.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	w, err := video.Create(path, 64, 48, 50)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		p := picture.New(64, 48)
		for k := range p.Pix {
			p.Pix[k] = uint8(50 * i)
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := NewCapture(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, last := time.Now(), 0
	for f := range l.Frames(t.Context(), func(text string) { t.Error(text) }) {
		last = f.Count
		if red, _, _ := f.Pic.At(30, 20); max(int(red), 50*(last%5))-min(int(red), 50*(last%5)) > 20 || f.Path != path || f.Video.Rate != 50 {
			t.Errorf("frame %d of red %d, %+v", last, red, f)
		}
		f.Pic.Release()
		if last >= 12 {
			break
		}
	}
	if took := time.Since(begin); took < time.Duration(last)*20*time.Millisecond-5*time.Millisecond {
		t.Errorf("frame %d of 50 a second after %v", last, took)
	}
}
