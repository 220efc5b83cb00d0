package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// lively is a source that opens what a test thinks up.
func lively(k kind, open func() (reader, error)) *Capture {
	return &Capture{in: input{kind: k, name: "rtsp://me:secret@host/x"}, name: "x", retries: -1, backoff: time.Second, dropped: new(atomic.Int64),
		open: func(input) (reader, error) { return open() }}
}

func seconds(v ...float64) (d []time.Duration) {
	for _, s := range v {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// A video goes round at its own rate, and a frame's number goes on. The end of ctx closes it.
func TestLiveLoop(t *testing.T) {
	for _, k := range []struct {
		name   string
		kind   kind
		rate   float64
		wait   time.Duration // of the first round's frames
		stamps []time.Duration
		want   []time.Duration // when frames come
	}{
		{"steady", files, 1, 0, seconds(0, 1, 2), seconds(0, 1, 2, 3, 4, 5, 6)},
		{"at an address", stream, 1, 0, seconds(0, 1), seconds(0, 1, 2, 3, 4)},
		{"of variable rate, not from 0", files, 2, 0, seconds(5, 5.5, 7), seconds(0, .5, 2, 2.5, 3, 4.5, 5)},
		{"one frame", files, 4, 0, seconds(0), seconds(0, .25, .5)},
		{"without stamps and rate", files, 0, 0, seconds(0, 0, 0), seconds(0, .04, .08, .12, .16)},
		{"too slow, then not", files, 1, 3 * time.Second, seconds(0, 1, 2), seconds(3, 6, 9, 12, 13, 14, 15)},
	} {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened, closed, wait := 0, 0, k.wait
				l := lively(k.kind, func() (reader, error) {
					opened++
					f := &film{format: video.Format{Rate: k.rate, Frames: len(k.stamps)}, n: len(k.stamps), stamps: k.stamps, wait: wait, closed: &closed}
					wait = 0
					return f, nil
				})
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				begin := time.Now()
				var got []time.Duration
				for f := range l.Frames(ctx, func(text string) { t.Error(text) }) {
					if f.Index != len(got) || f.Count != len(got) || !f.Video.Realtime || f.Video.Rate != k.rate || f.Pic == nil || f.Err != nil {
						t.Errorf("frame %d: %+v", len(got), f)
					}
					if got = append(got, time.Since(begin)); len(got) == len(k.want) {
						stop()
					}
				}
				synctest.Wait()
				if !slices.Equal(got, k.want) || opened != 1+(len(got)-1)/len(k.stamps) && opened != 1+len(got)/len(k.stamps) || closed != opened || l.Dropped() != 0 {
					t.Errorf("frames at %v, want %v; opened %d times, closed %d times, %d dropped", got, k.want, opened, closed, l.Dropped())
				}
			})
		})
	}
}

// Who is slow gets the newest frame of a video too, and leaves it in the middle.
func TestLiveDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		l := lively(files, func() (reader, error) {
			return &film{format: video.Format{Rate: 1}, n: 4, closed: &closed}, nil
		})
		var got []int
		for f := range l.Frames(t.Context(), func(text string) { t.Error(text) }) {
			if got = append(got, f.Count); len(got) == 5 {
				break
			}
			time.Sleep(3500 * time.Millisecond)
		}
		synctest.Wait()
		// Taken at 0, 3.5, 7, 10.5 and 14 seconds: at 7 and 14 a frame comes just then, before or after.
		if last := got[4]; got[0] != 0 || got[1] != 3 || got[3] != 10 || last < 13 || last > 14 || l.Dropped() < 9 || closed != 4 {
			t.Errorf("frames %v, %d dropped; closed %d times", got, l.Dropped(), closed)
		}
	})
}

