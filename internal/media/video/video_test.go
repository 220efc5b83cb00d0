//go:build opencv

package video

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/internal/media/picture"
)

// bars is a frame whose left part of i columns is light.
func bars(w, h, i int) *picture.Picture {
	p := picture.New(w, h)
	for y := range h {
		for x := range w {
			if x < i {
				p.Set(x, y, 250, 40, 20)
			} else {
				p.Set(x, y, 20, 30, 120)
			}
		}
	}
	return p
}

// film writes a video of n frames.
func film(t *testing.T, path string, w, h, n int, rate float64) *Writer {
	t.Helper()
	v, err := Create(path, w, h, rate)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := v.Write(bars(w, h, 4*i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before it is whole")
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return v
}

// Writing reads no byte behind an image, where memory may end.
func TestPictureAtTheEndOfMemory(t *testing.T) {
	for _, s := range [][2]int{{128, 64}, {64, 2}, {66, 34}, {131, 33}} {
		size, page := 3*s[0]*s[1], os.Getpagesize()
		whole := (size + page - 1) / page * page
		mem, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mprotect(mem[whole:], syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		v, err := Create(filepath.Join(t.TempDir(), "end.mp4"), s[0], s[1], 25)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := v.Write(&picture.Picture{W: s[0], H: s[1], Pix: mem[whole-size : whole : whole]}); err != nil {
				t.Error(err)
			}
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		if err := syscall.Munmap(mem); err != nil {
			t.Fatal(err)
		}
	}
}

// A video that is written has its size, rate, frames and colours when it is read again.
func TestThereAndBack(t *testing.T) {
	for _, rate := range []float64{12.5, 30, 29.97} {
		path := filepath.Join(t.TempDir(), "a.mp4")
		w := film(t, path, 128, 64, 20, rate)
		if w.Frames() != 20 || w.Codec() == "" {
			t.Errorf("%d frames, %s", w.Frames(), w.Codec())
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Format(); f.W != 128 || f.H != 64 || math.Abs(f.Rate-rate) > 1e-2 || f.Frames != 20 {
			t.Errorf("format %+v at %g", f, rate)
		}
		for i := range 20 {
			p, at, err := r.Read()
			if err != nil {
				t.Fatal(i, err)
			}
			if want := time.Duration(float64(i) / rate * 1e9); (at - want).Abs() > 2*time.Millisecond {
				t.Errorf("frame %d at %v, want %v", i, at, want)
			}
			red, _, blue := p.At(120, 40)
			if light := 4*i > 120; p.W != 128 || p.H != 64 || light != (red > blue) {
				t.Errorf("frame %d: %dx%d, red %d, blue %d", i, p.W, p.H, red, blue)
			}
			p.Release()
		}
		if _, _, err := r.Read(); !errors.Is(err, ErrEnd) {
			t.Errorf("after the last frame: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "a.mp4")
	if err := os.WriteFile(text, []byte("no video"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, filepath.Join(dir, "absent.mp4"), "rtsp://me:secret@127.0.0.1:1/x"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), Public(path)) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := OpenCamera(99); err == nil || !strings.Contains(err.Error(), "cam:99") {
		t.Errorf("a camera that is not there: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "absent", "a.mp4"), 64, 64, 25); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a folder that is not there: %v", err)
	}
	w, err := Create(filepath.Join(dir, "b.mp4"), 64, 64, 25)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(bars(32, 64, 1)); err == nil || !strings.Contains(err.Error(), "32x64") {
		t.Errorf("a frame of another size: %v", err)
	}
	if err := w.Write(bars(64, 64, 1)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(w.Write(bars(64, 64, 1)), w.Close()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a writer that is closed: %v", err)
	}
	for _, k := range []struct {
		w, h int
		rate float64
	}{{1, 64, 25}, {64, 0, 25}, {64, 64, 0}, {64, 64, math.NaN()}} {
		if _, err := Create(filepath.Join(dir, "c.mp4"), k.w, k.h, k.rate); err == nil || !strings.Contains(err.Error(), "c.mp4") {
			t.Errorf("%dx%d, %g a second: %v", k.w, k.h, k.rate, err)
		}
	}
	odd := film(t, filepath.Join(dir, "odd.mp4"), 65, 33, 2, 25)
	if !strings.Contains(odd.Codec(), "64x32") {
		t.Errorf("odd sides: %s", odd.Codec())
	}
}

// Nothing prints the password of an address that cannot be opened.
func TestNoPasswords(t *testing.T) {
	const child = "RETINAGO_OPEN"
	if address := os.Getenv(child); address != "" {
		_, err := Open(address)
		fmt.Fprintln(os.Stderr, err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNoPasswords$")
	cmd.Env = append(os.Environ(), child+"=rtsp://me:secret@127.0.0.1:1/x")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "***@127.0.0.1") || strings.Contains(string(out), "secret") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDisplay(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("displays of Linux")
	}
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "w"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, k := range []struct{ x, wayland, qt, want string }{
		{"", "", "", "neither"},
		{":4711", "", "", "DISPLAY=:4711"},
		{"nonsense", "", "", "nonsense"},
		{"127.0.0.1:59000.0", "", "", "does not answer"},
		{"", "absent", "", "WAYLAND_DISPLAY=absent"},
		{"", "w", "", ""},
		{":4711", filepath.Join(dir, "w"), "", ""},
		{"", "", "offscreen", ""},
	} {
		t.Setenv("DISPLAY", k.x)
		t.Setenv("WAYLAND_DISPLAY", k.wayland)
		t.Setenv("QT_QPA_PLATFORM", k.qt)
		t.Setenv("XDG_RUNTIME_DIR", dir)
		if err := display(); (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// A video that a telephone stored lying comes upright, and so is what is written of it.
func TestRotated(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not there")
	}
	dir := t.TempDir()
	lying, turned := filepath.Join(dir, "lying.mp4"), filepath.Join(dir, "turned.mp4")
	film(t, lying, 128, 64, 6, 25)
	if out, err := exec.Command("ffmpeg", "-v", "error", "-i", lying, "-c", "copy", "-metadata:s:v", "rotate=90", turned).CombinedOutput(); err != nil {
		t.Skipf("ffmpeg does not turn videos: %s", out)
	}
	r, err := Open(turned)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p *picture.Picture
	for range 6 {
		if p, _, err = r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	if p.W != 64 || p.H != 128 {
		t.Fatalf("%dx%d, want 64x128", p.W, p.H)
	}
	// Of the last frame 20 columns at the left are light; turned to the right by a quarter they are at the top.
	top, _, _ := p.At(32, 5)
	bottom, _, _ := p.At(32, 120)
	if top < 150 || bottom > 100 {
		t.Errorf("red is %d at the top and %d at the bottom", top, bottom)
	}
}

// ffprobe takes what is written for what it is.
func TestProbe(t *testing.T) {
	if _, err := exec.LookPath("ffprobe"); err != nil {
		t.Skip("ffprobe is not there")
	}
	path := filepath.Join(t.TempDir(), "a.mp4")
	w := film(t, path, 128, 64, 15, 12.5)
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Pixels string `json:"pix_fmt"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
			Rate   string `json:"r_frame_rate"`
			Frames string `json:"nb_read_frames"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &v); err != nil || len(v.Streams) != 1 {
		t.Fatal(err, len(v.Streams))
	}
	s := v.Streams[0]
	if s.Width != 128 || s.Height != 64 || s.Rate != "25/2" || s.Frames != "15" || s.Pixels != "yuv420p" {
		t.Errorf("%+v", s)
	}
	if (s.Codec == "h264") != strings.HasPrefix(w.Codec(), "H.264") {
		t.Errorf("%s is told as %s", s.Codec, w.Codec())
	}
}

func BenchmarkRead(b *testing.B) {
	const path = "../../../../shared/data/videos/people.mp4"
	if _, err := os.Stat(path); err != nil {
		b.Skip("the video is not there")
	}
	n := 0
	for b.Loop() {
		r, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for {
			p, _, err := r.Read()
			if err != nil {
				break
			}
			p.Release()
			n++
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(n), "ms/frame")
}

func BenchmarkWrite(b *testing.B) {
	const path = "../../../../shared/data/videos/people.mp4"
	r, err := Open(path)
	if err != nil {
		b.Skip("the video is not there")
	}
	var frames []*picture.Picture
	for {
		p, _, err := r.Read()
		if err != nil {
			break
		}
		frames = append(frames, p)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		w, err := Create(filepath.Join(b.TempDir(), "a.mp4"), frames[0].W, frames[0].H, 30)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range frames {
			if err := w.Write(p); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		n += len(frames)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(n), "ms/frame")
}
