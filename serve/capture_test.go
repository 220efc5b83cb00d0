//go:build opencv

package serve

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// film writes a video of frames that grow lighter, 50 a second.
func film(t *testing.T, path string, frames int) {
	t.Helper()
	w, err := video.Create(path, 128, 96, 50)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		p := picture.New(128, 96)
		for k := range p.Pix {
			p.Pix[k] = uint8(i * 255 / frames)
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A video is a camera, also one at an address: it goes round, and its file is closed after the last viewer.
func TestFilm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.mp4")
	film(t, path, 10)
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(path))))
	defer files.Close()
	log := &ledger{}
	o := Options{Models: []Model{{"tiny", scored(t, unsure)}}, Log: slog.New(slog.NewTextHandler(log, nil)), Cameras: map[string]Camera{}}
	for name, what := range map[string]string{"film": path, "far": files.URL + "/a.mp4"} {
		var err error
		if o.Cameras[name], err = Open(what); err != nil {
			t.Fatal(err)
		}
	}
	v := run(t, o)
	for name := range o.Cameras {
		r, next := v.look(t, name)
		values := map[int]bool{}
		for range 15 { // of 10 that there are
			p := shown(t, next())
			if p.W != 128 || p.H != 96 {
				t.Fatalf("%s: %dx%d pixels", name, p.W, p.H)
			}
			red, _, _ := p.At(60, 50)
			values[(int(red)+12)/25] = true
		}
		if len(values) < 3 {
			t.Errorf("%s: frames of lightness %v", name, values)
		}
		r.Body.Close()
	}
	eventually(t, "the video stays open without viewers", func() bool { return !holds(t, path) })
	if n := log.lines("breaks off"); n != 0 {
		t.Errorf("%s", log.b.String())
	}
	// One that goes away is told and looked for again; the camera is there for who looks, and comes back.
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	_, next := v.look(t, "film")
	eventually(t, "the log does not report that the video is away", func() bool { return log.lines("camera=film", "breaks off", path, "opening it again in 1s") == 1 })
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	shown(t, next())
}

// holds reports whether this process has a file open.
func holds(t *testing.T, path string) bool {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(open) == 0 {
		t.Skip("open files are not told here")
	}
	for _, f := range open {
		if to, err := os.Readlink(f); err == nil && to == path {
			return true
		}
	}
	return false
}