// A source that is not there, has no frames or breaks is opened again, less and less often, without end.
func TestLiveReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		closed := 0
		var opened []time.Duration
		l := lively(stream, func() (reader, error) {
			opened = append(opened, time.Since(begin).Round(time.Second))
			switch n := len(opened); {
			case n == 2:
				return &film{closed: &closed}, nil // nothing comes
			case n < 100:
				return nil, errors.New("refused")
			}
			return &film{n: 2, closed: &closed}, nil
		})
		var notices []string
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		counts := 0
		for f := range l.Frames(ctx, func(text string) { notices = append(notices, text) }) {
			if counts++; f.Count != counts-1 || f.Err != nil || f.Path != "rtsp://***@host/x" {
				t.Errorf("frame %d: %+v", counts-1, f)
			}
			if counts == 3 {
				time.AfterFunc(time.Second/2, stop) // while it waits to open again
			}
		}
		synctest.Wait()
		waits := make([]time.Duration, len(opened)-1)
		for i := range waits {
			waits[i] = opened[i+1] - opened[i]
		}
		if len(opened) != 101 || !slices.Equal(waits[:7], seconds(1, 2, 4, 8, 16, 30, 30)) || waits[98] != 30*time.Second || waits[99] != time.Second {
			t.Errorf("opened %d times, after %v", len(opened), waits)
		}
		if counts < 3 || closed != 3 || len(notices) != 101 || notices[0] != "refused; opening it again in 1s" || !strings.Contains(notices[1], "broke after 0 frames") || !strings.Contains(notices[99], "broke after 2 frames") {
			t.Errorf("%d frames, closed %d times, notices %q", counts, closed, notices)
		}
	})
}

// stuck is a reader that hangs, as OpenCV's do.
type stuck struct {
	film
	reading, release chan struct{}
}

func (s *stuck) Read() (*picture.Picture, time.Duration, error) {
	close(s.reading)
	<-s.release
	return nil, 0, video.ErrEnd
}

// A source that hangs is left behind, and is not opened a second time: it is opened again when the hung one has ended.
func TestLiveHangs(t *testing.T) {
	var opened atomic.Int32
	closed, later := 0, 0
	hung := &stuck{film: film{closed: &closed}, reading: make(chan struct{}), release: make(chan struct{})}
	l := lively(stream, func() (reader, error) {
		if opened.Add(1) == 1 {
			return hung, nil
		}
		return &film{n: 1, closed: &later}, nil
	})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-hung.reading
		stop()
	}()
	for f := range l.Frames(ctx, func(text string) { t.Error(text) }) {
		t.Errorf("frame %+v", f)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		if n := opened.Load(); n != 1 {
			t.Errorf("opened %d times while it hangs", n)
		}
		close(hung.release)
	})
	for f := range l.Frames(t.Context(), func(string) {}) {
		if f.Count != 0 || opened.Load() != 2 || closed != 1 {
			t.Errorf("frame %+v, opened %d times, closed %d times", f, opened.Load(), closed)
		}
		break
	}
}

// What is no moving source is refused with its name and the reason.
func TestNewCapture(t *testing.T) {
	dir := tree(t, "a.jpg", "broken.mp4", "b/c.mp4")
	at := func(name string) string { return filepath.Join(dir, name) }
	cases := map[string]string{
		at("absent.mp4"): "no such file", "cam:x": "a camera has a number", at("b"): "no video", at("a.jpg"): "no video", at("*.mp4"): "no video",
		os.DevNull: "cam:0", "-": "no video", at("broken.mp4"): "OpenCV cannot open it",
	}
	unable := video.Available()
	if unable != nil {
		for name := range cases {
			cases[name] = "built without OpenCV"
		}
		cases[at("absent.mp4")], cases["cam:x"], cases["cam:0"], cases["rtsp://host/x"] = "no such file", "a camera has a number", "built without OpenCV", "built without OpenCV"
	}
	for name, want := range cases {
		if _, err := NewCapture(name); err == nil || !strings.Contains(err.Error(), want) || unable == nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if unable != nil {
		return
	}
	for _, name := range []string{"cam:7", "rtsp://me:secret@host/x", "http://host/film.mp4"} { // may come later
		if _, err := NewCapture(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
